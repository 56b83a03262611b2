import { defineConfig } from "hardhat/config";

export default defineConfig({
  solidity: {
    version: "0.8.37",
    // Without a path, Hardhat downloads the compiler.
    path: "node_modules/solc/soljson.js",
  },
});

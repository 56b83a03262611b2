import { fileURLToPath } from "node:url";

import { defineConfig } from "hardhat/config";

export default defineConfig({
  paths: { sources: "src", tests: { solidity: "test" } },
  solidity: {
    version: "0.8.37",
    // The compiler from npm. Without a path, Hardhat downloads it.
    path: fileURLToPath(import.meta.resolve("solc/soljson.js")),
  },
});

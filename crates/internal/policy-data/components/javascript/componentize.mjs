// Makes a component of a module: node componentize.mjs MODULE COMPONENT
import { componentize } from "@bytecodealliance/componentize-js";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const [module, output] = process.argv.slice(2);
const { component } = await componentize(await readFile(module, "utf8"), {
  witPath: fileURLToPath(new URL("../../wit/policy-data.wit", import.meta.url)),
  worldName: "policy-data",
  // What remains are the imports of the world.
  disableFeatures: ["stdio", "random", "clocks", "http", "fetch-event"],
});
await writeFile(output, component);

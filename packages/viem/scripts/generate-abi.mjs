// Writes src/abi.ts from the Solidity sources: `npm run generate`. A test compares the file with what this makes of
// them.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import solc from "solc";

const CONTRACTS = new URL("../../../contracts/", import.meta.url);
const DESTINATION = new URL("../src/abi.ts", import.meta.url);

/** The contracts whose ABIs are read, and their paths. */
const SOURCES = {
  IRefusals: "interfaces/Protocol.sol",
  IPolicyClient: "interfaces/IPolicyClient.sol",
  ITaskManager: "interfaces/ITaskManager.sol",
  Precompiles: "libraries/Precompiles.sol",
};

const HEADER = `// Made from the Solidity sources by scripts/generate-abi.mjs; \`npm run generate\` makes it anew.
`;

/** The text of src/abi.ts. */
export function generate() {
  const { IRefusals, IPolicyClient, ITaskManager, Precompiles } = compile();
  const errors = (abi) => abi.filter((item) => item.type === "error");
  const known = new Set(errors(IRefusals).map((item) => item.name));
  const others = [...errors(IPolicyClient), ...errors(ITaskManager)].filter((item) => !known.has(item.name));
  return [
    HEADER,
    constant("refusalErrors", "Why an authorization is refused, in the order of the checks.", errors(IRefusals)),
    constant("chainFaultErrors", "A chain that cannot make a check.", errors(Precompiles)),
    constant("administrationErrors", "What client and TaskManager refuse their owners.", others),
    constant("policyClientAbi", "Every protected contract's own part, and why it refuses.", [
      ...IPolicyClient.filter((item) => item.type !== "error"),
      ...errors(IRefusals),
      ...errors(IPolicyClient),
    ]),
    constant("taskManagerAbi", "The contract that clients ask.", ITaskManager),
  ].join("\n");
}

function constant(name, documentation, value) {
  const items = value.map((item) => `  ${JSON.stringify(item)},\n`).join("");
  return `/** ${documentation} */\nexport const ${name} = [\n${items}] as const;\n`;
}

/** ABIs by name, errors as they are declared. No code is asked for: that is what takes a compiler long. */
function compile() {
  const read = (path) => ({ content: readFileSync(new URL(path, CONTRACTS), "utf8") });
  const job = {
    language: "Solidity",
    sources: Object.fromEntries(Object.values(SOURCES).map((path) => [path, read(path)])),
    settings: { outputSelection: { "*": { "*": ["abi"], "": ["ast"] } } },
  };
  const find = (path) => ({ contents: read(path).content });
  const output = JSON.parse(solc.compile(JSON.stringify(job), { import: find }));
  const problems = (output.errors ?? []).filter((problem) => problem.severity === "error");
  if (problems.length > 0) throw new Error(problems.map((problem) => problem.formattedMessage).join("\n"));
  const declared = declaredErrors(output.sources);
  const place = (item) => (item.type === "error" ? declared.indexOf(item.name) : -1);
  return Object.fromEntries(
    Object.entries(SOURCES).map(([name, path]) => {
      // solc sorts an ABI by name.
      const abi = output.contracts[path][name].abi.map(withoutInternalTypes).sort((a, b) => place(a) - place(b));
      return [name, abi];
    }),
  );
}

function declaredErrors(sources) {
  return Object.values(SOURCES).flatMap((path) =>
    sources[path].ast.nodes
      .filter((node) => node.nodeType === "ContractDefinition")
      .flatMap((contract) => contract.nodes.filter((node) => node.nodeType === "ErrorDefinition"))
      .map((error) => error.name),
  );
}

function withoutInternalTypes(value) {
  if (Array.isArray(value)) return value.map(withoutInternalTypes);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => key !== "internalType");
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutInternalTypes(inner)]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(DESTINATION, generate());

// Writes src/gateway/api.ts from the gateway's OpenRPC document: `npm run generate`. A test compares the file with what
// this makes of it.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const DOCUMENT = new URL("../../../bin/assent-gateway/openrpc.json", import.meta.url);
const DESTINATION = new URL("../src/gateway/api.ts", import.meta.url);

const HEADER = `// Made from the gateway's OpenRPC document by scripts/generate-gateway.mjs: \`npm run generate\`.
import type { Address, Hex } from "viem";
`;
/** Schemas that viem has types for. */
const KNOWN = { Address: "Address", Hash: "Hex", Bytes: "Hex" };

/** The text of src/gateway/api.ts. */
export function generate() {
  const { components, methods } = JSON.parse(readFileSync(DOCUMENT, "utf8"));
  const types = Object.entries(components.schemas)
    .filter(([name]) => KNOWN[name] === undefined)
    .map(([name, schema]) => {
      const documentation = schema.description;
      return `/** ${documentation}. */\nexport type Gateway${name} = ${typeOf(schema, "")};\n`;
    });
  const table = methods.map(({ name, summary, params, result }) => {
    const fields = params.map(({ name, required, schema, summary }) => {
      const optional = required ? "" : "?";
      const or = required ? "" : " | undefined";
      return `      /** ${summary}. */\n      readonly ${name}${optional}: ${typeOf(schema, "      ")}${or};\n`;
    });
    const parameters = fields.length === 0 ? "Readonly<Record<string, never>>" : `{\n${fields.join("")}    }`;
    return [
      `  /** ${summary}. */`,
      `  readonly ${JSON.stringify(name).replaceAll(/^"(\w+)"$/g, "$1")}: {`,
      `    readonly parameters: ${parameters};`,
      `    readonly result: ${typeOf(result.schema, "    ")};`,
      "  };",
    ].join("\n");
  });
  const methodTypes = `/** The gateway's methods, each with its parameters by name and its result. */
export type GatewayMethods = {
${table.join("\n")}
};
`;
  return [HEADER, ...types, methodTypes].join("\n");
}

function typeOf(schema, indent) {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split("/").at(-1);
    return KNOWN[name] ?? `Gateway${name}`;
  }
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const variants = schema.oneOf ?? schema.anyOf;
  if (variants !== undefined) return variants.map((variant) => typeOf(variant, indent)).join(" | ");
  switch (schema.type) {
    case "string":
      return "string";
    case "integer":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
      return `readonly ${typeOf(schema.items, indent)}[]`.replace(/^readonly (\{.*\})\[\]$/s, "ReadonlyArray<$1>");
    case "object":
      return objectOf(schema, indent);
    default:
      return "unknown";
  }
}

function objectOf({ properties, required = [] }, indent) {
  if (properties === undefined) return "Readonly<Record<string, unknown>>";
  const fields = Object.entries(properties).map(([name, schema]) => {
    const optional = required.includes(name) ? "" : "?";
    const comment = schema.description === undefined ? "" : `${indent}  /** ${schema.description}. */\n`;
    return `${comment}${indent}  readonly ${name}${optional}: ${typeOf(schema, `${indent}  `)};\n`;
  });
  return `{\n${fields.join("")}${indent}}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(DESTINATION, generate());

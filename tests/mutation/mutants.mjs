// The mutants of a Solidity source: one small change each, found in the compiler's syntax tree, so that inline assembly
// is mutated like the rest.

import { assemblyChanges } from "./assembly-operators.mjs";
import { solidityChanges } from "./solidity-operators.mjs";

// All mutants of `source`, whose syntax tree is `tree`, in their order in the source.
export function mutantsOf(file, source, tree) {
  // The tree counts bytes, not characters.
  const bytes = Buffer.from(source, "utf8");
  const changes = [];
  visit(tree, [], (node, ancestors) => {
    const at = locate(bytes, node.src);
    if (!at || insideIgnored(ancestors)) return;
    const placeOf = (other) => locate(bytes, other.src);
    const context = { node, ancestors, ...at, placeOf, textOf: (other) => placeOf(other).text };
    const found = node.nodeType.startsWith("Yul") ? assemblyChanges(context) : solidityChanges(context);
    for (const change of found) {
      const { start = at.start, end = at.end, replacement, operator } = change;
      if (bytes.subarray(start, end).toString("utf8") === replacement) continue;
      changes.push({ start, end, replacement, operator, function: functionOf(ancestors) });
    }
  });
  return named(file, bytes, withoutRepetitions(changes));
}

// A node's position in the source: "start:length:file" in bytes.
function locate(bytes, src) {
  const [start, length] = (src ?? "").split(":").map(Number);
  if (!(start >= 0 && length >= 0)) return undefined;
  return { start, end: start + length, text: bytes.subarray(start, start + length).toString("utf8") };
}

function visit(value, ancestors, onNode) {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, ancestors, onNode);
    return;
  }
  if (value === null || typeof value !== "object") return;
  if (value.nodeType) onNode(value, ancestors);
  const inner = value.nodeType ? [...ancestors, value] : ancestors;
  for (const [key, child] of Object.entries(value)) {
    // An assembly block lists the declarations it uses beside its syntax tree.
    if (key !== "externalReferences" && key !== "typeDescriptions") visit(child, inner, onNode);
  }
}

// Imports, documentation and types compile to no code.
function insideIgnored(ancestors) {
  return ancestors.some((node) =>
    ["ImportDirective", "PragmaDirective", "StructuredDocumentation", "ErrorDefinition", "EventDefinition"].includes(
      node.nodeType,
    ),
  );
}

function functionOf(ancestors) {
  const holder = ancestors.findLast((node) => ["FunctionDefinition", "ModifierDefinition"].includes(node.nodeType));
  if (holder) return holder.name || holder.kind;
  return ancestors.findLast((node) => node.nodeType === "VariableDeclaration")?.name ?? "";
}

function withoutRepetitions(changes) {
  const seen = new Set();
  const kept = changes.filter(({ start, end, replacement }) => {
    const key = `${start}:${end}:${replacement}`;
    return !seen.has(key) && seen.add(key);
  });
  return kept.sort((a, b) => a.start - b.start || a.end - b.end);
}

// Gives each mutant its source and a name that survives changes elsewhere in the file: the function, the lines before
// and after, and a number where these say the same of several.
function named(file, bytes, changes) {
  const names = new Map();
  return changes.map((change) => {
    const [before, after] = [bytes.subarray(0, change.start), bytes.subarray(change.end)];
    const mutated = Buffer.concat([before, Buffer.from(change.replacement), after]);
    const from = bytes.lastIndexOf("\n", change.start - 1) + 1;
    const to = bytes.indexOf("\n", change.end);
    const original = oneLine(bytes.subarray(from, to));
    const mutant = oneLine(mutated.subarray(from, to + mutated.length - bytes.length));
    const spelling = `${file} ${change.function}: ${original} => ${mutant}`;
    const count = (names.get(spelling) ?? 0) + 1;
    names.set(spelling, count);
    return {
      file,
      line: before.toString("utf8").split("\n").length,
      function: change.function,
      operator: change.operator,
      original,
      mutant,
      name: count === 1 ? spelling : `${spelling} #${count}`,
      source: mutated.toString("utf8"),
    };
  });
}

function oneLine(bytes) {
  return bytes.toString("utf8").replace(/\s+/g, " ").trim();
}

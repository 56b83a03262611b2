// Mutation operators for inline assembly (Yul).

import { neighbours } from "./solidity-operators.mjs";

// What an instruction is exchanged for, given the texts of its arguments.
const EXCHANGES = {
  lt: (a, b) => [`gt(${a}, ${b})`, `iszero(gt(${a}, ${b}))`],
  gt: (a, b) => [`lt(${a}, ${b})`, `iszero(lt(${a}, ${b}))`],
  eq: (a, b) => [`iszero(eq(${a}, ${b}))`, `iszero(lt(${a}, ${b}))`, `iszero(gt(${a}, ${b}))`],
  iszero: (a) => [a],
  not: (a) => [a],
  add: (a, b) => [`sub(${a}, ${b})`],
  sub: (a, b) => [`add(${a}, ${b})`],
  mul: (a, b) => [`add(${a}, ${b})`],
  div: (a, b) => [`mul(${a}, ${b})`],
  shl: (a, b) => [`shr(${a}, ${b})`],
  shr: (a, b) => [`shl(${a}, ${b})`],
  and: (a, b) => [`or(${a}, ${b})`, a, b],
  or: (a, b) => [`and(${a}, ${b})`, a, b],
  xor: (a, b) => [`or(${a}, ${b})`, `and(${a}, ${b})`],
  clz: (a) => [a],
};
const REMOVED = "statement removed";

const OPERATORS = {
  YulExpressionStatement: () => [{ replacement: "", operator: REMOVED }],
  YulAssignment: () => [{ replacement: "", operator: REMOVED }],
  YulBreak: () => [{ replacement: "", operator: REMOVED }],
  YulVariableDeclaration: valueNotAssigned,
  YulIf: ({ node, placeOf }) => conditionReplaced(placeOf(node.condition), ["0", "1"]),
  YulSwitch: ({ node, placeOf }) => conditionReplaced(placeOf(node.expression), ["0", "1"]),
  YulForLoop: ({ node, placeOf }) => conditionReplaced(placeOf(node.condition), ["0"]),
  YulLiteral: literalReplaced,
  YulFunctionCall: instructionExchanged,
};

export function assemblyChanges(context) {
  return OPERATORS[context.node.nodeType]?.(context) ?? [];
}

function valueNotAssigned({ node, text, textOf }) {
  if (!node.value || textOf(node.value) === "0") return [];
  return [{ replacement: text.replace(textOf(node.value), "0"), operator: "value not assigned" }];
}

function conditionReplaced({ start, end }, values) {
  return values.map((replacement) => ({ start, end, replacement, operator: "condition replaced" }));
}

function literalReplaced({ node, text, ancestors }) {
  const parent = ancestors.at(-1);
  if (node.kind !== "number" || parent?.nodeType === "YulCase") return [];
  return neighbours(text).map((replacement) => ({ replacement, operator: "literal replaced" }));
}

function instructionExchanged({ node, textOf }) {
  const texts = node.arguments.map(textOf);
  const exchange = EXCHANGES[node.functionName.name];
  return (exchange?.(...texts) ?? []).map((replacement) => ({ replacement, operator: "instruction exchanged" }));
}

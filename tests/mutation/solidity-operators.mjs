// Mutation operators for Solidity: those of slither-mutate, and stricter where a bound can be off by one.

// Relations that agree with the original but for one of "less", "equal", "greater": together with `true` and `false` in
// a condition's place they imply the rest.
const RELATIONS = {
  "<": ["<=", "!="],
  "<=": ["<", "=="],
  ">": [">=", "!="],
  ">=": [">", "=="],
  "==": ["!="],
  "!=": ["=="],
};
const ARITHMETIC = {
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "<<": [">>"],
  ">>": ["<<"],
  "&": ["|"],
  "|": ["&"],
};
const NEUTRAL = { "||": "false", "&&": "true" };
const COMPOUND = { "+=": ["-=", "="], "-=": ["+=", "="], "|=": ["&=", "="], "&=": ["|=", "="] };
const SURROUNDINGS = { msg: ["value"], block: ["timestamp", "chainid"] };

const OPERATORS = {
  ExpressionStatement: statementRemoved,
  EmitStatement: statementRemoved,
  RevertStatement: statementRemoved,
  Return: resultReplaced,
  IfStatement: ({ node, placeOf }) => conditionReplaced(node.condition, placeOf),
  Conditional: ({ node, placeOf }) => conditionReplaced(node.condition, placeOf),
  ForStatement: ({ node, placeOf }) => conditionReplaced(node.condition, placeOf).slice(1),
  VariableDeclarationStatement: valueNotAssigned,
  BinaryOperation: operatorReplaced,
  UnaryOperation: unaryReplaced,
  Assignment: compoundReplaced,
  Literal: literalReplaced,
  FunctionCall: argumentsSwapped,
  MemberAccess: surroundingsReplaced,
  ModifierInvocation: modifierRemoved,
};

export function solidityChanges(context) {
  return OPERATORS[context.node.nodeType]?.(context) ?? [];
}

// A number and its neighbours; of a large one, which is a key or a modulus, only the next.
export function neighbours(text) {
  const [digits, exponent = "0"] = text.replaceAll("_", "").split(/(?<!^0x.*)e/i);
  // Fractions and units are no integers here.
  if (!/^(0x[\da-f]+|\d+)$/i.test(digits)) return [];
  const value = BigInt(digits) * 10n ** BigInt(exponent);
  const hex = (number) => `0x${number.toString(16).padStart(text.length - 2, "0")}`;
  const shown = (number) => (text.startsWith("0x") ? hex(number) : `${number}`);
  return value === 0n || value > 1n << 64n ? [shown(value + 1n)] : [shown(value - 1n), shown(value + 1n)];
}

function statementRemoved({ node, ancestors, end }) {
  // The steps of a loop's head are statements without a semicolon.
  const parent = ancestors.at(-1);
  const inHead = parent?.nodeType === "ForStatement" && parent.body !== node;
  return [inHead ? { replacement: "", operator: "statement removed" } : removed(end, "statement removed")];
}

// Solidity has no empty statement, and a statement's place in the source leaves out its semicolon.
function removed(end, operator) {
  return { end: end + 1, replacement: "{}", operator };
}

function resultReplaced({ node, placeOf, end }) {
  if (!node.expression) return [];
  if (node.expression.typeDescriptions.typeString !== "bool") return [removed(end, "return removed")];
  return conditionReplaced(node.expression, placeOf);
}

function conditionReplaced(condition, placeOf) {
  if (!condition) return [];
  const { start, end, text } = placeOf(condition);
  const operator = "condition replaced";
  if (["true", "false"].includes(text)) return [];
  return ["true", "false"].map((replacement) => ({ start, end, replacement, operator }));
}

function valueNotAssigned({ node, textOf }) {
  if (!node.initialValue || node.declarations.length !== 1) return [];
  // What a variable has without being assigned.
  if (["0", "false"].includes(textOf(node.initialValue))) return [];
  return [{ replacement: textOf(node.declarations[0]), operator: "value not assigned" }];
}

function operatorReplaced({ node, textOf }) {
  const [left, right] = [textOf(node.leftExpression), textOf(node.rightExpression)];
  const joined = (operator) => `(${left} ${operator} ${right})`;
  if (NEUTRAL[node.operator]) {
    const neutral = NEUTRAL[node.operator];
    return [
      { replacement: joined(node.operator).replace(left, () => neutral), operator: "left operand ignored" },
      { replacement: `(${left} ${node.operator} ${neutral})`, operator: "right operand ignored" },
    ];
  }
  const others = RELATIONS[node.operator] ?? ARITHMETIC[node.operator] ?? [];
  return others.map((operator) => ({ replacement: joined(operator), operator: "operator replaced" }));
}

function unaryReplaced({ node, text, textOf }) {
  if (node.operator === "!") return [{ replacement: textOf(node.subExpression), operator: "negation removed" }];
  const other = { "++": "--", "--": "++" }[node.operator];
  return other ? [{ replacement: text.replace(node.operator, other), operator: "operator replaced" }] : [];
}

function compoundReplaced({ node, textOf }) {
  return (COMPOUND[node.operator] ?? []).map((operator) => ({
    replacement: `${textOf(node.leftHandSide)} ${operator} ${textOf(node.rightHandSide)}`,
    operator: "operator replaced",
  }));
}

function literalReplaced({ node, text, ancestors }) {
  const operator = "literal replaced";
  if (node.kind === "bool") return [{ replacement: text === "true" ? "false" : "true", operator }];
  if (node.kind === "number" && /^[0-9a-fA-Fx_]+$/.test(text)) {
    return neighbours(text).map((replacement) => ({ replacement, operator }));
  }
  // An empty message is what hashing of nothing in a constructor is about; any other stands for it as well.
  if (node.kind === "string" && text.length > 2) return [{ replacement: `${text.slice(0, -1)}~"`, operator }];
  // To the compiler, "30 days" is only the number, with its unit next to it.
  const unit = ancestors.length && /^(\d+)( \w+)$/.exec(text);
  return unit ? neighbours(unit[1]).map((number) => ({ replacement: number + unit[2], operator })) : [];
}

// Neighbouring arguments of one type change places.
function argumentsSwapped({ node, textOf, placeOf }) {
  const changes = [];
  for (let i = 0; i + 1 < node.arguments.length; ++i) {
    const [a, b] = [node.arguments[i], node.arguments[i + 1]];
    const kind = (argument) => (argument.typeDescriptions?.typeString ?? "").replace(/int_const .*/, "uint256");
    if (kind(a) !== kind(b) || textOf(a) === textOf(b)) continue;
    const between = textBetween(placeOf(node), placeOf(a), placeOf(b));
    const replacement = textOf(b) + between + textOf(a);
    changes.push({ start: placeOf(a).start, end: placeOf(b).end, replacement, operator: "arguments swapped" });
  }
  return changes;
}

// Places are counted in bytes.
function textBetween(holder, a, b) {
  const bytes = Buffer.from(holder.text, "utf8");
  return bytes.subarray(a.end - holder.start, b.start - holder.start).toString("utf8");
}

function surroundingsReplaced({ node, text }) {
  if (text === "msg.sender") return [{ replacement: "tx.origin", operator: "surroundings replaced" }];
  if (!SURROUNDINGS[node.expression.name]?.includes(node.memberName)) return [];
  return [{ replacement: `(${text} + 1)`, operator: "surroundings replaced" }];
}

function modifierRemoved({ node }) {
  return node.kind === "modifierInvocation" ? [{ replacement: "", operator: "modifier removed" }] : [];
}

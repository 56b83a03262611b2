// The cases and sentences of assent-inspection, crates/internal/assent-inspection/src/differences.rs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Abi, type Hex, concat, numberToHex, parseAbi, slice, toFunctionSelector } from "viem";
import { differences, parseAttestationDocument } from "@assent/viem";
import { repositoryFile } from "./anvil.js";

const document = parseAttestationDocument(repositoryFile("tests/fuzz/corpus/json/seed-document"));

/** Returns the difference between two calldatas. */
function between(attested: Hex, actual: Hex, abi?: Abi) {
  const { attestation } = document;
  const changed = { ...document, attestation: { ...attestation, intent: { ...attestation.intent, data: attested } } };
  const found = differences({ document: changed, intent: { ...attestation.intent, data: actual }, abi });
  return found.find(({ field }) => field === "intent.data") ?? assert.fail("no difference");
}

function call(signature: string, words: readonly number[]): Hex {
  return concat([toFunctionSelector(signature), ...words.map((word) => numberToHex(word, { size: 32 }))]);
}

test("with an ABI the innermost argument that differs is named", () => {
  const cases: [string, number[], number[], string][] = [
    ["f(uint256 a, uint256 b)", [1, 2], [1, 3], "b: 2 attested, 3 in the call"],
    ["f(uint256, bool)", [1, 0], [1, 1], "argument 2: false attested, true in the call"],
    ["f((uint8, uint8) point)", [1, 2], [1, 3], "point.2: 2 attested, 3 in the call"],
    ["f((uint8 x, uint8 y) point)", [1, 2], [1, 3], "point.y: 2 attested, 3 in the call"],
    ["f(uint8[] list)", [32, 2, 7, 8], [32, 2, 7, 9], "list[1]: 8 attested, 9 in the call"],
    ["f(uint8[] list)", [32, 1, 7], [32, 2, 7, 9], "list: [7] attested, [7, 9] in the call"],
    [
      "f(uint8 a, uint8 b, uint8 c, uint8 d)",
      [1, 2, 3, 4],
      [2, 3, 4, 5],
      "a: 1 attested, 2 in the call; b: 2 attested, 3 in the call; c: 3 attested, 4 in the call; and 1 more",
    ],
  ];
  for (const [signature, attested, actual, sentence] of cases) {
    const abi = parseAbi([`function ${signature}`] as readonly string[]) as Abi;
    const difference = between(call(`function ${signature}`, attested), call(`function ${signature}`, actual), abi);
    assert.equal(difference.sentence, sentence);
    assert(difference.parts.every(({ kind }) => kind === "argument"));
  }
});

test("without an ABI the word of calldata that differs is named", () => {
  const signature = "function f(uint256 a, uint256 b)";
  const [attested, actual] = [call(signature, [1, 2]), call(signature, [1, 3])];
  const another = parseAbi(["function g(uint256 a)"]) as Abi;
  for (const abi of [undefined, another]) {
    const { sentence, parts } = between(attested, actual, abi);
    assert.equal(sentence, "calldata word 2: 0x2 attested, 0x3 in the call");
    assert.deepEqual(parts, [{ kind: "word", label: "calldata word 2", offset: 36, attested: "0x2", actual: "0x3" }]);
  }
  const shorter = between(attested, slice(attested, 0, 36));
  assert.equal(shorter.sentence, "calldata length: 68 bytes attested, 36 bytes in the call");
  const otherFunction = between(attested, call("function g(uint256 a, uint256 b)", [1, 2]));
  assert.match(otherFunction.sentence, /^selector: 0x[0-9a-f]{8} attested, 0x[0-9a-f]{8} in the call$/);
  assert.match(between(attested, "0x").sentence, /^calldata length: 68 bytes attested, 0 bytes in the call; selector/);
});

test("bytes that no argument decodes to are named by word", () => {
  const signature = "function f(uint256 a)";
  const difference = between(call(signature, [1, 2]), call(signature, [1, 3]), parseAbi([signature]) as Abi);
  assert.equal(difference.sentence, "calldata word 2: 0x2 attested, 0x3 in the call");
});

test("shortened values still differ", () => {
  const word = (middle: number): Hex =>
    concat([`0x${"ff".repeat(20)}`, numberToHex(middle, { size: 1 }), `0x${"ff".repeat(15)}`]);
  assert.match(between(word(1), word(2)).sentence, /01.*02/);
  assert.doesNotMatch(between(word(1), word(2)).sentence, /…/);
});

test("what the contract demands is compared too: chain, TaskManager, client and policy", () => {
  const { chainId, taskManager, attestation } = document;
  const { policyClient, policyId, intent } = attestation;
  assert.deepEqual(differences({ document, intent, expected: { chainId, taskManager, policyClient, policyId } }), []);
  const other: Hex = `0x${"77".repeat(20)}`;
  const expected = { chainId: 5n, taskManager: other, policyClient: other, policyId: `0x${"77".repeat(32)}` } as const;
  assert.deepEqual(
    differences({ document, intent, expected }).map(({ field, actual }) => [field, actual]),
    [
      ["chainId", "5"],
      ["taskManager", other],
      ["policyClient", other],
      ["policyId", expected.policyId],
    ],
  );
});

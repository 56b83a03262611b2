import assert from "node:assert/strict";
import { test } from "node:test";
import { BaseError, type Hex, concat, encodeErrorResult, getAddress, parseAbi } from "viem";
import {
  InvalidFieldError,
  MalformedAuthorizationError,
  type Refusal,
  RefusedError,
  decodeRefusal,
  guidance,
  protocolErrors,
} from "@assent/viem";
import { artifact, repositoryFile } from "./anvil.js";
import { Random } from "./random.js";

const random = new Random("refusals");

/** Some value of each type that the errors carry. */
function some(type: string): bigint | number | Hex {
  if (type === "address") return getAddress(random.address());
  if (type === "bytes32") return random.bytes(32);
  const bits = Number(/^uint(\d+)$/.exec(type)?.[1] ?? assert.fail(type));
  const value = BigInt(random.bytes(bits / 8));
  return bits > 48 ? value : Number(value);
}

function encoded(error: (typeof protocolErrors)[number], values: readonly unknown[]): Hex {
  return encodeErrorResult({ abi: [error], errorName: error.name, args: values } as never);
}

const spent = encodeErrorResult({
  abi: protocolErrors,
  errorName: "AttestationAlreadySpent",
  args: [`0x${"22".repeat(20)}`, 258n],
});

test("every error of the protocol is decoded with its arguments, a sentence and what to do", () => {
  assert.equal(protocolErrors.length, 31);
  for (const error of protocolErrors) {
    const values = error.inputs.map(({ type }) => some(type));
    const refusal = decodeRefusal(encoded(error, values)) ?? assert.fail(error.name);
    assert.equal(refusal.name, error.name);
    assert.deepEqual(refusal.args, Object.fromEntries(error.inputs.map(({ name }, place) => [name, values[place]])));
    for (const value of values) assert(refusal.explanation.includes(String(value)), `${error.name} hides ${value}`);
    assert.doesNotMatch(refusal.explanation, /[{}]|undefined/);
    assert.match(refusal.remedy, /^[A-Z].*\.$/s);
    assert.equal(refusal.revertData, encoded(error, values));
  }
});

test("the kinds tell who can do something about it", () => {
  const kind = (data: Hex) => decodeRefusal(data)?.kind;
  assert.equal(kind(spent), "check");
  assert.equal(kind(encodeErrorResult({ abi: protocolErrors, errorName: "InsufficientGas" })), "chain");
  const administrative = encodeErrorResult({ abi: protocolErrors, errorName: "AssentAlreadyInitialized" });
  assert.equal(kind(administrative), "administration");
});

test("whatever the contracts of a protected call can revert with is decoded, but for what is their own", () => {
  const errorsOf = (name: string) => artifact(name).abi.flatMap((item) => (item.type === "error" ? [item.name] : []));
  const known = new Set<string>(protocolErrors.map(({ name }) => name));
  const unknown = (name: string) => errorsOf(name).filter((error) => !known.has(error));
  assert.deepEqual(unknown("PolicyClient"), []);
  // A public key's, which a signature's check never meets.
  assert.deepEqual(unknown("TaskManager"), ["EmptyDomainSeparationTag", "PointNotInSubgroup", "PointNotOnCurve"]);
});

test("every error says what contracts/interfaces/errors.json says", () => {
  const errors = JSON.parse(repositoryFile("contracts/interfaces/errors.json")) as { name: string; sentence: string }[];
  const explanations = Object.entries(guidance).map(([name, { explanation }]) => [name, explanation]);
  assert.deepEqual(explanations, errors.map(({ name, sentence }) => [name, sentence]));
  assert.deepEqual(errors.map(({ name }) => name), protocolErrors.map(({ name }) => name));
});

test("a refusal is found in whatever carries the revert data", () => {
  const withField = (fields: object) => Object.assign(new Error("reverted"), fields);
  const carriers: unknown[] = [
    spent,
    spent.toUpperCase().replace("0X", "0x"),
    withField({ data: spent }),
    withField({ raw: spent }),
    withField({ data: { data: spent } }),
    withField({ data: { originalError: { code: 3, data: spent } } }),
    withField({ info: { error: { data: `Reverted ${spent}` } } }),
    new Error("outer", { cause: new BaseError("inner", { cause: withField({ data: spent }) }) }),
  ];
  for (const carrier of carriers) assert.equal(decodeRefusal(carrier)?.name, "AttestationAlreadySpent");
});

test("revert data that is not exactly a protocol error is not decoded", () => {
  const own = encodeErrorResult({ abi: parseAbi(["error NotAgent(address)"]), args: [`0x${"22".repeat(20)}`] });
  const reason = encodeErrorResult({ abi: parseAbi(["error Error(string)"]), args: ["too late"] });
  const cyclic: { cause?: unknown } = {};
  cyclic.cause = cyclic;
  const none = [own, reason, concat([spent, "0x00"]), `${spent}0`, spent.slice(0, 74), spent.slice(0, 10), "0x", ""];
  for (const error of [...none, undefined, null, 7, {}, [], cyclic, new Error(spent)]) {
    assert.equal(decodeRefusal(error), undefined, String(error));
  }
});

test("revert data with an argument that is not canonical is not decoded", () => {
  const dirty = spent.replace("0".repeat(24), `01${"0".repeat(22)}`) as Hex;
  assert.notEqual(dirty, spent);
  assert.equal(decodeRefusal(dirty), undefined);
});

test("a switch over the names is exhaustive and gives the arguments their types", () => {
  const said = (refusal: Refusal): string => {
    switch (refusal.name) {
      case "AttestationAlreadySpent":
        return `nonce ${refusal.args.nonce + 1n} may be free`;
      default:
        return refusal.explanation;
    }
  };
  assert.equal(said(decodeRefusal(spent) ?? assert.fail()), "nonce 259 may be free");
});

test("a refusal's error links this package's documentation, and not viem's page about the action", () => {
  const refusal = decodeRefusal(spent) ?? assert.fail();
  const cause = new BaseError("reverted", { docsPath: "/docs/contract/simulateContract", details: "of the node" });
  const error = new RefusedError({ refusal, cause });
  assert.match(error.message, /^Docs: @assent\/viem\/README\.md#handle-a-refusal$/m);
  assert.doesNotMatch(error.message, /viem\.sh/);
  assert.match(error.message, /^Details: of the node$/m);
  assert.equal(error.cause, cause);
  assert.equal(error.walk(), cause);
  const readme = repositoryFile("packages/viem/README.md");
  assert.match(readme, /^## Handle a refusal$/m);
});

test("every error extends viem's BaseError, with a short message", () => {
  const refusal = decodeRefusal(spent) ?? assert.fail();
  const errors = [
    new InvalidFieldError({ field: "nonce", problem: "negative" }),
    new MalformedAuthorizationError({ field: "epoch", offset: 109, problem: "too short" }),
    new RefusedError({ refusal, cause: new Error("execution reverted") }),
  ];
  assert.deepEqual(
    errors.map((error) => [error instanceof BaseError, error.name, error.shortMessage, error.metaMessages]),
    [
      [true, "InvalidFieldError", "nonce: negative", undefined],
      [
        true,
        "MalformedAuthorizationError",
        "Cannot parse the authorization: too short.",
        ["Field:  epoch", "Offset: 109"],
      ],
      [
        true,
        "RefusedError",
        `The call was refused with AttestationAlreadySpent: ${refusal.explanation}.`,
        [refusal.remedy],
      ],
    ],
  );
});

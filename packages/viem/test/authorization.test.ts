import assert from "node:assert/strict";
import { test } from "node:test";
import { type Hex, concat, size, slice } from "viem";
import {
  type Authorization,
  InvalidFieldError,
  MalformedAuthorizationError,
  authorizationSuffix,
  decodeAuthorization,
  encodeAuthorization,
  parseAttestationDocument,
  splitCalldata,
  withAuthorization,
} from "@assent/viem";
import { repositoryFile } from "./anvil.js";
import { Random } from "./random.js";
import { example } from "./worked-example.js";

const CASES = 200;

function someAuthorization(random: Random): Authorization {
  const attested = {
    taskId: random.bytes(32),
    nonce: random.unsigned(256),
    issuedAt: Number(random.unsigned(48)),
    expiration: Number(random.unsigned(48)),
    decision: random.below(2) === 0 ? "deny" : "allow",
    evidence: random.bytes(32),
    epoch: Number(random.unsigned(32)),
    merkleProof: random.list(random.below(33), () => random.bytes(32)),
  } as const;
  if (random.below(3) === 0) return { ...attested, kind: "recorded" };
  const places = random.list(random.below(12), () => random.below(random.below(2) === 0 ? 16 : 2040));
  const nonSigners = [...new Set(places)].sort((one, other) => one - other);
  return { ...attested, kind: "direct", signature: random.bytes(96), nonSigners };
}

const simple = decodeAuthorization(example("authorization"));
const direct = { ...simple, kind: "direct", signature: `0x${"17".repeat(96)}`, nonSigners: [] } as const;

function malformed(bytes: Hex): MalformedAuthorizationError {
  try {
    decodeAuthorization(bytes);
  } catch (error) {
    assert(error instanceof MalformedAuthorizationError, String(error));
    return error;
  }
  assert.fail(`it parses: ${bytes}`);
}

/** The bytes with one of them replaced. */
function replaced(bytes: Hex, offset: number, byte: number): Hex {
  const digits = byte.toString(16).padStart(2, "0");
  return `0x${bytes.slice(2, 2 + 2 * offset)}${digits}${bytes.slice(4 + 2 * offset)}`;
}

test("what is encoded decodes to the same, and every authorization has one spelling", () => {
  const random = new Random("round trip");
  for (let count = 0; count < CASES; count += 1) {
    const authorization = someAuthorization(random);
    const encoded = encodeAuthorization(authorization);
    assert.deepEqual(decodeAuthorization(encoded), authorization);
    const data = "0xa9059cbb00";
    assert.deepEqual(splitCalldata(withAuthorization({ calldata: data, authorization })), { data, authorization });
  }
});

test("bytes that decode at all encode to the very same", () => {
  const random = new Random("bytes");
  let decoded = 0;
  for (let count = 0; count < CASES; count += 1) {
    const encoded = encodeAuthorization(someAuthorization(random));
    const altered = replaced(encoded, random.below(size(encoded)), random.below(256));
    try {
      assert.equal(encodeAuthorization(decodeAuthorization(altered)), altered);
      decoded += 1;
    } catch (error) {
      assert(error instanceof MalformedAuthorizationError, String(error));
    }
  }
  assert(decoded > CASES / 2, `only ${decoded} of ${CASES} were worth the question`);
});

test("a byte too few or too many does not parse, wherever the authorization is cut", () => {
  const random = new Random("lengths");
  for (let count = 0; count < 20; count += 1) {
    const encoded = encodeAuthorization(someAuthorization(random));
    assert.match(malformed(concat([encoded, "0x00"])).problem, /1 bytes follow/);
    malformed(slice(encoded, 0, size(encoded) - 1));
    malformed(slice(encoded, 0, 1 + random.below(size(encoded) - 1)));
  }
  assert.deepEqual([malformed("0x").field, malformed("0x").offset], ["taskId", 0]);
});

test("what the contracts refuse does not parse, and the error names field and place", () => {
  const encoded = encodeAuthorization(direct);
  const place = ({ field, offset }: MalformedAuthorizationError) => [field, offset];
  assert.deepEqual(place(malformed(replaced(encoded, 76, 2))), ["decision", 76]);
  assert.deepEqual(place(malformed(replaced(encoded, 113, 2))), ["kind", 113]);
  const bitmap = concat([slice(encoded, 0, 210), "0x020100", "0x00"]);
  assert.deepEqual(place(malformed(bitmap)), ["nonSigners", 211]);
  const proof = concat([slice(encoded, 0, 211), "0x21", `0x${"00".repeat(33 * 32)}`]);
  assert.deepEqual(place(malformed(proof)), ["merkleProof", 211]);
});

test("lengths are those of the protocol: 212 bytes, 115 recorded, a bitmap of 255 at most", () => {
  const { signature: _, nonSigners: __, ...attested } = direct;
  assert.equal(size(encodeAuthorization(direct)), 212);
  assert.equal(size(encodeAuthorization({ ...attested, kind: "recorded" })), 115);
  assert.equal(size(encodeAuthorization({ ...direct, nonSigners: [2039] })), 212 + 255);
});

test("non-signers are a set: neither order nor repetition changes the bytes", () => {
  assert.equal(
    encodeAuthorization({ ...direct, nonSigners: [9, 0, 9] }),
    encodeAuthorization({ ...direct, nonSigners: [0, 9] }),
  );
});

test("what no field can hold is refused by the field's name", () => {
  const refused: [string, Authorization][] = [
    ["taskId", { ...direct, taskId: "0x00" }],
    ["nonce", { ...direct, nonce: 1n << 256n }],
    ["nonce", { ...direct, nonce: -1n }],
    ["issuedAt", { ...direct, issuedAt: 2 ** 48 }],
    ["issuedAt", { ...direct, issuedAt: -1 }],
    ["expiration", { ...direct, expiration: 2 ** 48 }],
    ["expiration", { ...direct, expiration: 1.5 }],
    ["decision", { ...direct, decision: "maybe" as "deny" }],
    ["epoch", { ...direct, epoch: 2 ** 32 }],
    ["kind", { ...direct, kind: "lazy" as "direct" }],
    ["signature", { ...direct, signature: "0xzz" }],
    ["nonSigners[1]", { ...direct, nonSigners: [0, 2040] }],
    ["merkleProof", { ...direct, merkleProof: Array.from({ length: 33 }, () => direct.taskId) }],
    ["merkleProof[0]", { ...direct, merkleProof: ["0x"] }],
  ];
  for (const [field, authorization] of refused) {
    const named = (error: unknown) => error instanceof InvalidFieldError && error.field === field;
    assert.throws(() => encodeAuthorization(authorization), named, field);
  }
});

test("calldata without an authorization behind a selector is refused", () => {
  const suffix = authorizationSuffix(direct);
  for (const calldata of ["0x", "0x00", "0x0000", suffix, concat(["0xa9059c", suffix]), "0xa9059cbb0000"] as const) {
    assert.throws(() => splitCalldata(calldata), MalformedAuthorizationError, calldata);
  }
  assert.throws(() => withAuthorization({ calldata: "0xa9059c", authorization: direct }), InvalidFieldError);
  assert.throws(() => withAuthorization({ calldata: "0xa9059cb", authorization: direct }), InvalidFieldError);
});

test("a missing authorization is named, with what to give", () => {
  const missing: [unknown, RegExp][] = [
    [undefined, /missing: give an authorization, as `authorizationOf\(document\)` returns it, or its bytes/],
    [null, /missing/],
    [parseAttestationDocument(repositoryFile("tests/fuzz/corpus/json/seed-document")), /give `authorizationOf/],
    [7, /7 is neither an authorization nor its bytes/],
  ];
  for (const [value, problem] of missing) {
    const named = (error: unknown) =>
      error instanceof InvalidFieldError && error.field === "authorization" && problem.test(error.problem);
    const authorization = value as Authorization;
    assert.throws(() => encodeAuthorization(authorization), named);
    assert.throws(() => authorizationSuffix(authorization), named);
    assert.throws(() => withAuthorization({ calldata: "0xa9059cbb", authorization }), named);
  }
});

test("a transaction with an authorization has nothing behind it", () => {
  const transaction = { to: `0x${"22".repeat(20)}`, data: "0xa9059cbb", value: 1n } as const;
  const attested = withAuthorization({ transaction, authorization: direct });
  const data = withAuthorization({ calldata: "0xa9059cbb", authorization: direct });
  assert.deepEqual(attested, { ...transaction, data, dataSuffix: "0x" });
  const tagged = { ...transaction, dataSuffix: "0xdead" } as const;
  const named = (error: unknown) => error instanceof InvalidFieldError && error.field === "transaction.dataSuffix";
  assert.throws(() => withAuthorization({ transaction: tagged, authorization: direct }), named);
});

test("bytes that are no authorization are not appended to a call", () => {
  const notAnAuthorization = { calldata: "0xa9059cbb", authorization: "0xa9059cbb" } as const;
  assert.throws(() => withAuthorization(notAnAuthorization), MalformedAuthorizationError);
});

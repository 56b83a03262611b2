import assert from "node:assert/strict";
import { test } from "node:test";
import type { Address } from "viem";
import {
  InvalidFieldError,
  attestationDigest,
  authorizationOf,
  decodeAuthorization,
  differences,
  encodeAuthorization,
  intentFor,
  intentToJson,
  parseAttestationDocument,
  recordedAuthorizationOf,
  rootOf,
  taskId,
} from "@assent/viem";
import { repositoryFile } from "./anvil.js";

/** As the Rust verifier writes it. */
const WRITTEN = repositoryFile("tests/fuzz/corpus/json/seed-document");

type Json = { [key: string]: unknown };

/** What is said of the document after a change of it. */
function problem(change: (document: Json, attestation: Json, intent: Json) => void): [string, string] {
  const json = JSON.parse(WRITTEN) as Json & { attestation: Json & { intent: Json } };
  change(json, json.attestation, json.attestation.intent);
  try {
    parseAttestationDocument(json);
  } catch (error) {
    assert(error instanceof InvalidFieldError, String(error));
    return [error.field, error.problem];
  }
  assert.fail("it was read");
}

test("a document is read as the Rust verifier wrote it, with every field", () => {
  const document = parseAttestationDocument(WRITTEN);
  const { attestation, ...rest } = document;
  const json = JSON.parse(WRITTEN) as Json & { attestation: Json & { intent: Json } };
  assert.deepEqual(
    {
      ...rest,
      chainId: String(rest.chainId),
      attestation: {
        ...attestation,
        nonce: String(attestation.nonce),
        intent: JSON.parse(intentToJson(attestation.intent)) as unknown,
      },
    },
    json,
  );
});

test("a document's task id is that of its fields, and its authorizations are derived from it", () => {
  const document = parseAttestationDocument(WRITTEN);
  const { attestation, signature, nonSigners, merkleProof, epoch } = document;
  assert.equal(taskId({ ...document, ...attestation }), attestation.taskId);
  const { intent: _, policyId: __, policyClient: ___, ...travelling } = attestation;
  const direct = { ...travelling, kind: "direct", epoch, signature, nonSigners, merkleProof };
  assert.deepEqual(authorizationOf(document), direct);
  assert.deepEqual(decodeAuthorization(encodeAuthorization(authorizationOf(document))), direct);
  assert.deepEqual(recordedAuthorizationOf(document), { ...travelling, kind: "recorded", epoch, merkleProof });
  assert.notEqual(rootOf(document), attestationDigest(document));
});

test("numbers are read in each of the three spellings, and only in those", () => {
  for (const nonce of [260, "260", "0x104"]) {
    const json = JSON.parse(WRITTEN) as { attestation: Json };
    json.attestation["nonce"] = nonce;
    assert.equal(parseAttestationDocument(json).attestation.nonce, 260n);
  }
  for (const nonce of ["", "0x", "1_000", "-1", " 1", "1e3", 1.5, -1, null, true, {}, []]) {
    assert.deepEqual(problem((_, attestation) => (attestation["nonce"] = nonce))[0], "attestation.nonce");
  }
});

test("a number that lost digits in JSON.parse is refused, not rounded", () => {
  const [field, reason] = problem((_, attestation) => (attestation["nonce"] = JSON.parse("9007199254740993")));
  assert.equal(field, "attestation.nonce");
  assert.match(reason, /loses digits: write it as a string/);
});

test("what is wrong with a document is said by field", () => {
  const cases: [string, RegExp, (document: Json, attestation: Json, intent: Json) => void][] = [
    ["document", /field epoch is missing/, (document) => delete document["epoch"]],
    ["document", /unknown field "epochs"/, (document) => (document["epochs"] = 1)],
    ["taskManager", /19 bytes, expected 20/, (document) => (document["taskManager"] = `0x${"11".repeat(19)}`)],
    ["epoch", /does not fit uint32/, (document) => (document["epoch"] = 2 ** 32)],
    ["signature", /95 bytes/, (document) => (document["signature"] = `0x${"11".repeat(95)}`)],
    ["nonSigners", /not a list/, (document) => (document["nonSigners"] = "0x01")],
    ["nonSigners[0]", /operator 2040/, (document) => (document["nonSigners"] = [2040])],
    ["merkleProof", /33 entries/, (document) => (document["merkleProof"] = Array(33).fill(`0x${"00".repeat(32)}`))],
    ["attestation", /not an object/, (document) => (document["attestation"] = [])],
    ["attestation.decision", /1 is neither "allow" nor "deny"/, (_, attestation) => (attestation["decision"] = 1)],
    ["attestation", /field issuedAt is missing/, (_, attestation) => delete attestation["issuedAt"]],
    ["attestation.issuedAt", /uint48/, (_, attestation) => (attestation["issuedAt"] = 2 ** 48)],
    ["attestation.expiration", /uint48/, (_, attestation) => (attestation["expiration"] = 2 ** 48)],
    ["attestation.intent", /unknown field "gas"/, (_, __, intent) => (intent["gas"] = 1)],
    ["attestation.intent.data", /not hex/, (_, __, intent) => (intent["data"] = "0xabc")],
    [
      "attestation.intent.from",
      /checksum \(EIP-55\).* write 0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045$/,
      (_, __, intent) => (intent["from"] = "0xD8dA6BF26964aF9D7eEd9e03E53415D37aA96045"),
    ],
  ];
  for (const [field, reason, change] of cases) {
    const [actualField, actualReason] = problem(change);
    assert.equal(actualField, field);
    assert.match(actualReason, reason);
  }
  assert.throws(() => parseAttestationDocument("{"), InvalidFieldError);
  assert.throws(() => parseAttestationDocument(undefined), InvalidFieldError);
});

test("an address's letters of one case carry no checksum, and those of both cases must match it", () => {
  const address: Address = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045";
  const upper: Address = `0x${address.slice(2).toUpperCase()}`;
  const call = { to: address, data: "0x", chainId: 1 } as const;
  for (const from of [address, address.toLowerCase() as Address, upper]) {
    assert.equal(intentFor({ ...call, from }).from, address);
  }
  const mistyped: Address = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96046";
  assert.throws(() => intentFor({ ...call, from: mistyped }), InvalidFieldError);
});

test("a call that differs from what was attested is told field by field", () => {
  const document = parseAttestationDocument(WRITTEN);
  const { intent } = document.attestation;
  assert.deepEqual(differences({ document, intent }), []);
  const changed = { ...intent, value: 251n, data: `${intent.data}00` } as const;
  const found = differences({ document, intent: changed });
  assert.deepEqual(
    found.map(({ field, attested, actual }) => ({ field, attested, actual })),
    [
      { field: "intent.value", attested: "250", actual: "251" },
      { field: "intent.data", attested: intent.data, actual: changed.data },
    ],
  );
  assert.equal(found[0]?.sentence, "value: 250 attested, 251 in the call");
});

test("a document that contradicts itself is told from one that is about another call", () => {
  const document = parseAttestationDocument(WRITTEN);
  const contradictory = { ...document, attestation: { ...document.attestation, nonce: 1n } };
  assert.deepEqual(
    differences({ document: contradictory, intent: document.attestation.intent }).map(({ field }) => field),
    ["taskId"],
  );
});

test("an intent is handed out with every digit", () => {
  const ends = { from: `0x${"44".repeat(20)}`, to: `0x${"55".repeat(20)}` } as const;
  const intent = intentFor({ ...ends, value: (1n << 256n) - 1n, data: "0xABCD", chainId: 31337 });
  assert.deepEqual(JSON.parse(intentToJson(intent)), {
    ...ends,
    value: "115792089237316195423570985008687907853269984665640564039457584007913129639935",
    data: "0xabcd",
    chainId: "31337",
  });
});

test("an intent that no call can be is refused by field", () => {
  const call = { from: `0x${"44".repeat(20)}`, to: `0x${"55".repeat(20)}`, data: "0x", chainId: 1 } as const;
  const named = (field: string) => (error: unknown) => error instanceof InvalidFieldError && error.field === field;
  assert.throws(() => intentFor({ ...call, value: -1n }), named("intent.value"));
  assert.throws(() => intentFor({ ...call, chainId: 1.5 }), named("intent.chainId"));
  assert.throws(() => intentFor({ ...call, data: "0xa" }), named("intent.data"));
  assert.throws(() => intentFor({ ...call, from: "0x44" }), named("intent.from"));
  assert.throws(() => intentFor({ ...call, to: undefined as unknown as "0x" }), named("intent.to"));
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { domainSeparator } from "viem";
import {
  type Attestation,
  type AttestationDocument,
  attestationDigest,
  attestationTypes,
  authorizationOf,
  decodeAuthorization,
  eip712Domain,
  encodeAuthorization,
  hashIntent,
  intentFor,
  intentTypes,
  recordedAuthorizationOf,
  rootOf,
  splitCalldata,
  taskId,
  withAuthorization,
} from "@assent/viem";
import { TestOperator, aggregateSignatures, signAttestation } from "@assent/viem/testing";
import { repositoryFile } from "./anvil.js";
import { example } from "./worked-example.js";

const domain = { chainId: BigInt(example("chainId")), taskManager: example("taskManager") };
const intent = intentFor({
  from: example("intent.from"),
  to: example("policyClient"),
  value: BigInt(example("intent.value")),
  data: example("intent.data"),
  chainId: domain.chainId,
});
const attestation: Attestation = {
  taskId: example("taskId"),
  policyId: example("policyId"),
  policyClient: example("policyClient"),
  nonce: BigInt(example("nonce")),
  issuedAt: Number(example("issuedAt")),
  expiration: Number(example("expiration")),
  decision: "allow",
  evidence: example("evidence"),
  intent,
};
const document: AttestationDocument = {
  ...domain,
  attestation,
  epoch: 5,
  signature: example("aggregate signature"),
  nonSigners: [0],
  merkleProof: [],
};

test("the worked example's hashes are recomputed", () => {
  const { policyClient, policyId, nonce } = attestation;
  assert.equal(hashIntent(intent), example("intentHash"));
  assert.equal(taskId({ ...domain, policyClient, policyId, intent, nonce }), example("taskId"));
  assert.equal(domainSeparator({ domain: eip712Domain(domain) }), example("domain separator"));
  assert.equal(attestationDigest(document), example("digest = root"));
  assert.equal(rootOf(document), example("digest = root"));
});

test("the worked example's authorizations are those derived from its document", () => {
  const authorization = authorizationOf(document);
  assert.equal(encodeAuthorization(authorization), example("authorization"));
  assert.deepEqual(decodeAuthorization(example("authorization")), authorization);
  const recorded = recordedAuthorizationOf(document);
  assert.equal(encodeAuthorization(recorded), example("recorded authorization"));
  assert.deepEqual(decodeAuthorization(example("recorded authorization")), recorded);
  assert.equal(withAuthorization({ calldata: intent.data, authorization }), example("trailing calldata"));
  const encoded = { calldata: intent.data, authorization: example("authorization") };
  assert.equal(withAuthorization(encoded), example("trailing calldata"));
  assert.deepEqual(splitCalldata(example("trailing calldata")), { data: intent.data, authorization });
});

test("a third implementation of the curve makes the worked example's key, signature and proof", () => {
  const signatures = [2, 3].map((seed) => new TestOperator(seed).sign(example("digest = root")));
  assert.equal(aggregateSignatures(signatures), example("aggregate signature"));
  assert.equal(new TestOperator(1).publicKey(), example("public key of 1"));
  const proof = new TestOperator(1).provePossession(example("possession digest of 1"));
  assert.equal(proof, example("possession proof of 1"));
});

test("test operators sign the worked example's document", () => {
  const operators = [1, 2, 3].map((seed) => new TestOperator(seed));
  const { taskId: _, ...attested } = attestation;
  const signed = signAttestation({ ...domain, attestation: attested, epoch: 5, operators, nonSigners: [0] });
  assert.deepEqual(signed, document);
});

test("the EIP-712 types are those of the TaskManager's source", () => {
  // Adjacent string literals are one in Solidity.
  const source = repositoryFile("contracts/TaskManager.sol").replace(/"\s+"/g, "");
  const encoded = (name: string, types: Record<string, readonly { name: string; type: string }[]>) =>
    (types[name] ?? assert.fail()).map((field) => `${field.type} ${field.name}`).join();
  const intentType = `Intent(${encoded("Intent", intentTypes)})`;
  assert(source.includes(`keccak256("${intentType}")`), intentType);
  const attestationType = `Attestation(${encoded("Attestation", attestationTypes)})${intentType}`;
  assert(source.includes(`"${attestationType}"`), attestationType);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hex } from "viem";
import { InvalidFieldError, policyId, rulesHash } from "@assent/viem";
import { repositoryFile } from "./anvil.js";

type Opening = {
  readonly policyId: Hex;
  readonly image: Hex;
  readonly rules: Hex;
  readonly stepLimit: number | string;
  readonly parameters: Hex;
};

/** As the crate assent-policy writes them; the Solidity library reads them too. */
const { openings } = JSON.parse(repositoryFile("tests/forge/policy/evidence.json")) as { openings: readonly Opening[] };

test("policies have the ids that Solidity and Rust give them", () => {
  assert(openings.length > 10, `${openings.length} openings`);
  for (const { image, rules: content, stepLimit, parameters, policyId: expected } of openings) {
    const rules = rulesHash({ image, content, stepLimit: BigInt(stepLimit) });
    assert.equal(policyId({ rules, parameters }), expected);
    assert.notEqual(policyId({ rules: parameters, parameters: rules }), expected);
  }
});

test("a hash of another length is refused by its name", () => {
  const hash: Hex = `0x${"11".repeat(32)}`;
  assert.equal(policyId({ rules: hash, parameters: hash }).length, 66);
  assert.throws(() => policyId({ rules: "0x1122", parameters: hash }), InvalidFieldError);
  assert.throws(() => policyId({ rules: hash, parameters: `${hash}00` }), /parameters/);
  assert.throws(() => rulesHash({ image: hash, content: hash, stepLimit: 2n ** 64n }), /stepLimit/);
});

import { type Hex, encodeAbiParameters, keccak256, toHex } from "viem";
import { bytesIn, unsignedIn } from "./fields.js";

/** The EIP-712 style types that policies are hashed by. */
const RULES_TYPE_HASH = keccak256(toHex("Rules(bytes32 image,bytes32 content,uint64 stepLimit)"));
const POLICY_TYPE_HASH = keccak256(toHex("Policy(bytes32 rules,bytes32 parameters)"));

export type RulesHashParameters = {
  /** The root of the evaluator's image. */
  readonly image: Hex;
  /** The root of the rules' region. */
  readonly content: Hex;
  /** The most steps of a decision. */
  readonly stepLimit: bigint | number;
};

export type PolicyIdParameters = {
  /** The hash of the rules, as `assent policy build` prints it. */
  readonly rules: Hex;
  /** The root of the parameters' region, as `assent policy build` prints it. */
  readonly parameters: Hex;
};

/** Returns the hash of rules, which a policy's id commits to. */
export function rulesHash({ image, content, stepLimit }: RulesHashParameters): Hex {
  const words = [bytesIn("image", image, 32), bytesIn("content", content, 32)] as const;
  const types = [{ type: "bytes32" }, { type: "bytes32" }, { type: "bytes32" }, { type: "uint64" }] as const;
  return keccak256(encodeAbiParameters(types, [RULES_TYPE_HASH, ...words, unsignedIn("stepLimit", stepLimit, 64)]));
}

/** Returns the id of the policy with these rules and parameters. */
export function policyId({ rules, parameters }: PolicyIdParameters): Hex {
  const types = [{ type: "bytes32" }, { type: "bytes32" }, { type: "bytes32" }] as const;
  const words = [bytesIn("rules", rules, 32), bytesIn("parameters", parameters, 32)] as const;
  return keccak256(encodeAbiParameters(types, [POLICY_TYPE_HASH, ...words]));
}

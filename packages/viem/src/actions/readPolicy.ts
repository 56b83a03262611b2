import type { Address, Client, Hex } from "viem";
import { readContract } from "viem/actions";
import { policyClientAbi } from "../abi.js";

export type ReadPolicyParameters = {
  /** The protected contract. */
  readonly policyClient: Address;
};

/** What a protected contract is bound to. */
export type ReadPolicyReturnType = {
  /** The policy that decides about its calls. */
  readonly policyId: Hex;
  /** The operator set whose quorum decides. */
  readonly operatorSet: number;
  /** The minimum share of the set's weight, in basis points. */
  readonly quorum: number;
  /** The longest that an attestation is valid, in seconds. */
  readonly maxLifetime: number;
};

/**
 * Reads the policy that a protected contract is bound to. Without one, every call is refused.
 *
 * @param client - Client to use
 * @param parameters - {@link ReadPolicyParameters}
 * @returns The policy; undefined if none is set. {@link ReadPolicyReturnType}
 * @throws viem's error when the node does not answer, or the contract is not a policy client
 */
export async function readPolicy(
  client: Client,
  { policyClient }: ReadPolicyParameters,
): Promise<ReadPolicyReturnType | undefined> {
  const policy = await readContract(client, {
    abi: policyClientAbi,
    address: policyClient,
    functionName: "assentPolicy",
  });
  return BigInt(policy.policyId) === 0n ? undefined : policy;
}

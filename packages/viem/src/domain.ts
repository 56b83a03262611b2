import type { Address } from "viem";
import { addressIn, unsignedIn } from "./fields.js";

/** The domain in which an attestation is valid: one TaskManager on one chain. */
export type AttestationDomain = {
  readonly chainId: bigint | number;
  readonly taskManager: Address;
};

/** The EIP-712 domain. */
export type Eip712Domain = {
  readonly name: "Assent";
  readonly version: "1";
  readonly chainId: bigint;
  readonly verifyingContract: Address;
};

/** The EIP-712 type of the domain: wallets and nodes need it among the types. */
export const eip712DomainTypes = {
  EIP712Domain: [
    { name: "name", type: "string" },
    { name: "version", type: "string" },
    { name: "chainId", type: "uint256" },
    { name: "verifyingContract", type: "address" },
  ],
} as const;

/** Returns the EIP-712 domain in which operators sign. */
export function eip712Domain(domain: AttestationDomain): Eip712Domain {
  return {
    name: "Assent",
    version: "1",
    chainId: unsignedIn("chainId", domain.chainId, 256),
    verifyingContract: addressIn("taskManager", domain.taskManager),
  };
}

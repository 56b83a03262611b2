// Generated from contracts/interfaces/errors.json by xtask/tests/errors.rs.
import type { RefusalName } from "./errors/protocol.js";

/** What each error means, and what to do next. The Rust verifier says the same. */
export const guidance = {
  PolicyNotSet: {
    explanation: "the client has no TaskManager or no policy",
    remedy: "Have the client's owner set both with `setAssentTaskManager` and `setAssentPolicy`.",
  },
  MalformedAuthorization: {
    explanation: "the authorization does not parse",
    remedy:
      "Send the authorization's bytes unchanged: something on the way may have dropped or appended some; " +
      "`withAuthorization` and `sendAttested` append them.",
  },
  WrongChain: {
    explanation: "the intent is for chain {actual}, but this is chain {expected}",
    remedy: "Send to a node of the intent's chain, or have the call attested for this one.",
  },
  WrongSender: {
    explanation: "the intent is from {actual}, but the caller is {expected}",
    remedy: "Send from the account that the intent names, or have the call attested for the caller.",
  },
  WrongTask: {
    explanation: "the authorization is for task {actual}, but this call under this policy is task {expected}",
    remedy:
      "Compare the call with what was attested: caller, contract, value, calldata, nonce, chain or policy " +
      "differs; with the document, the error of `sendAttested` names each field that differs.",
  },
  AttestationNotYetValid: {
    explanation: "the attestation was issued at {issuedAt} (Unix seconds); the time is {timestamp}",
    remedy: "Send the call once that time has come: the operators issued it ahead of this chain.",
  },
  AttestationExpired: {
    explanation: "the attestation expired at {expiration} (Unix seconds); the time is {timestamp}",
    remedy: "Have the call attested again, and send it before it expires.",
  },
  LifetimeTooLong: {
    explanation:
      "the attestation expires at {expiration} (Unix seconds); issued when it was, the policy accepts {latest} " +
      "at most",
    remedy: "Have the call attested with an expiration within the policy's `maxLifetime`.",
  },
  AttestationVoided: {
    explanation:
      "the attestation was issued at {issuedAt} (Unix seconds), and the client voided all issued before {floor}",
    remedy: "Have the call attested again, at that time or later.",
  },
  AttestationAlreadySpent: {
    explanation: "nonce {nonce} of client {policyClient} was used or burned",
    remedy: "An attestation can be used only once: have the call attested with a new nonce.",
  },
  UnknownEpoch: {
    explanation: "epoch {epoch} is not an epoch of the policy's operator set",
    remedy:
      "Have the call attested by the policy's operators. If the OperatorRegistry has this epoch, publish it to " +
      "the TaskManager with `addValidator` and `publishEpoch`.",
  },
  EpochExpired: {
    explanation:
      "epoch {epoch} expired at {validUntil} (Unix seconds): its lifetime is over, or it was superseded and its " +
      "grace period is over",
    remedy: "Have the call attested under the current epoch.",
  },
  EpochRevoked: {
    explanation: "epoch {epoch} was revoked",
    remedy: "Have the call attested under the current epoch.",
  },
  RootNotRecorded: {
    explanation: "root {root} is not recorded under epoch {epoch}",
    remedy:
      "Record the root, or send the authorization that carries the signature; `authorizationOf(document)` " +
      "carries the signature.",
  },
  ExpirationBeyondEpoch: {
    explanation: "the attestation expires at {expiration} (Unix seconds), after its epoch's end at {epochEnd}",
    remedy:
      "Send the authorization that carries the signature while the epoch is in force, or have the call attested " +
      "with an expiration within the epoch; `authorizationOf(document)` carries the signature.",
  },
  NonSignerOutOfRange: {
    explanation: "the bitmap of non-signers names an operator that is not in the epoch",
    remedy: "Aggregate the signatures again, with the indices and the number of the epoch whose operators signed.",
  },
  QuorumNotReached: {
    explanation: "operators with weight {signed} signed, but the quorum is {required}",
    remedy: "Have more operators sign.",
  },
  MalformedSignature: {
    explanation: "the signature does not encode a point of G1's prime-order subgroup other than infinity",
    remedy: "Use the signature as it was aggregated: 96 bytes, uncompressed, without flag bits.",
  },
  InvalidSignature: {
    explanation: "the operators that the authorization names as signers did not sign this attestation",
    remedy:
      "Use the nonce, expiration, decision, evidence, epoch and non-signers that the operators signed with: one " +
      "was changed, or the signature is forged.",
  },
  PolicyDenied: {
    explanation: "the operators found that the policy forbids task {taskId}",
    remedy: "Change the call so that the policy allows it, and have it attested.",
  },
  PrecompileMissing: {
    explanation: "the chain has no precompile at {precompile}, so no signature can be verified",
    remedy: "Use a chain with the BLS12-381 precompiles of EIP-2537 (Prague); a local node may need another hardfork.",
  },
  InsufficientGas: {
    explanation: "the gas left is too little to verify the signature",
    remedy: "Send the call with more gas: estimate it with the authorization appended; `sendAttested` does so.",
  },
  AssentAlreadyInitialized: {
    explanation: "the client already has its TaskManager and policy",
    remedy: "Change them as the contract's owner with `setAssentTaskManager` and `setAssentPolicy`.",
  },
  AssentInvalidTaskManager: {
    explanation: "the TaskManager {taskManager} is not a contract",
    remedy: "Give the address of a TaskManager that is deployed on this chain.",
  },
  AssentInvalidPolicy: {
    explanation:
      "policy {policyId} of operator set {operatorSet} with a quorum of {quorum} basis points and a lifetime of " +
      "{maxLifetime} seconds is invalid",
    remedy:
      "Give a policy with a non-zero id, an operator set below 67108864, a quorum of 5001 to 10000 basis points " +
      "and a lifetime of 1 to 2592000 seconds.",
  },
  AssentArgumentsNotExact: {
    explanation: "the calldata before the authorization is not the function's arguments as they are encoded",
    remedy: "Have exactly the encoded call attested, with nothing missing and nothing after the arguments.",
  },
  AssentWrongValue: {
    explanation: "the caller sends {actual} wei with an intent of value {expected}",
    remedy: "Send the intent's value, or none: then the client pays it.",
  },
  AssentInvalidFloor: {
    explanation:
      "the issuance floor {newFloor} (Unix seconds) is invalid: the current floor is {currentFloor}, the latest " +
      "allowed {latest}",
    remedy: "Give a floor above the current one, and at most 30 days ahead.",
  },
  InstructionMissing: {
    explanation: "the chain lacks the instruction CLZ (EIP-7939), which the TaskManager needs",
    remedy: "Deploy to a chain with the hardfork Osaka; a local node may need another hardfork.",
  },
  NoRoots: {
    explanation: "no root is given to record",
    remedy: "Give at least one signed root.",
  },
  NotOperatorRegistry: {
    explanation: "{caller} is not the operator registry, and only the registry updates epochs",
    remedy: "Use the OperatorRegistry: `commitEpoch`, `revokeEpochs`, `publishEpoch`.",
  },
} as const satisfies Record<RefusalName, { readonly explanation: string; readonly remedy: string }>;

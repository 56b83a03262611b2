import type { RefusalName } from "./refusal.js";

/**
 * What each error means, and what to do next. The explanations of refusals are the Rust verifier's, word for word:
 * whoever reads both logs sees one sentence.
 */
export const guidance = {
  PolicyNotSet: {
    explanation: "the client has been given no TaskManager and policy",
    remedy:
      "The contract's owner must set both (setAssentTaskManager, setAssentPolicy); a proxy's initialiser may not have run.",
  },
  MalformedAuthorization: {
    explanation: "the authorization does not parse, or names an operator that the epoch does not have",
    remedy: "Send the calldata through withAuthorization or sendAttested; a wallet may have dropped or appended bytes.",
  },
  WrongChain: {
    explanation: "the intent is for chain {actual}, not for chain {expected}",
    remedy: "Switch the client to the intent's chain, or have the intent attested for this one.",
  },
  WrongSender: {
    explanation: "the caller is {actual}, not the intent's sender {expected}",
    remedy: "Send from the intent's account, or have the intent attested for the account that calls.",
  },
  WrongTask: {
    explanation: "the authorization is for task {actual}, but this call under this policy is task {expected}",
    remedy:
      "Something differs from what was attested: sender, contract, value, a byte of the calldata, chain or policy. " +
      "differences(document, intent) names it.",
  },
  AttestationExpired: {
    explanation: "the attestation expired at {expiration} (Unix seconds); it is {timestamp}",
    remedy: "Ask the operators for a new attestation of the same intent.",
  },
  LifetimeTooLong: {
    explanation: "the attestation expires at {expiration} (Unix seconds), later than {latest}, the policy's latest now",
    remedy: "Ask for an attestation that expires within the policy's maxLifetime, or wait.",
  },
  AttestationAlreadySpent: {
    explanation: "nonce {nonce} of client {policyClient} was used or burned",
    remedy:
      "Look whether the call went through already; if it must be made again, have it attested with an unused nonce.",
  },
  UnknownEpoch: {
    explanation: "epoch {epoch} is not one of the policy's operator set",
    remedy:
      "Ask the policy's operators for an attestation. If the OperatorRegistry has this epoch, its TaskManager may " +
      "not know it yet: addValidator and publishEpoch.",
  },
  EpochExpired: {
    explanation: "epoch {epoch} expired at {validUntil} (Unix seconds): it was superseded, and its grace period is over",
    remedy: "Ask for an attestation by the operators of the current epoch.",
  },
  EpochRevoked: {
    explanation: "epoch {epoch} was revoked",
    remedy: "Ask for an attestation by the operators of the current epoch.",
  },
  RootNotRecorded: {
    explanation: "root {root} is not recorded under epoch {epoch}",
    remedy:
      "Have the root recorded (recordRoot), or send the authorization that carries the signature: " +
      "authorizationOf(document).",
  },
  QuorumNotReached: {
    explanation: "operators with weight {signed} signed; the quorum is {required}",
    remedy: "Ask for an attestation that more operators have signed.",
  },
  MalformedSignature: {
    explanation: "the signature is not the encoding of a point of G1's subgroup other than infinity",
    remedy:
      "The signature was altered on the way, or its encoding is wrong: 96 bytes, uncompressed, without flag bits.",
  },
  InvalidSignature: {
    explanation: "the operators said to have signed did not sign this attestation",
    remedy:
      "A field beside the call was altered (nonce, expiration, decision, evidence, epoch, non-signers), or the " +
      "signature is forged.",
  },
  PolicyDenied: {
    explanation: "the operators found that the policy forbids task {taskId}",
    remedy: "Do not repeat the call: change it so that the policy allows it, and have that attested.",
  },
  PrecompileMissing: {
    explanation: "the chain does not have the precompile {precompile}, without which no signature can be checked",
    remedy: "Use a chain with the BLS12-381 precompiles of EIP-2537 (Prague); a local node may need another hardfork.",
  },
  InsufficientGas: {
    explanation: "too little gas is left to check the signature",
    remedy: "Send the call with more gas: estimate it with the authorization in place, as sendAttested does.",
  },
  AssentAlreadyInitialized: {
    explanation: "the client has its TaskManager and policy already",
    remedy: "The contract's owner changes them with setAssentTaskManager and setAssentPolicy.",
  },
  AssentInvalidTaskManager: {
    explanation: "the TaskManager {taskManager} is not a contract",
    remedy: "Give the address of a TaskManager that is deployed on this chain.",
  },
  AssentInvalidPolicy: {
    explanation:
      "no client takes policy {policyId} with a quorum of {quorum} basis points and lifetimes of {maxLifetime} seconds",
    remedy: "A policy needs an id, a quorum of 5001 to 10000 basis points and a lifetime above zero.",
  },
  NotOperatorRegistry: {
    explanation: "{caller} is not the operator registry, the only account that publishes epochs",
    remedy: "Use the OperatorRegistry: commitEpoch, revokeEpoch, publishEpoch.",
  },
  InstructionMissing: {
    explanation: "the chain lacks the instruction CLZ (EIP-7939), which the TaskManager needs",
    remedy: "Deploy to a chain with the hardfork Osaka; a local node may need another hardfork.",
  },
} as const satisfies Record<RefusalName, { readonly explanation: string; readonly remedy: string }>;

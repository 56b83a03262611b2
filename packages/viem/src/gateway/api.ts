// Made from the gateway's OpenRPC document by scripts/generate-gateway.mjs: `npm run generate`.
import type { Address, Hex } from "viem";

/** An operator whose signature is missing. */
export type GatewayAbsentSigner = {
  /** A refusal's code, notConnected, olderVersion, silent, differs or invalid. */
  readonly code: string;
  readonly message: string;
  readonly operator: Address;
  /** Whether it may sign later. */
  readonly retryable: boolean;
};

/** The attestation in full, as docs/protocol.md specifies it. */
export type GatewayAttestationDocument = {
  readonly attestation: {
    readonly decision: GatewayDecision;
    readonly evidence: Hex;
    readonly expiration: GatewayTime;
    readonly intent: GatewayIntent;
    readonly issuedAt: GatewayTime;
    readonly nonce: GatewayQuantity;
    readonly policyClient: Address;
    readonly policyId: Hex;
    readonly taskId: Hex;
  };
  readonly chainId: GatewayQuantity;
  readonly epoch: number;
  readonly merkleProof: readonly Hex[];
  readonly nonSigners: readonly number[];
  readonly signature: Hex;
  readonly taskManager: Address;
};

/** A task that a quorum decided, be it to allow or to deny. */
export type GatewayAttestedTask = {
  readonly authorization: Hex;
  readonly block: GatewayBlock;
  readonly decision: GatewayDecision;
  readonly document: GatewayAttestationDocument;
  readonly epoch: number;
  readonly evidence: Hex;
  readonly expiration: GatewayTime;
  readonly intent: GatewayIntent;
  readonly nonSigners?: readonly Address[];
  readonly nonce: GatewayQuantity;
  readonly policyClient: Address;
  readonly policyId: Hex;
  /** Why the call is denied, as an operator gave it; the evidence has them signed. */
  readonly reasons: readonly string[];
  readonly signers?: readonly Address[];
  readonly status: "attested";
  readonly taskId: Hex;
  readonly timings?: GatewayTimings;
};

/** A share in basis points. */
export type GatewayBasisPoints = number;

/** A task's reference block. */
export type GatewayBlock = {
  readonly hash: Hex;
  readonly number: number;
  readonly timestamp: GatewayTime;
};

/** True or false. */
export type GatewayBoolean = boolean;

/** What the policy decided. */
export type GatewayDecision = "allow" | "deny";

/** What the operator declared to the allowlist of its set, which nothing verifies; for people. */
export type GatewayDeclaration = string;

/** The number of an epoch. */
export type GatewayEpochNumber = number;

/** An evidence file, which `assent evidence replay` repeats. */
export type GatewayEvidence = Readonly<Record<string, unknown>>;

/** A task that ended without an attestation. */
export type GatewayFailedTask = {
  readonly block: GatewayBlock;
  readonly epoch: number;
  readonly expiration: GatewayTime;
  readonly failure: GatewayFailure;
  readonly intent: GatewayIntent;
  readonly nonce: GatewayQuantity;
  readonly policyClient: Address;
  readonly policyId: Hex;
  readonly status: "failed";
  readonly taskId: Hex;
  readonly timings?: GatewayTimings;
};

/** Why a task has no attestation. */
export type GatewayFailure = {
  readonly code: "unavailable" | "busy" | "invalid" | "expired" | "noQuorum" | "cancelled" | "refused";
  readonly message: string;
  /** What to do. */
  readonly next: string;
  readonly retryable: boolean;
};

/** What the operators of one epoch say of a later one, as docs/crosschain.md specifies it. */
export type GatewayHandover = {
  readonly committedAt: GatewayTime;
  readonly contentHash: Hex;
  readonly epoch: GatewayEpochNumber;
  readonly expiresAt: GatewayTime;
  readonly homeChain: GatewayQuantity;
  readonly homeRegistry: Address;
  readonly operatorSet: number;
  readonly signedBy: GatewayEpochNumber;
};

/** Whether the gateway can serve requests. */
export type GatewayHealth = {
  /** Missing if the node gives no answer. */
  readonly block?: number;
  readonly chainId: GatewayQuantity;
  readonly connected: number;
  readonly operators: number;
  /** The versions of the messages to operators. */
  readonly protocol: {
    readonly max: number;
    readonly min: number;
  };
  /** How many calls got which error since the gateway started. */
  readonly refusals: ReadonlyArray<{
    readonly code: string;
    readonly count: number;
    readonly lastAt: GatewayMilliseconds;
  }>;
  /** Why new requests get no attestation now; empty if nothing is known against them. */
  readonly refusing: ReadonlyArray<{
    readonly code: "unavailable" | "busy" | "noQuorum";
    readonly message: string;
    /** What the gateway's operator can do. */
    readonly next: string;
  }>;
  readonly status: "ok" | "unavailable";
  readonly taskManager: Address;
  readonly tasks: number;
  readonly version: string;
};

/** A call. */
export type GatewayIntent = {
  readonly chainId: GatewayQuantity;
  readonly data: Hex;
  readonly from: Address;
  readonly to: Address;
  readonly value: GatewayQuantity;
};

/** Unix time in milliseconds. */
export type GatewayMilliseconds = number;

/** An OpenRPC document. */
export type GatewayOpenRpc = Readonly<Record<string, unknown>>;

/** An operator's last answer to the task. */
export type GatewayOperatorTiming = {
  readonly answer: "observed" | "decided" | "signed" | "refused" | "invalid";
  readonly at: GatewayMilliseconds;
  readonly decision?: GatewayDecision;
  readonly operator: Address;
  readonly refusal?: {
    readonly code: string;
    readonly message: string;
    readonly retryable: boolean;
  };
};

/** The operators of the epochs in force. */
export type GatewayOperators = ReadonlyArray<{
  readonly connected: boolean;
  readonly epoch: number;
  readonly lastSeen?: GatewayMilliseconds;
  readonly operator: Address;
  readonly operatorSet: number;
  readonly participation: GatewayParticipation;
  readonly provider?: GatewayDeclaration;
  readonly publicKey: Hex;
  readonly region?: GatewayDeclaration;
  readonly weight: GatewayQuantity;
}>;

/** What a policy's sources answer, by their names. */
export type GatewayOutputs = Readonly<Record<string, unknown>>;

/** How an operator took part in the attested tasks of its epoch, of the 128 that ended last here. */
export type GatewayParticipation = {
  /** Of these, it decided so many. */
  readonly decided: number;
  /** The median time from a task to the operator's decision; missing if it decided none. */
  readonly latencyMillis?: number;
  readonly tasks: number;
};

/** A task that is not decided yet. */
export type GatewayPendingTask = {
  readonly block: GatewayBlock;
  readonly epoch: number;
  readonly expiration: GatewayTime;
  readonly intent: GatewayIntent;
  readonly nonce: GatewayQuantity;
  readonly policyClient: Address;
  readonly policyId: Hex;
  readonly status: "pending";
  readonly taskId: Hex;
  readonly timings?: GatewayTimings;
};

/** A policy's rules with parameters. */
export type GatewayPolicy = {
  /** The address of the built policy. */
  readonly cid: string;
  /** The functions that the policy decides about. */
  readonly functions: ReadonlyArray<{
    /** The function with the names of its parameters. */
    readonly declaration: string;
    /** The first bytes of the calldata; missing for receive(). */
    readonly selector?: string;
    readonly signature: string;
  }>;
  readonly image: Hex;
  readonly name: string;
  /** The client's parameters. */
  readonly parameters: unknown;
  readonly policyId: Hex;
  readonly rules: Readonly<Record<string, unknown>>;
  readonly sources: readonly string[];
  readonly stepLimit: number;
  readonly version: string;
};

/** An integer of up to 256 bits: a decimal or hex string, or a JSON integer. Answers have decimal strings. */
export type GatewayQuantity = string | number;

/** A time in seconds. */
export type GatewaySeconds = number;

/** A handover with the signature of a quorum, which was verified as a mirror does. */
export type GatewaySignedHandover = {
  readonly absent: readonly GatewayAbsentSigner[];
  readonly handover: GatewayHandover;
  readonly nonSigners: Hex;
  readonly signature: Hex;
  readonly signers: readonly Address[];
};

/** What a policy would decide. */
export type GatewaySimulation = {
  readonly blockHash: Hex;
  readonly blockNumber: number;
  readonly decision: GatewayDecision;
  readonly nonce: GatewayQuantity;
  readonly policyId: Hex;
  readonly reasons: readonly string[];
  readonly steps: number;
};

/** A subscription of a connection. */
export type GatewaySubscriptionId = string;

/** A task, and how far it is. */
export type GatewayTask = GatewayPendingTask | GatewayAttestedTask | GatewayFailedTask;

/** Tasks that ended, the latest first. */
export type GatewayTaskSummaries = readonly GatewayTaskSummary[];

/** A task that ended, in short; `assent_getTask` has the rest. */
export type GatewayTaskSummary = {
  readonly decision?: GatewayDecision;
  readonly endedAt: GatewayMilliseconds;
  /** The code of the failure, if it has no attestation. */
  readonly failure?: string;
  readonly policyClient: Address;
  readonly policyId: Hex;
  readonly selector: Hex;
  readonly status: "attested" | "failed";
  readonly taskId: Hex;
};

/** Unix time in seconds. */
export type GatewayTime = number;

/** By the gateway's clock; missing once the gateway has forgotten them. */
export type GatewayTimings = {
  readonly acceptedAt?: GatewayMilliseconds;
  readonly agreedAt?: GatewayMilliseconds;
  readonly decidedAt?: GatewayMilliseconds;
  readonly endedAt?: GatewayMilliseconds;
  readonly operators: readonly GatewayOperatorTiming[];
  readonly receivedAt: GatewayMilliseconds;
};

/** The gateway's methods, each with its parameters by name and its result. */
export type GatewayMethods = {
  /** Asks the operators for an authorization, and waits for their decision. */
  readonly assent_requestAuthorization: {
    readonly parameters: {
      /** The contract that checks the authorization. */
      readonly policyClient: Address;
      /** The call. */
      readonly intent: GatewayIntent;
      /** The nonce; the gateway chooses one if none is given. */
      readonly nonce?: GatewayQuantity | undefined;
      /** The first second at which the attestation is no longer valid. */
      readonly expiration?: GatewayTime | undefined;
      /** How long to wait; the task goes on afterwards. */
      readonly waitSeconds?: GatewaySeconds | undefined;
    };
    readonly result: GatewayAttestedTask;
  };
  /** Asks the operators for an authorization, and returns when the task is durably recorded. */
  readonly assent_submitTask: {
    readonly parameters: {
      /** The contract that checks the authorization. */
      readonly policyClient: Address;
      /** The call. */
      readonly intent: GatewayIntent;
      /** The nonce; the gateway chooses one if none is given. */
      readonly nonce?: GatewayQuantity | undefined;
      /** The first second at which the attestation is no longer valid. */
      readonly expiration?: GatewayTime | undefined;
    };
    readonly result: GatewayTask;
  };
  /** Returns a task and how far it is. */
  readonly assent_getTask: {
    readonly parameters: {
      /** The task. */
      readonly taskId: Hex;
    };
    readonly result: GatewayTask;
  };
  /** Returns up to 50 tasks that ended last on this gateway in short, the latest first. */
  readonly assent_recentTasks: {
    readonly parameters: Readonly<Record<string, never>>;
    readonly result: GatewayTaskSummaries;
  };
  /** Ends a task of the same caller that is not decided yet, and returns it. */
  readonly assent_cancelTask: {
    readonly parameters: {
      /** The task. */
      readonly taskId: Hex;
    };
    readonly result: GatewayTask;
  };
  /** Returns what the client's policy would decide at the latest block; no operator is asked. */
  readonly assent_simulate: {
    readonly parameters: {
      /** The contract that checks the authorization. */
      readonly policyClient: Address;
      /** The call. */
      readonly intent: GatewayIntent;
      /** The nonce; the gateway chooses one if none is given. */
      readonly nonce?: GatewayQuantity | undefined;
      /** What the policy's sources answer, by their names. */
      readonly data?: GatewayOutputs | undefined;
    };
    readonly result: GatewaySimulation;
  };
  /** Returns a policy's rules and parameters. */
  readonly assent_getPolicy: {
    readonly parameters: {
      /** The policy. */
      readonly policyId: Hex;
    };
    readonly result: GatewayPolicy;
  };
  /** Returns the evidence of a decision, which has the hash that was asked for. */
  readonly assent_getEvidence: {
    readonly parameters: {
      /** The hash that the attestation carries. */
      readonly evidence: Hex;
    };
    readonly result: GatewayEvidence;
  };
  /** Asks an epoch's operators for the handover to a later epoch, and returns what a mirror accepts. */
  readonly assent_requestHandover: {
    readonly parameters: {
      /** The epoch that is handed over to. */
      readonly epoch: GatewayEpochNumber;
      /** The epoch whose operators sign; the set's epoch before by default. */
      readonly signedBy?: GatewayEpochNumber | undefined;
      /** The share of its weight that must sign, the mirror's; 6667 by default. */
      readonly quorum?: GatewayBasisPoints | undefined;
    };
    readonly result: GatewaySignedHandover;
  };
  /** Returns the operators of the epochs in force, and which of them are connected. */
  readonly assent_operators: {
    readonly parameters: Readonly<Record<string, never>>;
    readonly result: GatewayOperators;
  };
  /** Returns whether the gateway can serve requests. */
  readonly assent_health: {
    readonly parameters: Readonly<Record<string, never>>;
    readonly result: GatewayHealth;
  };
  /** Notifies of each change of a task, or of each decision, as assent_subscription (WebSocket). */
  readonly assent_subscribe: {
    readonly parameters: {
      /** The task; without one, every task that ends. */
      readonly taskId?: Hex | undefined;
    };
    readonly result: GatewaySubscriptionId;
  };
  /** Ends a subscription, and returns whether there was one (WebSocket). */
  readonly assent_unsubscribe: {
    readonly parameters: {
      /** The subscription. */
      readonly subscription: GatewaySubscriptionId;
    };
    readonly result: GatewayBoolean;
  };
  /** Returns the OpenRPC document of this API. */
  readonly "rpc.discover": {
    readonly parameters: Readonly<Record<string, never>>;
    readonly result: GatewayOpenRpc;
  };
};

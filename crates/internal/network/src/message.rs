//! What operators and gateways say to each other, as `docs/network.md` specifies it.
//!
//! A message is one JSON object. It is written in canonical form, and read only with exactly its own fields.

use core::fmt;

use alloy_primitives::{Address, B256, U256};
use assent_json::Value;
use assent_policy::{MAX_OUTPUT, MAX_SOURCES};
use assent_types::{Decision, EpochId, Intent, Signature};

pub use crate::message_error::{MAX_MESSAGE, MessageError};
use crate::{
    Domain, Task,
    fields::{Fields, hash_of, hex_value, integer_value, invalid, object, wide_value},
};

/// The most bytes of a task's calldata: 64 KiB.
pub const MAX_CALLDATA: usize = 64 * 1024;
/// The most reasons of a decision that a message carries.
pub const MAX_REASONS: usize = 16;
/// The most bytes of one reason, of a refusal's message and of a gateway's name.
pub const MAX_TEXT: usize = 512;
/// The most operators whose observations a message carries, for each source.
pub const MAX_OBSERVERS: usize = 2000;

/// The versions of the messages that this program speaks.
pub const VERSIONS: Versions = Versions { min: 1, max: 3 };
/// The version from which operators sign batches.
pub const BATCHES: u16 = 2;
/// The version from which operators sign handovers.
pub const HANDOVERS: u16 = 3;
/// The most tasks of a batch.
pub const MAX_BATCH: usize = 256;

/// A range of versions of the messages.
// Complete: a range has two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions {
    /// The lowest version.
    pub min: u16,
    /// The highest version.
    pub max: u16,
}

/// Two sides have no version in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no common version of the messages: {ours} here, {theirs} there")]
pub struct NoCommonVersion {
    /// The versions of this side.
    pub ours: Versions,
    /// The versions of the other side.
    pub theirs: Versions,
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.min, self.max)
    }
}

impl Versions {
    /// Returns the highest version that both sides speak.
    ///
    /// # Errors
    ///
    /// [`NoCommonVersion`].
    pub fn negotiate(self, theirs: Self) -> Result<u16, NoCommonVersion> {
        let version = self.max.min(theirs.max);
        if version >= self.min.max(theirs.min) && theirs.min <= theirs.max {
            return Ok(version);
        }
        Err(NoCommonVersion { ours: self, theirs })
    }

    /// Returns whether the range contains a version.
    pub fn contains(self, version: u16) -> bool {
        (self.min..=self.max).contains(&version)
    }
}

/// What an operator says.
// Complete: a further message is another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorMessage {
    /// The first message: who connects, and which versions it speaks.
    Hello {
        /// The versions.
        versions: Versions,
        /// The operator.
        operator: Address,
    },
    /// The answer to a challenge.
    Proof {
        /// The `host:port` that the operator dialled.
        gateway: String,
        /// The signature of the connection's digest.
        signature: Signature,
    },
    /// What the policy's sources answered.
    Observed {
        /// The task.
        task_id: B256,
        /// One for each source.
        observations: Vec<SourceObservation>,
    },
    /// The decision, signed.
    Signed {
        /// The task.
        task_id: B256,
        /// The decision.
        decision: Decision,
        /// The hash of the evidence.
        evidence: B256,
        /// The signature of the attestation's digest.
        signature: Signature,
        /// Why the call is denied.
        reasons: Vec<String>,
    },
    /// The operator does not sign.
    Refused {
        /// The task.
        task_id: B256,
        /// The reason.
        refusal: Refused,
    },
    /// The decision, which the operator signs with a batch. Since version 2.
    Decided {
        /// The task.
        task_id: B256,
        /// The decision.
        decision: Decision,
        /// The hash of the evidence.
        evidence: B256,
        /// Why the call is denied.
        reasons: Vec<String>,
    },
    /// A batch, signed. Since version 2.
    BatchSigned {
        /// The batch's root.
        root: B256,
        /// The signature of the root.
        signature: Signature,
    },
    /// The operator does not sign a batch. Since version 2.
    BatchRefused {
        /// The batch's root.
        root: B256,
        /// The reason.
        refusal: Refused,
    },
    /// A handover, signed. Since version 3.
    HandoverSigned {
        /// Which one.
        handover: HandoverName,
        /// The digest of what the operator read and signed.
        digest: B256,
        /// The signature of the digest.
        signature: Signature,
    },
    /// The operator does not sign a handover. Since version 3.
    HandoverRefused {
        /// Which one.
        handover: HandoverName,
        /// The reason.
        refusal: Refused,
    },
    /// The answer to a ping.
    Pong {
        /// The ping's number.
        number: u64,
    },
}

/// What a gateway says.
// Complete: a further message is another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayMessage {
    /// The answer to hello: the version for all that follows, and what to sign.
    Challenge {
        /// The version.
        version: u16,
        /// 32 random bytes.
        challenge: B256,
        /// The TaskManager that the gateway serves.
        domain: Domain,
    },
    /// The answer to hello if there is no common version. The gateway closes the connection.
    Unsupported {
        /// The versions that the gateway speaks.
        versions: Versions,
    },
    /// The proof is valid.
    Welcome,
    /// A task to decide.
    Offer {
        /// The task.
        task: Task,
    },
    /// A task to decide, and to sign with a batch. Since version 2.
    OfferForBatch {
        /// The task.
        task: Task,
    },
    /// A batch to sign. Since version 2.
    SignBatch {
        /// The root of the tasks' attestations.
        root: B256,
        /// The tasks, in the order of the leaves.
        task_ids: Vec<B256>,
    },
    /// A handover to sign, of which the operator reads everything else itself. Since version 3.
    SignHandover {
        /// Which one.
        handover: HandoverName,
    },
    /// The observations to decide on.
    Decide {
        /// The task.
        task_id: B256,
        /// What was observed, by output.
        observations: Vec<AgreedOutput>,
    },
    /// The task needs no decision any more.
    Cancel {
        /// The task.
        task_id: B256,
    },
    /// Asks whether the operator is there.
    Ping {
        /// The number that the answer repeats.
        number: u64,
    },
}

/// What one source answered one operator.
// Complete: the observation's other fields are the task's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceObservation {
    /// The source's name.
    pub source: String,
    /// The output: canonical JSON.
    pub output: String,
    /// The signature of the observation's digest.
    pub signature: Signature,
}

/// An output of a source, with the operators that observed it.
// Complete: the observation's other fields are the task's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreedOutput {
    /// The source's name.
    pub source: String,
    /// The output: canonical JSON.
    pub output: String,
    /// Who observed it, each with the signature of the observation's digest.
    pub observers: Vec<(Address, Signature)>,
}

/// Which handover is meant: what it says of the epochs is the home chain's.
// Complete: the registry is that of the TaskManager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HandoverName {
    /// The epoch that is handed over to.
    pub epoch: EpochId,
    /// The epoch whose operators sign.
    pub signed_by: EpochId,
}

/// Why an operator does not sign a task, a batch or a handover.
// Complete: a refusal has these fields in every version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The kind of the reason: see `docs/network.md`.
    pub code: RefusalCode,
    /// The reason, for people.
    pub message: String,
    /// Whether the same task may be signed later.
    pub retryable: bool,
}

macro_rules! refusal_codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The kind of reason for which an operator does not sign.
        // Complete: a further code is another version.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum RefusalCode {
            $($(#[$doc])* $name,)*
        }

        impl RefusalCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns the code as a message writes it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

refusal_codes! {
    /// The operator's node, policy store, journal or disk did not answer.
    Unavailable = "unavailable",
    /// The operator has too many tasks.
    Busy = "busy",
    /// The reference block is not canonical at the operator's node.
    UnknownBlock = "unknownBlock",
    /// The reference block is too old.
    StaleBlock = "staleBlock",
    /// The client has another policy, or none.
    WrongPolicy = "wrongPolicy",
    /// The client's quorum is below two thirds.
    LowQuorum = "lowQuorum",
    /// The epoch is unknown, not in force, or without this operator.
    WrongEpoch = "wrongEpoch",
    /// The nonce is spent.
    SpentNonce = "spentNonce",
    /// The expiration is not after the reference block, or too long after it, or the client voided what is issued now.
    Lifetime = "lifetime",
    /// The intent is for another chain.
    WrongChain = "wrongChain",
    /// The caller forwards calls of others.
    Forwarder = "forwarder",
    /// The caller is an account under EIP-7702 that a client protects which it can bypass.
    DelegatedCaller = "delegatedCaller",
    /// The operator does not have the policy.
    UnknownPolicy = "unknownPolicy",
    /// Another task with the same id was offered before.
    OtherOffer = "otherOffer",
    /// A source failed.
    Source = "source",
    /// The observations to decide on are not a quorum's, or one is invalid.
    Observations = "observations",
    /// The operator has signed another statement about the task.
    AlreadySigned = "alreadySigned",
    /// The operator has not decided a task of the batch, or no longer knows it.
    Undecided = "undecided",
    /// The operator's own statements about the batch's tasks have another root.
    OtherBatch = "otherBatch",
    /// No final block of the operator's node has an epoch of the handover in force.
    NotFinal = "notFinal",
    /// An epoch of the handover is revoked.
    RevokedEpoch = "revokedEpoch",
}

impl OperatorMessage {
    /// Returns the lowest version that has the message.
    pub const fn since(&self) -> u16 {
        match self {
            Self::Decided { .. } | Self::BatchSigned { .. } | Self::BatchRefused { .. } => BATCHES,
            Self::HandoverSigned { .. } | Self::HandoverRefused { .. } => HANDOVERS,
            _ => 1,
        }
    }

    /// Parses a message.
    ///
    /// # Errors
    ///
    /// [`MessageError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        let value = parse(bytes)?;
        let fields = |keys: &[&str]| Fields::new(&value, keys);
        Ok(match kind(&value)? {
            "hello" => {
                let fields = fields(&["minVersion", "maxVersion", "operator", "type"])?;
                Self::Hello { versions: versions(&fields)?, operator: fields.address("operator")? }
            }
            "proof" => {
                let fields = fields(&["gateway", "signature", "type"])?;
                Self::Proof {
                    gateway: fields.bounded_text("gateway", MAX_TEXT)?,
                    signature: fields.signature("signature")?,
                }
            }
            "observed" => {
                let fields = fields(&["observations", "taskId", "type"])?;
                Self::Observed {
                    task_id: fields.hash("taskId")?,
                    observations: fields.list("observations", MAX_SOURCES, SourceObservation::from_value)?,
                }
            }
            "signed" => {
                let fields = fields(&["decision", "evidence", "reasons", "signature", "taskId", "type"])?;
                Self::Signed {
                    task_id: fields.hash("taskId")?,
                    decision: decision(&fields)?,
                    evidence: fields.hash("evidence")?,
                    signature: fields.signature("signature")?,
                    reasons: reasons(&fields)?,
                }
            }
            "refused" => {
                let fields = fields(&["code", "message", "retryable", "taskId", "type"])?;
                Self::Refused { task_id: fields.hash("taskId")?, refusal: refusal(&fields)? }
            }
            "decided" => {
                let fields = fields(&["decision", "evidence", "reasons", "taskId", "type"])?;
                Self::Decided {
                    task_id: fields.hash("taskId")?,
                    decision: decision(&fields)?,
                    evidence: fields.hash("evidence")?,
                    reasons: reasons(&fields)?,
                }
            }
            "batchSigned" => {
                let fields = fields(&["root", "signature", "type"])?;
                Self::BatchSigned { root: fields.hash("root")?, signature: fields.signature("signature")? }
            }
            "batchRefused" => {
                let fields = fields(&["code", "message", "retryable", "root", "type"])?;
                Self::BatchRefused { root: fields.hash("root")?, refusal: refusal(&fields)? }
            }
            "handoverSigned" => {
                let fields = fields(&["digest", "epoch", "signature", "signedBy", "type"])?;
                Self::HandoverSigned {
                    handover: HandoverName::of(&fields)?,
                    digest: fields.hash("digest")?,
                    signature: fields.signature("signature")?,
                }
            }
            "handoverRefused" => {
                let fields = fields(&["code", "epoch", "message", "retryable", "signedBy", "type"])?;
                Self::HandoverRefused { handover: HandoverName::of(&fields)?, refusal: refusal(&fields)? }
            }
            "pong" => Self::Pong { number: fields(&["number", "type"])?.integer("number")? },
            other => return Err(MessageError::UnknownType(other.into())),
        })
    }

    /// Returns the message's text: canonical JSON.
    pub fn to_json(&self) -> String {
        let value = match self {
            Self::Hello { versions, operator } => object([
                ("maxVersion", Value::from(u32::from(versions.max))),
                ("minVersion", Value::from(u32::from(versions.min))),
                ("operator", hex_value(operator)),
                ("type", Value::from("hello")),
            ]),
            Self::Proof { gateway, signature } => object([
                ("gateway", Value::from(gateway.as_str())),
                ("signature", hex_value(signature)),
                ("type", Value::from("proof")),
            ]),
            Self::Observed { task_id, observations } => object([
                ("observations", Value::from(observations.iter().map(SourceObservation::to_value).collect::<Vec<_>>())),
                ("taskId", hex_value(task_id)),
                ("type", Value::from("observed")),
            ]),
            Self::Signed { task_id, decision, evidence, signature, reasons } => object([
                ("decision", Value::from(decision.as_str())),
                ("evidence", hex_value(evidence)),
                ("reasons", Value::from(reasons.iter().map(String::as_str).collect::<Vec<_>>())),
                ("signature", hex_value(signature)),
                ("taskId", hex_value(task_id)),
                ("type", Value::from("signed")),
            ]),
            Self::Refused { task_id, refusal } => object([
                ("code", Value::from(refusal.code.as_str())),
                ("message", Value::from(refusal.message.as_str())),
                ("retryable", Value::from(refusal.retryable)),
                ("taskId", hex_value(task_id)),
                ("type", Value::from("refused")),
            ]),
            Self::Decided { task_id, decision, evidence, reasons } => object([
                ("decision", Value::from(decision.as_str())),
                ("evidence", hex_value(evidence)),
                ("reasons", Value::from(reasons.iter().map(String::as_str).collect::<Vec<_>>())),
                ("taskId", hex_value(task_id)),
                ("type", Value::from("decided")),
            ]),
            Self::BatchSigned { root, signature } => object([
                ("root", hex_value(root)),
                ("signature", hex_value(signature)),
                ("type", Value::from("batchSigned")),
            ]),
            Self::BatchRefused { root, refusal } => object([
                ("code", Value::from(refusal.code.as_str())),
                ("message", Value::from(refusal.message.as_str())),
                ("retryable", Value::from(refusal.retryable)),
                ("root", hex_value(root)),
                ("type", Value::from("batchRefused")),
            ]),
            Self::HandoverSigned { handover, digest, signature } => object([
                ("digest", hex_value(digest)),
                ("epoch", epoch_value(handover.epoch)),
                ("signature", hex_value(signature)),
                ("signedBy", epoch_value(handover.signed_by)),
                ("type", Value::from("handoverSigned")),
            ]),
            Self::HandoverRefused { handover, refusal } => object([
                ("code", Value::from(refusal.code.as_str())),
                ("epoch", epoch_value(handover.epoch)),
                ("message", Value::from(refusal.message.as_str())),
                ("retryable", Value::from(refusal.retryable)),
                ("signedBy", epoch_value(handover.signed_by)),
                ("type", Value::from("handoverRefused")),
            ]),
            Self::Pong { number } => object([("number", integer_value(*number)), ("type", Value::from("pong"))]),
        };
        value.to_canonical()
    }
}

impl GatewayMessage {
    /// Returns the lowest version that has the message.
    pub const fn since(&self) -> u16 {
        match self {
            Self::OfferForBatch { .. } | Self::SignBatch { .. } => BATCHES,
            Self::SignHandover { .. } => HANDOVERS,
            _ => 1,
        }
    }

    /// Parses a message.
    ///
    /// # Errors
    ///
    /// [`MessageError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        let value = parse(bytes)?;
        let fields = |keys: &[&str]| Fields::new(&value, keys);
        Ok(match kind(&value)? {
            "challenge" => {
                let fields = fields(&["chainId", "challenge", "taskManager", "type", "version"])?;
                Self::Challenge {
                    version: fields.small("version")?,
                    challenge: fields.hash("challenge")?,
                    domain: Domain { chain_id: fields.wide("chainId")?, task_manager: fields.address("taskManager")? },
                }
            }
            "unsupported" => Self::Unsupported { versions: versions(&fields(&["maxVersion", "minVersion", "type"])?)? },
            "welcome" => fields(&["type"]).map(|_| Self::Welcome)?,
            "offer" => Self::Offer { task: task_from_value(fields(&["task", "type"])?.value("task")?)? },
            "offerForBatch" => {
                Self::OfferForBatch { task: task_from_value(fields(&["task", "type"])?.value("task")?)? }
            }
            "signBatch" => {
                let fields = fields(&["root", "taskIds", "type"])?;
                Self::SignBatch {
                    root: fields.hash("root")?,
                    task_ids: fields.list("taskIds", MAX_BATCH, |value| hash_of("taskIds", value))?,
                }
            }
            "signHandover" => {
                let fields = fields(&["epoch", "signedBy", "type"])?;
                Self::SignHandover { handover: HandoverName::of(&fields)? }
            }
            "decide" => {
                let fields = fields(&["observations", "taskId", "type"])?;
                Self::Decide {
                    task_id: fields.hash("taskId")?,
                    observations: fields.list(
                        "observations",
                        MAX_SOURCES.saturating_mul(MAX_OBSERVERS),
                        AgreedOutput::from_value,
                    )?,
                }
            }
            "cancel" => Self::Cancel { task_id: fields(&["taskId", "type"])?.hash("taskId")? },
            "ping" => Self::Ping { number: fields(&["number", "type"])?.integer("number")? },
            other => return Err(MessageError::UnknownType(other.into())),
        })
    }

    /// Returns the message's text: canonical JSON.
    pub fn to_json(&self) -> String {
        let value = match self {
            Self::Challenge { version, challenge, domain } => object([
                ("chainId", wide_value(domain.chain_id)),
                ("challenge", hex_value(challenge)),
                ("taskManager", hex_value(domain.task_manager)),
                ("type", Value::from("challenge")),
                ("version", Value::from(u32::from(*version))),
            ]),
            Self::Unsupported { versions } => object([
                ("maxVersion", Value::from(u32::from(versions.max))),
                ("minVersion", Value::from(u32::from(versions.min))),
                ("type", Value::from("unsupported")),
            ]),
            Self::Welcome => object([("type", Value::from("welcome"))]),
            Self::Offer { task } => object([("task", task_to_value(task)), ("type", Value::from("offer"))]),
            Self::OfferForBatch { task } => {
                object([("task", task_to_value(task)), ("type", Value::from("offerForBatch"))])
            }
            Self::SignBatch { root, task_ids } => object([
                ("root", hex_value(root)),
                ("taskIds", Value::from(task_ids.iter().map(hex_value).collect::<Vec<_>>())),
                ("type", Value::from("signBatch")),
            ]),
            Self::SignHandover { handover } => object([
                ("epoch", epoch_value(handover.epoch)),
                ("signedBy", epoch_value(handover.signed_by)),
                ("type", Value::from("signHandover")),
            ]),
            Self::Decide { task_id, observations } => object([
                ("observations", outputs_to_value(observations)),
                ("taskId", hex_value(task_id)),
                ("type", Value::from("decide")),
            ]),
            Self::Cancel { task_id } => object([("taskId", hex_value(task_id)), ("type", Value::from("cancel"))]),
            Self::Ping { number } => object([("number", integer_value(*number)), ("type", Value::from("ping"))]),
        };
        value.to_canonical()
    }
}

impl HandoverName {
    fn of(fields: &Fields<'_>) -> Result<Self, MessageError> {
        let epoch = |key| fields.small::<u32>(key).map(EpochId);
        Ok(Self { epoch: epoch("epoch")?, signed_by: epoch("signedBy")? })
    }
}

impl Refused {
    /// Creates a refusal. Of a message that is too long, only the beginning is kept.
    pub fn new(code: RefusalCode, message: impl Into<String>, retryable: bool) -> Self {
        let mut message = message.into();
        while message.len() > MAX_TEXT {
            message.pop();
        }
        Self { code, message, retryable }
    }
}

impl SourceObservation {
    fn from_value(value: &Value) -> Result<Self, MessageError> {
        let fields = Fields::new(value, &["output", "signature", "source"])?;
        Ok(Self {
            source: fields.bounded_text("source", MAX_TEXT)?,
            output: fields.bounded_text("output", MAX_OUTPUT)?,
            signature: fields.signature("signature")?,
        })
    }

    fn to_value(&self) -> Value {
        object([
            ("output", Value::from(self.output.as_str())),
            ("signature", hex_value(self.signature)),
            ("source", Value::from(self.source.as_str())),
        ])
    }
}

impl AgreedOutput {
    pub(crate) fn from_value(value: &Value) -> Result<Self, MessageError> {
        let fields = Fields::new(value, &["observers", "output", "source"])?;
        let observer = |value| {
            let fields = Fields::new(value, &["operator", "signature"])?;
            Ok((fields.address("operator")?, fields.signature("signature")?))
        };
        Ok(Self {
            source: fields.bounded_text("source", MAX_TEXT)?,
            output: fields.bounded_text("output", MAX_OUTPUT)?,
            observers: fields.list("observers", MAX_OBSERVERS, observer)?,
        })
    }

    fn to_value(&self) -> Value {
        let observers = self.observers.iter().map(|(operator, signature)| {
            object([("operator", hex_value(operator)), ("signature", hex_value(signature))])
        });
        object([
            ("observers", Value::from(observers.collect::<Vec<_>>())),
            ("output", Value::from(self.output.as_str())),
            ("source", Value::from(self.source.as_str())),
        ])
    }
}

/// Returns observations as messages and evidence files hold them.
pub(crate) fn outputs_to_value(observations: &[AgreedOutput]) -> Value {
    Value::from(observations.iter().map(AgreedOutput::to_value).collect::<Vec<_>>())
}

pub(crate) fn parse(bytes: &[u8]) -> Result<Value, MessageError> {
    if bytes.len() > MAX_MESSAGE {
        return Err(MessageError::TooLong(bytes.len()));
    }
    Ok(assent_json::parse(bytes)?)
}

fn kind(value: &Value) -> Result<&str, MessageError> {
    value.get("type").and_then(Value::as_str).ok_or_else(|| MessageError::MissingField("type".into()))
}

pub(crate) fn decision(fields: &Fields<'_>) -> Result<Decision, MessageError> {
    match fields.text("decision")? {
        "allow" => Ok(Decision::Allow),
        "deny" => Ok(Decision::Deny),
        _ => Err(invalid("decision", "is neither allow nor deny")),
    }
}

pub(crate) fn reasons(fields: &Fields<'_>) -> Result<Vec<String>, MessageError> {
    fields.list("reasons", MAX_REASONS, |reason| {
        let reason = reason.as_str().filter(|reason| reason.len() <= MAX_TEXT);
        reason.map(str::to_owned).ok_or_else(|| invalid("reasons", "has an invalid element"))
    })
}

fn refusal(fields: &Fields<'_>) -> Result<Refused, MessageError> {
    let code = fields.text("code")?;
    let code = RefusalCode::ALL.iter().find(|known| known.as_str() == code);
    Ok(Refused {
        code: *code.ok_or_else(|| invalid("code", "is unknown"))?,
        message: fields.bounded_text("message", MAX_TEXT)?,
        retryable: fields.boolean("retryable")?,
    })
}

fn versions(fields: &Fields<'_>) -> Result<Versions, MessageError> {
    Ok(Versions { min: fields.small("minVersion")?, max: fields.small("maxVersion")? })
}

const TASK_KEYS: [&str; 9] = [
    "blockHash",
    "blockNumber",
    "blockTimestamp",
    "epoch",
    "expiration",
    "intent",
    "nonce",
    "policyClient",
    "policyId",
];

pub(crate) fn task_from_value(value: &Value) -> Result<Task, MessageError> {
    let fields = Fields::new(value, &TASK_KEYS)?;
    let intent = Fields::new(fields.value("intent")?, &["chainId", "data", "from", "to", "value"])?;
    let data = intent.bytes("data")?;
    if data.len() > MAX_CALLDATA {
        return Err(invalid("data", "is too long"));
    }
    // What an attestation cannot hold would be signed as something else.
    let time = |key| {
        let time = fields.integer(key)?;
        if time >> 48 == 0 { Ok(time) } else { Err(invalid(key, "does not fit 48 bits")) }
    };
    Ok(Task {
        policy_client: fields.address("policyClient")?,
        policy_id: fields.hash("policyId")?,
        nonce: fields.wide("nonce")?,
        intent: Intent {
            from: intent.address("from")?,
            to: intent.address("to")?,
            value: intent.wide("value")?,
            data: data.into(),
            chainId: intent.wide("chainId")?,
        },
        expiration: time("expiration")?,
        epoch: fields.small::<u32>("epoch")?.into(),
        block_number: fields.integer("blockNumber")?,
        block_hash: fields.hash("blockHash")?,
        block_timestamp: time("blockTimestamp")?,
    })
}

fn epoch_value(epoch: EpochId) -> Value {
    Value::from(u32::from(epoch))
}

pub(crate) fn task_to_value(task: &Task) -> Value {
    let Intent { from, to, value, data, chainId } = &task.intent;
    object([
        ("blockHash", hex_value(task.block_hash)),
        ("blockNumber", integer_value(task.block_number)),
        ("blockTimestamp", integer_value(task.block_timestamp)),
        ("epoch", epoch_value(task.epoch)),
        ("expiration", integer_value(task.expiration)),
        (
            "intent",
            object([
                ("chainId", wide_value(*chainId)),
                ("data", hex_value(data)),
                ("from", hex_value(from)),
                ("to", hex_value(to)),
                ("value", wide_value(U256::from(*value))),
            ]),
        ),
        ("nonce", wide_value(task.nonce)),
        ("policyClient", hex_value(task.policy_client)),
        ("policyId", hex_value(task.policy_id)),
    ])
}

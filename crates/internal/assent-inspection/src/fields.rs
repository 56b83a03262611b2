//! The decoded fields.

use crate::{
    Abi, SubmittedCall,
    moment::{amount, date},
};
use alloy_primitives::{Bytes, U256, aliases::U96};
use assent_verifier::{
    AttestationDocument, Authorization, Context, Epoch, Intent, Policy, QuorumProof,
    backend::{Backend, DefaultBackend},
    digest,
};
use serde::Serialize;

/// A group of fields under one title.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::text;
///
/// let inspection = text::inspect(&texts("valid: 2 of 3 operators signed"))?;
/// let titles = inspection.fields.iter().map(|group| group.title.as_str()).collect::<Vec<_>>();
/// assert_eq!(titles, ["Authorization, 213 bytes", "Attestation document", "Call", "Context", "Epoch 5"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The title.
    pub title: String,
    /// The fields, in the order of docs/protocol.md.
    pub fields: Vec<Field>,
}

/// A field as text.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::text;
///
/// let inspection = text::inspect(&texts("valid: 2 of 3 operators signed"))?;
/// let nonce = &inspection.fields[0].fields[1];
/// assert_eq!((nonce.name, nonce.value.as_str()), ("nonce", "258"));
/// assert_eq!(nonce.note.as_deref(), Some("bit 2 of word 1"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// The name, as in docs/protocol.md.
    pub name: &'static str,
    /// The value.
    pub value: String,
    /// The meaning of the value, where it is not obvious.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The field's bytes in the authorization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<ByteRange>,
}

/// A range of the authorization's bytes.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::{ByteRange, text};
///
/// let inspection = text::inspect(&texts("valid: 2 of 3 operators signed"))?;
/// let epoch = &inspection.fields[0].fields[6];
/// assert_eq!((epoch.name, epoch.bytes), ("epoch", Some(ByteRange { offset: 109, length: 4 })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ByteRange {
    /// The index of the first byte, from 0.
    pub offset: usize,
    /// The number of bytes.
    pub length: usize,
}

/// An operator of the epoch that the authorization names.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::text;
///
/// let inspection = text::inspect(&texts("valid: 2 of 3 operators signed"))?;
/// let signed = inspection.operators.iter().map(|operator| operator.signed).collect::<Vec<_>>();
/// assert_eq!(signed, [Some(false), Some(true), Some(true)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperatorReport {
    /// Its index in the epoch's table, and its bit in a bitmap of non-signers.
    pub index: usize,
    /// Its address.
    pub address: String,
    /// Its weight.
    pub weight: String,
    /// Its key.
    pub public_key: String,
    /// Whether the authorization names it as a signer; `None` when the signature is not in the authorization.
    pub signed: Option<bool>,
}

/// Returns the fields of an authorization.
pub(crate) fn of_authorization(authorization: &Authorization) -> Group {
    let Authorization { task_id, nonce, issued_at, expiration, decision, evidence, epoch, quorum_proof, merkle_proof } =
        authorization;
    let (word, bit) = (*nonce >> 8_usize, *nonce & U256::from(0xff));
    let mut fields = FieldSequence { fields: Vec::new(), offset: 0 };
    fields.add(32, field("taskId", task_id));
    fields.add(32, field("nonce", nonce).note(format!("bit {bit} of word {word}")));
    fields.add(6, time("issuedAt", issued_at.to()));
    fields.add(6, time("expiration", expiration.to()));
    fields.add(1, field("decision", decision));
    fields.add(32, field("evidence", evidence));
    fields.add(4, field("epoch", epoch));
    match quorum_proof {
        QuorumProof::Direct { signature, non_signers } => {
            fields.add(1, field("kind", "direct").note("the authorization contains the signature".to_owned()));
            let encoding = match DefaultBackend::decode_signature(signature) {
                Ok(_) => "a point of the prime-order subgroup of G1",
                Err(_) => "MALFORMED: not a point of the prime-order subgroup of G1",
            };
            fields.add(96, field("signature", signature).note(encoding.to_owned()));
            let indices = non_signers.indices().map(|index| index.to_string()).collect::<Vec<_>>();
            let (value, note) = match indices.as_slice() {
                [] => ("none".to_owned(), "every operator signed"),
                indices => (indices.join(", "), "indices in the epoch's table, from 0"),
            };
            fields.add(1 + non_signers.as_bytes().len(), field("nonSigners", value).note(note.to_owned()));
        }
        QuorumProof::Recorded => {
            fields.add(1, field("kind", "recorded").note("valid once its root is recorded on chain".to_owned()));
        }
    }
    let hashes = merkle_proof.as_slice();
    let proof = match hashes {
        [] => field("merkleProof", "empty").note("the only attestation of its batch".to_owned()),
        hashes => field("merkleProof", hashes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
            .note(format!("{} from the leaf up", amount(hashes.len(), "hash", "hashes"))),
    };
    fields.add(1 + 32 * hashes.len(), proof);
    Group { title: format!("Authorization, {} bytes", fields.offset), fields: fields.fields }
}

/// Returns the fields of a document that are not in its authorization.
pub(crate) fn of_document(document: &AttestationDocument) -> Group {
    let attestation = &document.attestation;
    let fields = vec![
        field("chainId", document.chain_id),
        field("taskManager", document.task_manager),
        field("policyClient", attestation.policyClient),
        field("policyId", attestation.policyId),
        field("intentHash", digest::intent_hash(&attestation.intent)),
        field("digest", document.digest())
            .note("the attestation's EIP-712 digest, its leaf in the Merkle tree".to_owned()),
        field("root", document.root()).note("the message that operators sign".to_owned()),
    ];
    Group { title: "Attestation document".to_owned(), fields }
}

/// Returns the fields of a call.
pub(crate) fn of_intent(intent: &Intent, title: &str, abi: Option<&Abi>) -> Group {
    let length = amount(intent.data.len(), "byte", "bytes");
    let decoded = abi.and_then(|abi| abi.decode(&intent.data));
    let fields = vec![
        field("from", intent.from),
        field("to", intent.to),
        field("value", intent.value).note("wei".to_owned()),
        field("data", &intent.data).note(match (decoded, intent.data.get(..4)) {
            (Some(call), _) => format!("{length}: {call}"),
            (None, Some(selector)) => format!("{length}; selector {}", Bytes::copy_from_slice(selector)),
            (None, None) => format!("{length}: no selector"),
        }),
        field("chainId", intent.chainId),
        field("intentHash", digest::intent_hash(intent)),
    ];
    Group { title: title.to_owned(), fields }
}

/// Returns the fields of a context.
pub(crate) fn of_context(context: &Context, assumed: bool) -> Group {
    let mut fields = vec![
        field("chainId", context.chain_id),
        field("taskManager", context.task_manager),
        field("policyClient", context.policy_client),
        field("caller", context.caller),
        time("timestamp", context.timestamp),
    ];
    match &context.policy {
        Some(Policy { policyId, operatorSet, quorum, maxLifetime }) => fields.extend([
            field("policyId", policyId),
            field("operatorSet", operatorSet),
            field("quorum", quorum).note("basis points of the epoch's weight".to_owned()),
            field("maxLifetime", maxLifetime).note("seconds".to_owned()),
        ]),
        None => {
            fields.push(field("policyId", "none").note("the client has no policy and refuses every call".to_owned()))
        }
    }
    fields.push(match context.issuance_floor.to::<u64>() {
        0 => field("issuanceFloor", 0).note("nothing is void".to_owned()),
        seconds => time("issuanceFloor", seconds),
    });
    let epochs = context.epochs.iter().map(|epoch| epoch.number.to_string()).collect::<Vec<_>>().join(", ");
    fields.extend([
        field("epochs", if epochs.is_empty() { "none" } else { &epochs }),
        field("recordedRoots", context.recorded_roots.iter().count()),
    ]);
    let title = if assumed { "Context, partly assumed" } else { "Context" };
    Group { title: title.to_owned(), fields }
}

/// Returns the fields of an epoch, without its operators.
pub(crate) fn of_epoch(epoch: &Epoch) -> Group {
    let valid_until = match epoch.valid_until.to::<u64>() {
        0 => field("validUntil", 0).note("revoked".to_owned()),
        never if never == (1 << 48) - 1 => {
            field("validUntil", never).note("valid until the next epoch is committed".to_owned())
        }
        seconds => time("validUntil", seconds),
    };
    let fields = vec![
        field("number", epoch.number),
        field("operatorSet", epoch.operator_set),
        valid_until,
        field("operators", epoch.operators.operators().len()),
        field("totalWeight", epoch.operators.total_weight()),
        field("aggregateKey", epoch.operators.aggregate_key()),
    ];
    Group { title: format!("Epoch {}", epoch.number), fields }
}

/// Returns the operators of an epoch, and whether an authorization names them as signers.
pub(crate) fn operators(epoch: &Epoch, authorization: Option<&Authorization>) -> Vec<OperatorReport> {
    let absent = match authorization.map(|authorization| &authorization.quorum_proof) {
        Some(QuorumProof::Direct { non_signers, .. }) => {
            Some(non_signers.indices().map(usize::from).collect::<Vec<_>>())
        }
        Some(QuorumProof::Recorded) | None => None,
    };
    let report = |(index, operator): (usize, &assent_verifier::Operator)| OperatorReport {
        index,
        address: operator.address.to_string(),
        weight: operator.weight.to_string(),
        public_key: operator.public_key.to_string(),
        signed: absent.as_ref().map(|absent| absent.binary_search(&index).is_err()),
    };
    epoch.operators.operators().iter().enumerate().map(report).collect()
}

/// Returns the signed weight, only for texts: the verifier decides whether it is enough.
pub(crate) fn signed_weight(epoch: &Epoch, authorization: &Authorization) -> Option<U96> {
    let QuorumProof::Direct { non_signers, .. } = &authorization.quorum_proof else { return None };
    let operators = epoch.operators.operators();
    non_signers.indices().try_fold(epoch.operators.total_weight(), |weight, index| {
        weight.checked_sub(operators.get(usize::from(index))?.weight)
    })
}

/// Returns the title of the call's group.
pub(crate) fn title_of(submitted: Option<&SubmittedCall>) -> &'static str {
    match submitted {
        Some(SubmittedCall::Trailing { .. }) => "Call, from the calldata",
        _ => "Call",
    }
}

/// Fields in the order of their bytes.
struct FieldSequence {
    fields: Vec<Field>,
    offset: usize,
}

impl FieldSequence {
    fn add(&mut self, length: usize, mut field: Field) {
        field.bytes = Some(ByteRange { offset: self.offset, length });
        self.offset += length;
        self.fields.push(field);
    }
}

impl Field {
    fn note(self, note: String) -> Self {
        Self { note: Some(note), ..self }
    }
}

fn field(name: &'static str, value: impl ToString) -> Field {
    Field { name, value: value.to_string(), note: None, bytes: None }
}

fn time(name: &'static str, seconds: u64) -> Field {
    Field { note: date(seconds), ..field(name, seconds) }
}

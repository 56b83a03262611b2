//! The report about a signed batch.

use super::{
    files::{self, SignedAttestation},
    policy_context::PolicyContext,
};
use crate::{
    output::{self, short_address},
    partials,
};
use alloy_primitives::{Address, U256};
use assent_signer::{Aggregate, AttestationBatch, PartialSignature, RejectedPartial};
use assent_verifier::{Attestation, AttestationDocument, Decision, EpochId};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The maximum number of operators whose addresses a table lists.
const MOST_LISTED: usize = 8;

/// A signed batch with its signers and their weight.
pub struct Report<'a> {
    pub context: &'a PolicyContext,
    pub batch: &'a AttestationBatch,
    pub partials: &'a [PartialSignature],
    pub aggregate: &'a Aggregate,
    pub attestations: &'a [SignedAttestation],
    /// The directory to which they were written.
    pub directory: Option<&'a Path>,
}

#[derive(Serialize)]
struct OfOne<'a> {
    authorization: &'a str,
    document: &'a AttestationDocument,
    #[serde(flatten)]
    signed: Value,
}

#[derive(Serialize)]
struct OfMany<'a> {
    #[serde(flatten)]
    signed: Value,
    attestations: Vec<OfAttestation<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfAttestation<'a> {
    index: usize,
    nonce: String,
    authorization: &'a str,
    document: &'a AttestationDocument,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_file: Option<PathBuf>,
}

impl Report<'_> {
    /// Prints the signed weight to standard error.
    pub fn remark_on_weight(&self) {
        let Aggregate { signed_weight, non_signers, .. } = self.aggregate;
        let total = self.context.epoch.operators.total_weight();
        output::remark(format_args!(
            "signed: weight {signed_weight} of {total}; operators that did not sign: {}",
            non_signers.count()
        ));
    }

    /// Warns when too little weight signed for the policy.
    pub fn warn_of_missing_weight(&self) {
        if let Some(required) = self.missing_weight() {
            output::remark(format_args!(
                "warning: the quorum is weight {required}; the call is refused until more operators sign"
            ));
        }
    }

    /// Returns a single attestation, for --json.
    pub fn of_one<'b>(&'b self, attestation: &'b SignedAttestation) -> impl Serialize + use<'b> {
        OfOne { authorization: &attestation.authorization, document: &attestation.document, signed: self.signed() }
    }

    /// Returns the batch, for --json.
    pub fn of_many(&self) -> impl Serialize + use<'_> {
        let attestations =
            self.attestations.iter().enumerate().map(|(index, signed)| self.of_attestation(index, signed)).collect();
        OfMany { signed: self.signed(), attestations }
    }

    /// Returns the batch as a table.
    pub fn table(&self) -> comfy_table::Table {
        let (signers, absent) = self.operators();
        let total = self.context.epoch.operators.total_weight();
        let quorum = match (self.context.required_weight, self.missing_weight()) {
            (_, Some(required)) => format!("; the quorum of {required} is NOT reached"),
            (Some(required), None) => format!("; the quorum of {required} is reached"),
            (None, None) => String::new(),
        };
        let sizes = self.attestations.iter().map(|signed| signed.authorization.len() / 2 - 1);
        let mut table = output::table(["batch", "value"]);
        table
            .add_row(["attestations", &self.decisions()])
            .add_row([
                "nonces",
                &range(self.in_batch().map(|attestation| attestation.nonce), |nonce| nonce.to_string()),
            ])
            .add_row(["valid from", &range(self.in_batch().map(issued_at), output::time)])
            .add_row(["valid until", &range(self.in_batch().map(expiration), output::time)])
            .add_row(["root", &self.batch.root().to_string()])
            .add_row(["epoch", &self.aggregate.epoch.to_string()])
            .add_row(["signed", &list(&signers)])
            .add_row(["did not sign", &list(&absent)])
            .add_row(["weight", &format!("{} of {total}{quorum}", self.aggregate.signed_weight)])
            .add_row(["authorizations", &format!("{} bytes", range(sizes, |size| size.to_string()))]);
        if let Some(directory) = self.directory {
            let files =
                format!("{0}/nonce-….json (documents) and {0}/nonce-….hex (authorizations)", directory.display());
            table.add_row(["written", &files]);
        }
        table
    }

    fn signed(&self) -> Value {
        let (signers, _) = self.operators();
        json!({
            "root": self.batch.root(),
            "epoch": self.aggregate.epoch,
            "signers": signers,
            "signedWeight": self.aggregate.signed_weight.to_string(),
            "totalWeight": self.context.epoch.operators.total_weight().to_string(),
            "requiredWeight": self.context.required_weight.map(|weight| weight.to_string()),
            "partialSignatures": partials::to_json(self.partials),
            "rejected": self.aggregate.rejected.iter().map(rejected).collect::<Vec<_>>(),
        })
    }

    fn of_attestation<'b>(
        &self,
        index: usize,
        SignedAttestation { document, authorization }: &'b SignedAttestation,
    ) -> OfAttestation<'b> {
        let nonce = document.attestation.nonce;
        let (document_file, authorization_file) =
            self.directory.map(|directory| files::files(directory, nonce)).unzip();
        OfAttestation { index, nonce: nonce.to_string(), authorization, document, document_file, authorization_file }
    }

    /// Returns the quorum's weight when too little weight signed.
    fn missing_weight(&self) -> Option<U256> {
        self.context.required_weight.filter(|required| U256::from(self.aggregate.signed_weight) < *required)
    }

    /// Returns the operators that signed, and those that did not.
    fn operators(&self) -> (Vec<Address>, Vec<Address>) {
        let absent = self.aggregate.non_signers.indices().map(usize::from).collect::<BTreeSet<_>>();
        let indexed = self.context.epoch.operators.operators().iter().enumerate();
        let (absent, signers): (Vec<_>, Vec<_>) = indexed.partition(|(index, _)| absent.contains(index));
        let addresses = |operators: Vec<(usize, &assent_verifier::Operator)>| {
            operators.into_iter().map(|(_, operator)| operator.address).collect()
        };
        (addresses(signers), addresses(absent))
    }

    fn in_batch(&self) -> impl Iterator<Item = &Attestation> + Clone {
        self.batch.attestations().iter()
    }

    fn decisions(&self) -> String {
        let denied = self.in_batch().filter(|attestation| attestation.decision == u8::from(Decision::Deny)).count();
        let count = self.batch.attestations().len();
        format!("{count}: {} allow, {denied} deny", count - denied)
    }
}

/// Returns the signatures of the root, for --json.
pub fn signatures(batch: &AttestationBatch, epoch: EpochId, signatures: &[PartialSignature]) -> Value {
    json!({
        "root": batch.root(),
        "epoch": epoch,
        "partialSignatures": partials::to_json(signatures),
    })
}

fn rejected(rejected: &RejectedPartial) -> Value {
    json!({ "index": rejected.index, "operator": rejected.operator, "reason": rejected.reason.to_string() })
}

fn issued_at(attestation: &Attestation) -> u64 {
    attestation.issuedAt.to()
}

fn expiration(attestation: &Attestation) -> u64 {
    attestation.expiration.to()
}

/// Returns the smallest and the largest value, or the only one.
fn range<T: Ord + Copy>(values: impl Iterator<Item = T> + Clone, show: impl Fn(T) -> String) -> String {
    match (values.clone().min(), values.max()) {
        (Some(least), Some(greatest)) if least != greatest => format!("{} to {}", show(least), show(greatest)),
        (Some(only), _) => show(only),
        (None, _) => "none".to_owned(),
    }
}

fn list(operators: &[Address]) -> String {
    let listed = operators.iter().take(MOST_LISTED).map(|&operator| short_address(operator)).collect::<Vec<_>>();
    match operators.len().checked_sub(MOST_LISTED) {
        _ if operators.is_empty() => "none".to_owned(),
        None | Some(0) => format!("{}: {}", operators.len(), listed.join(", ")),
        Some(more) => format!("{}: {} and {more} more", operators.len(), listed.join(", ")),
    }
}

//! What is said of a signed batch.

use super::{
    delivery::{self, Share},
    place::Setting,
};
use crate::output::{self, short_address};
use alloy_primitives::{Address, U256, hex};
use assent_signer::{Aggregate, AttestationBatch, PartialSignature, RejectedPartial};
use assent_verifier::{Attestation, AttestationDocument, Decision};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The most operators whose addresses a table lists.
const MOST_LISTED: usize = 8;

/// What was signed, by whom, and with what weight.
pub struct Report<'a> {
    pub setting: &'a Setting,
    pub batch: &'a AttestationBatch,
    pub partials: &'a [PartialSignature],
    pub aggregate: &'a Aggregate,
    pub shares: &'a [Share],
    /// Where the shares were written.
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
    attestations: Vec<OfShare<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OfShare<'a> {
    place: usize,
    nonce: String,
    authorization: &'a str,
    document: &'a AttestationDocument,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_file: Option<PathBuf>,
}

impl Report<'_> {
    /// Says beside the result what weight signed.
    pub fn remark_on_weight(&self) {
        let Aggregate { signed_weight, non_signers, .. } = self.aggregate;
        let total = self.setting.epoch.operators.total_weight();
        output::remark(format_args!(
            "signed: weight {signed_weight} of {total}; operators that did not sign: {}",
            non_signers.count()
        ));
    }

    /// Warns when too little weight signed for the policy.
    pub fn warn_of_missing_weight(&self) {
        if let Some(required) = self.missing_weight() {
            output::remark(format_args!(
                "warning: the quorum is weight {required}; until more operators sign, every contract will refuse"
            ));
        }
    }

    /// A lone attestation, for programs.
    pub fn of_one<'b>(&'b self, share: &'b Share) -> impl Serialize + use<'b> {
        OfOne { authorization: &share.authorization, document: &share.document, signed: self.signed() }
    }

    /// The batch, for programs.
    pub fn of_many(&self) -> impl Serialize + use<'_> {
        let attestations = self.shares.iter().enumerate().map(|(place, share)| self.share(place, share)).collect();
        OfMany { signed: self.signed(), attestations }
    }

    /// The batch, for people.
    pub fn table(&self) -> comfy_table::Table {
        let (signers, absent) = self.operators();
        let total = self.setting.epoch.operators.total_weight();
        let quorum = match (self.setting.required_weight, self.missing_weight()) {
            (_, Some(required)) => format!("; the quorum of {required} is NOT reached"),
            (Some(required), None) => format!("; the quorum of {required} is reached"),
            (None, None) => String::new(),
        };
        let sizes = self.shares.iter().map(|share| share.authorization.len() / 2 - 1);
        let mut table = output::table(["batch", "value"]);
        table
            .add_row(["attestations", &self.decisions()])
            .add_row([
                "nonces",
                &range(self.attestations().map(|attestation| attestation.nonce), |nonce| nonce.to_string()),
            ])
            .add_row(["good until", &range(self.attestations().map(expiration), output::time)])
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
            "totalWeight": self.setting.epoch.operators.total_weight().to_string(),
            "requiredWeight": self.setting.required_weight.map(|weight| weight.to_string()),
            "partialSignatures": self.partials.iter().map(partial).collect::<Vec<_>>(),
            "rejected": self.aggregate.rejected.iter().map(rejected).collect::<Vec<_>>(),
        })
    }

    fn share<'b>(&self, place: usize, Share { document, authorization }: &'b Share) -> OfShare<'b> {
        let nonce = document.attestation.nonce;
        let (document_file, authorization_file) =
            self.directory.map(|directory| delivery::files(directory, nonce)).unzip();
        OfShare { place, nonce: nonce.to_string(), authorization, document, document_file, authorization_file }
    }

    /// The quorum's weight when too little signed.
    fn missing_weight(&self) -> Option<U256> {
        self.setting.required_weight.filter(|required| U256::from(self.aggregate.signed_weight) < *required)
    }

    /// Those who signed, and those who did not.
    fn operators(&self) -> (Vec<Address>, Vec<Address>) {
        let absent = self.aggregate.non_signers.indices().map(usize::from).collect::<BTreeSet<_>>();
        let places = self.setting.epoch.operators.operators().iter().enumerate();
        let (absent, signers): (Vec<_>, Vec<_>) = places.partition(|(place, _)| absent.contains(place));
        let addresses = |operators: Vec<(usize, &assent_verifier::Operator)>| {
            operators.into_iter().map(|(_, operator)| operator.address).collect()
        };
        (addresses(signers), addresses(absent))
    }

    fn attestations(&self) -> impl Iterator<Item = &Attestation> + Clone {
        self.batch.attestations().iter()
    }

    fn decisions(&self) -> String {
        let denied = self.attestations().filter(|attestation| attestation.decision == u8::from(Decision::Deny)).count();
        let count = self.batch.attestations().len();
        format!("{count}: {} allow, {denied} deny", count - denied)
    }
}

/// Signatures of the root for somebody else to aggregate, for programs.
pub fn signatures(batch: &AttestationBatch, epoch: u32, partials: &[PartialSignature]) -> Value {
    json!({
        "root": batch.root(),
        "epoch": epoch,
        "partialSignatures": partials.iter().map(partial).collect::<Vec<_>>(),
    })
}

fn partial(partial: &PartialSignature) -> Value {
    json!({ "operator": partial.operator, "signature": hex::encode_prefixed(&partial.signature) })
}

fn rejected(rejected: &RejectedPartial) -> Value {
    json!({ "place": rejected.place, "operator": rejected.operator, "reason": rejected.reason.to_string() })
}

fn expiration(attestation: &Attestation) -> u64 {
    attestation.expiration.to()
}

/// The least and the greatest, or the one that all are.
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
        _ if operators.is_empty() => "nobody".to_owned(),
        None | Some(0) => format!("{}: {}", operators.len(), listed.join(", ")),
        Some(more) => format!("{}: {} and {more} more", operators.len(), listed.join(", ")),
    }
}

//! Options that several commands take.

use alloy_primitives::{Address, B256, hex};
use assent_signer::PartialSignature;
use std::str::FromStr;

/// `allow` or `deny`.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Decision {
    /// The policy allows the call.
    Allow,
    /// The policy forbids the call.
    Deny,
}

impl From<Decision> for assent_verifier::Decision {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allow => Self::Allow,
            Decision::Deny => Self::Deny,
        }
    }
}

/// Reads `ADDRESS=SIGNATURE`. The signature may have any length: aggregation names a malformed one.
pub fn partial_signature(text: &str) -> Result<PartialSignature, String> {
    let (operator, signature) = text.split_once('=').ok_or("expected ADDRESS=SIGNATURE")?;
    let operator = Address::from_str(operator).map_err(|error| format!("operator {operator}: {error}"))?;
    let signature = hex::decode(signature).map_err(|error| format!("signature of {operator}: {error}"))?;
    Ok(PartialSignature::new(operator, signature))
}

/// Reads 32 bytes of hex that are not all zero: a zero policy id means that no policy is set.
pub fn policy_id(text: &str) -> Result<B256, String> {
    let policy_id = B256::from_str(text).map_err(|error| error.to_string())?;
    if policy_id.is_zero() { Err("a policy id is not zero".to_owned()) } else { Ok(policy_id) }
}

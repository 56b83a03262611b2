//! What became of a revocation on each chain.

use alloy::{
    primitives::{Address, B256},
    rpc::types::TransactionReceipt,
};
use anyhow::Result;
use assent_verifier::EpochId;
use serde_json::{Value, json};

/// What became of the revocation on one chain.
pub struct Outcome {
    name: String,
    contract: Address,
    /// Or why it was refused.
    result: Result<Revoked, String>,
}

/// How an epoch is revoked on one chain.
pub enum Revoked {
    /// The epoch was there.
    Here(Box<TransactionReceipt>),
    /// The epoch was not there yet, and never will be. Tables that were stored for it are before the last transaction.
    Ahead(Vec<TransactionReceipt>),
    /// It was revoked before.
    Already,
    /// The mirror cannot accept the epoch, for this reason.
    Unneeded(String),
}

impl Outcome {
    pub fn new(name: &str, contract: Address, result: Result<Revoked>) -> Self {
        Self { name: name.to_owned(), contract, result: result.map_err(|error| format!("{error:#}")) }
    }

    pub fn is_refused(&self) -> bool {
        self.result.is_err()
    }

    pub fn describe(&self, epoch: EpochId) -> String {
        let gas = self.gas();
        let done = match &self.result {
            Ok(Revoked::Here(_)) => format!("epoch {epoch} is revoked, {gas} gas"),
            Ok(Revoked::Ahead(_)) => {
                format!("epoch {epoch} is revoked before it is there, and is never accepted, {gas} gas")
            }
            Ok(Revoked::Already) => format!("epoch {epoch} was revoked before"),
            Ok(Revoked::Unneeded(reason)) => format!("nothing to revoke: {reason}"),
            Err(reason) => format!("refused: {reason}"),
        };
        format!("{}: {done}", self.name)
    }

    pub fn to_json(&self) -> Value {
        let (status, reason) = match &self.result {
            Ok(Revoked::Here(_)) => ("revoked", None),
            Ok(Revoked::Ahead(_)) => ("revokedAhead", None),
            Ok(Revoked::Already) => ("already", None),
            Ok(Revoked::Unneeded(reason)) => ("unneeded", Some(reason)),
            Err(reason) => ("refused", Some(reason)),
        };
        let transactions = self.receipts().iter().map(|receipt| receipt.transaction_hash).collect::<Vec<B256>>();
        json!({
            "name": self.name,
            "contract": self.contract,
            "status": status,
            "revoked": matches!(status, "revoked" | "revokedAhead" | "already"),
            "reason": reason,
            "transactions": transactions,
            "gas": self.gas(),
        })
    }

    fn receipts(&self) -> &[TransactionReceipt] {
        match &self.result {
            Ok(Revoked::Here(receipt)) => std::slice::from_ref(receipt.as_ref()),
            Ok(Revoked::Ahead(receipts)) => receipts,
            Ok(Revoked::Already | Revoked::Unneeded(_)) | Err(_) => &[],
        }
    }

    fn gas(&self) -> u64 {
        self.receipts().iter().map(|receipt| receipt.gas_used).sum()
    }
}

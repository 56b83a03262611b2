//! A call with its authorization, tried on chain and verified offline.

use super::stage::Stage;
use alloy::{
    eips::BlockId,
    network::TransactionBuilder,
    primitives::{Address, Bytes, U256},
    providers::Provider,
    rpc::types::TransactionRequest,
    sol_types::SolCall,
};
use anyhow::{Context, Result};
use assent_contracts::{TreasuryVault, errors};
use assent_verifier::{Authorization, Intent, Refusal, append_trailing, verify, verify_trailing};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Given to every attempt, so that a call that will be refused is mined all the same.
const GAS_LIMIT: u64 = 1_000_000;

/// A call of the vault.
pub struct Attempt {
    /// Who calls.
    pub caller: Address,
    /// What is called.
    pub carried: Carried,
    /// What travels along.
    pub authorization: Authorization,
}

/// The two ways to carry an authorization.
pub enum Carried {
    /// Behind this calldata.
    Trailing(Bytes),
    /// Beside this intent, which the vault is to execute.
    Explicit(Intent),
}

/// A call that must be refused.
pub struct Case {
    /// What is tried, in a word or two.
    pub check: &'static str,
    /// How.
    pub story: &'static str,
    /// The error that must come of it.
    pub expected: &'static str,
}

/// What came of an attempt, on both sides.
pub struct Comparison {
    /// What was tried, in a word or two.
    pub check: &'static str,
    /// How.
    pub story: &'static str,
    /// The error that must come of it on both sides; `None` when it must succeed.
    pub expected: Option<&'static str>,
    /// What the contracts reverted with; `None` when the call went through.
    pub on_chain: Option<Bytes>,
    /// What the verifier says they revert with; `None` when it accepts.
    pub offline: Option<Bytes>,
    /// Gas of the transaction, from its receipt.
    pub gas: u64,
    /// How long the offline verification took.
    pub time: Duration,
}

impl Attempt {
    /// Verifies offline, from what the chain says at its latest block, and takes the time.
    pub async fn verify_offline(&self, stage: &Stage) -> Result<(Option<Refusal>, Duration)> {
        let intent = self.intent(stage);
        let context = stage.client.read_context_for(stage.vault, self.caller, &intent, &self.authorization).await?;
        let authorization = self.authorization.encode();
        let calldata = self.calldata()?;
        let start = Instant::now();
        let result = match &self.carried {
            Carried::Trailing(_) => verify_trailing(&context, U256::ZERO, &calldata),
            Carried::Explicit(intent) => verify(&context, intent, &authorization),
        };
        Ok((result.err(), start.elapsed()))
    }

    /// Sends the call as a transaction and returns its gas and, when it failed, the revert data.
    pub async fn send(&self, stage: &Stage) -> Result<(u64, Option<Bytes>)> {
        let provider = stage.client.provider();
        let request = TransactionRequest::default()
            .with_from(self.caller)
            .with_to(stage.vault)
            .with_input(self.calldata()?)
            .with_gas_limit(GAS_LIMIT);
        let receipt = provider.send_transaction(request.clone()).await?.get_receipt().await?;
        if receipt.status() {
            return Ok((receipt.gas_used, None));
        }
        // A receipt has no revert data. A refused call has changed nothing, so the same call on top of its block, at that
        // block's time, reverts in the same way.
        let block = receipt.block_number.context("the receipt names no block")?;
        let answer = provider.call(request).block(BlockId::number(block)).await;
        let error = answer.err().context("a refused transaction was not refused when it was called again")?;
        let data = error.as_error_resp().and_then(|error| error.as_revert_data());
        Ok((receipt.gas_used, Some(data.context("the node does not say why a transaction was refused")?)))
    }

    /// Both sides of a call that must be refused in the way that the case says.
    pub async fn refused(&self, stage: &Stage, case: Case) -> Result<Comparison> {
        let Case { check, story, expected } = case;
        let (gas, on_chain) = self.send(stage).await?;
        // The context is read from the very block in which the call was refused.
        let (refusal, time) = self.verify_offline(stage).await?;
        let offline = refusal.map(|refusal| Bytes::from(refusal.revert_data()));
        Ok(Comparison { check, story, expected: Some(expected), on_chain, offline, gas, time })
    }

    fn intent(&self, stage: &Stage) -> Intent {
        match &self.carried {
            Carried::Trailing(data) => Intent { from: self.caller, ..stage.intent(data.clone()) },
            Carried::Explicit(intent) => intent.clone(),
        }
    }

    fn calldata(&self) -> Result<Bytes> {
        Ok(match &self.carried {
            Carried::Trailing(data) => append_trailing(data, &self.authorization)?.into(),
            Carried::Explicit(intent) => TreasuryVault::executeCall {
                intent: intent.clone().into(),
                authorization: self.authorization.encode().into(),
            }
            .abi_encode()
            .into(),
        })
    }
}

impl Comparison {
    /// Whether both sides say the same, to the last byte, and what they must.
    pub fn agrees(&self) -> bool {
        let name = self.on_chain.as_ref().map(|data| Refusal::decode(data).map(|refusal| refusal.name()));
        self.on_chain == self.offline && name == self.expected.map(Some)
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        let side =
            |data: &Option<Bytes>| json!({ "error": data.as_ref().map(|data| describe(data)), "revertData": data });
        json!({
            "check": self.check,
            "story": self.story,
            "expected": self.expected,
            "onChain": side(&self.on_chain),
            "offline": side(&self.offline),
            "agree": self.agrees(),
            "gas": self.gas,
            "microseconds": u64::try_from(self.time.as_micros()).unwrap_or(u64::MAX),
        })
    }
}

/// Revert data as an error with its arguments.
pub fn describe(revert_data: &[u8]) -> String {
    errors::describe(revert_data).unwrap_or_else(|| format!("unknown error {}", Bytes::copy_from_slice(revert_data)))
}

/// The error's name alone, for the table.
pub fn name(revert_data: &Option<Bytes>) -> String {
    match revert_data {
        None => "goes through".to_owned(),
        Some(data) => Refusal::decode(data).map_or_else(|| describe(data), |refusal| refusal.name().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(expected: Option<&'static str>, on_chain: Option<Refusal>, offline: Option<Refusal>) -> Comparison {
        let data = |refusal: Option<Refusal>| refusal.map(|refusal| Bytes::from(refusal.revert_data()));
        let (on_chain, offline) = (data(on_chain), data(offline));
        Comparison { check: "", story: "", expected, on_chain, offline, gas: 0, time: Duration::ZERO }
    }

    #[test]
    fn the_same_expected_error_agrees() {
        let revoked = Some(Refusal::EpochRevoked { epoch: 1 });
        assert!(comparison(Some("EpochRevoked"), revoked, revoked).agrees());
        assert!(comparison(None, None, None).agrees());
    }

    #[test]
    fn another_argument_of_the_same_error_disagrees() {
        let (one, two) = (Refusal::EpochRevoked { epoch: 1 }, Refusal::EpochRevoked { epoch: 2 });
        assert!(!comparison(Some("EpochRevoked"), Some(one), Some(two)).agrees());
    }

    #[test]
    fn both_sides_agreeing_on_what_must_not_be_is_no_agreement() {
        let denied = Some(Refusal::InvalidSignature);
        assert!(!comparison(Some("EpochRevoked"), denied, denied).agrees());
        assert!(!comparison(Some("EpochRevoked"), None, None).agrees(), "both let a call through that must be refused");
        assert!(!comparison(None, denied, denied).agrees(), "both refuse a call that must go through");
    }

    #[test]
    fn an_unknown_error_is_never_agreed_on() {
        let unknown = Some(Bytes::from_static(&[1, 2, 3, 4]));
        let comparison = Comparison { on_chain: unknown.clone(), offline: unknown, ..comparison(None, None, None) };
        assert!(!comparison.agrees());
    }
}

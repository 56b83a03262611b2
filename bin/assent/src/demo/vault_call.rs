//! A call of the vault with its authorization, sent on chain and verified offline.

use crate::{output, setup::Setup, verify::verify_offline};
use alloy::{
    eips::BlockId,
    network::TransactionBuilder,
    primitives::{Address, Bytes, U256, hex},
    providers::Provider,
    rpc::types::TransactionRequest,
};
use anyhow::{Context, Result};
use assent_examples::execute_call;
use assent_verifier::{Authorization, Call, Intent, Refusal, append_trailing};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The gas limit of every call, with which a refused call is mined too.
const GAS_LIMIT: u64 = 1_000_000;

/// A call of the vault.
pub struct VaultCall {
    /// The caller.
    pub caller: Address,
    /// How the authorization is passed.
    pub form: CallForm,
    /// The authorization.
    pub authorization: Authorization,
}

/// The two forms in which a call carries an authorization.
pub enum CallForm {
    /// Appended to this calldata.
    Trailing(Bytes),
    /// As an argument, beside this intent, which the vault executes.
    Explicit(Intent),
}

/// The result of a call on chain and offline.
pub struct Comparison {
    /// What was tried, in a few words.
    pub check: &'static str,
    /// How.
    pub story: &'static str,
    /// The error that both must give; `None` when the call must succeed.
    pub expected: Option<&'static str>,
    /// The contracts' revert data; `None` when the call succeeded.
    pub on_chain: Option<Bytes>,
    /// The verifier's revert data; `None` when it accepts.
    pub offline: Option<Bytes>,
    /// Gas of the transaction, from its receipt.
    pub gas: u64,
    /// How long the offline verification took.
    pub time: Duration,
    /// Why the policy denied the call; empty unless it did.
    pub reasons: Vec<String>,
}

impl VaultCall {
    /// Verifies offline, with the context of the latest block, and measures the time.
    pub async fn verify_offline(&self, setup: &Setup) -> Result<(Option<Refusal>, Duration)> {
        let intent = self.intent(setup);
        let context = setup.client.read_context_for(setup.vault, self.caller, &intent, &self.authorization).await?;
        let authorization = self.authorization.encode();
        let calldata = self.calldata(setup)?;
        let start = Instant::now();
        let call = match &self.form {
            CallForm::Trailing(_) => Call::Trailing { value: U256::ZERO, calldata: &calldata },
            CallForm::Explicit(intent) => Call::Explicit { intent, authorization: &authorization },
        };
        let result = verify_offline(&context, call).into_result();
        Ok((result.err(), start.elapsed()))
    }

    /// Sends the call as a transaction and returns its gas and, when it failed, the revert data.
    pub async fn send(&self, setup: &Setup) -> Result<(u64, Option<Bytes>)> {
        let provider = setup.client.provider();
        let request = TransactionRequest::default()
            .with_from(self.caller)
            .with_to(setup.vault)
            .with_input(self.calldata(setup)?)
            .with_gas_limit(GAS_LIMIT);
        let receipt = provider.send_transaction(request.clone()).await?.get_receipt().await?;
        if receipt.status() {
            return Ok((receipt.gas_used, None));
        }
        // A receipt has no revert data. A refused call changes no state, so the same call on top of its block, at that
        // block's time, reverts in the same way.
        let block = receipt.block_number.context("the receipt has no block")?;
        let answer = provider.call(request).block(BlockId::number(block)).await;
        let error = answer.err().context("a refused transaction was not refused when it was called again")?;
        let data = error.as_error_resp().and_then(|error| error.as_revert_data());
        Ok((receipt.gas_used, Some(data.context("the node gives no revert data")?)))
    }

    fn intent(&self, setup: &Setup) -> Intent {
        match &self.form {
            CallForm::Trailing(data) => Intent { from: self.caller, ..setup.intent(data.clone()) },
            CallForm::Explicit(intent) => intent.clone(),
        }
    }

    fn calldata(&self, setup: &Setup) -> Result<Bytes> {
        Ok(match &self.form {
            CallForm::Trailing(data) => append_trailing(data, &self.authorization)?.into(),
            CallForm::Explicit(intent) => execute_call(setup.vault, intent, &self.authorization).data,
        })
    }
}

impl Comparison {
    /// Returns whether both results are the expected one and equal, to the last byte.
    pub fn agrees(&self) -> bool {
        let name = self.on_chain.as_ref().map(|data| Refusal::decode(data).map(|refusal| refusal.name()));
        self.on_chain == self.offline && name == self.expected.map(Some)
    }

    /// Returns what was tried, and below it why the policy denied it.
    pub fn check_with_reasons(&self) -> String {
        let reasons = self.reasons.iter().map(|reason| format!("\n  {}", wrapped(reason)));
        format!("{}{}", self.check, reasons.collect::<String>())
    }

    /// Returns the comparison as JSON.
    pub fn to_json(&self) -> Value {
        let side =
            |data: &Option<Bytes>| json!({ "error": data.as_ref().map(|data| describe(data)), "revertData": data });
        json!({
            "check": self.check,
            "story": self.story,
            "expected": self.expected,
            "onChain": side(&self.on_chain),
            "offline": side(&self.offline),
            "reasons": self.reasons,
            "agree": self.agrees(),
            "gas": self.gas,
            "microseconds": u64::try_from(self.time.as_micros()).unwrap_or(u64::MAX),
        })
    }
}

/// Breaks a reason into lines that fit the table's first column.
fn wrapped(reason: &str) -> String {
    let mut lines = vec![String::new()];
    for word in reason.split(' ') {
        let word = match hex::decode(word) {
            Ok(bytes) if word.starts_with("0x") => output::shortened(bytes),
            _ => word.to_owned(),
        };
        let last = lines.last().map_or(0, String::len);
        if last > 0 && last + word.len() > 28 {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(&word);
        }
    }
    lines.join("\n  ")
}

/// Returns revert data as an error with its arguments.
pub fn describe(revert_data: &[u8]) -> String {
    assent_examples::describe(revert_data)
        .unwrap_or_else(|| format!("unknown error {}", Bytes::copy_from_slice(revert_data)))
}

/// Returns only the error's name, for the table.
pub fn name(revert_data: &Option<Bytes>) -> String {
    match revert_data {
        None => "succeeds".to_owned(),
        Some(data) => Refusal::decode(data).map_or_else(|| describe(data), |refusal| refusal.name().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assent_verifier::EpochId;

    fn comparison(expected: Option<&'static str>, on_chain: Option<Refusal>, offline: Option<Refusal>) -> Comparison {
        let data = |refusal: Option<Refusal>| refusal.map(|refusal| Bytes::from(refusal.revert_data()));
        let (on_chain, offline) = (data(on_chain), data(offline));
        Comparison { check: "", story: "", expected, on_chain, offline, gas: 0, time: Duration::ZERO, reasons: vec![] }
    }

    #[test]
    fn the_same_expected_error_agrees() {
        let revoked = Some(Refusal::EpochRevoked { epoch: EpochId(1) });
        assert!(comparison(Some("EpochRevoked"), revoked, revoked).agrees());
        assert!(comparison(None, None, None).agrees());
    }

    #[test]
    fn another_argument_of_the_same_error_disagrees() {
        let (one, two) = (Refusal::EpochRevoked { epoch: EpochId(1) }, Refusal::EpochRevoked { epoch: EpochId(2) });
        assert!(!comparison(Some("EpochRevoked"), Some(one), Some(two)).agrees());
    }

    #[test]
    fn both_sides_agreeing_on_what_must_not_be_is_no_agreement() {
        let denied = Some(Refusal::InvalidSignature);
        assert!(!comparison(Some("EpochRevoked"), denied, denied).agrees());
        assert!(!comparison(Some("EpochRevoked"), None, None).agrees(), "both accept a call that must be refused");
        assert!(!comparison(None, denied, denied).agrees(), "both refuse a call that must succeed");
    }

    #[test]
    fn an_unknown_error_is_never_agreed_on() {
        let unknown = Some(Bytes::from_static(&[1, 2, 3, 4]));
        let comparison = Comparison { on_chain: unknown.clone(), offline: unknown, ..comparison(None, None, None) };
        assert!(!comparison.agrees());
    }
}

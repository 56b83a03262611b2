//! Payments that the agent asks the network for.

use crate::{
    network::LocalNetwork,
    output::{self, Output, short_address},
    request,
    setup::Setup,
};
use alloy::primitives::{Address, Bytes};
use anyhow::Result;
use assent_client::gateway::{AuthorizationRequest, DecidedTask, GatewayClient};
use assent_verifier::Decision;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A payment on which operators decided.
pub struct AskedPayment {
    /// The amount in whole tokens.
    tokens: &'static str,
    /// The call's data.
    pub data: Bytes,
    /// What the gateway answered.
    pub decided: DecidedTask,
    /// How long it took from the request to the answer.
    elapsed: Duration,
}

impl AskedPayment {
    /// Asks the gateway for a payment, and waits until operators have decided.
    pub async fn ask(network: &LocalNetwork, tokens: &'static str) -> Result<Self> {
        let setup = &network.setup;
        let data = setup.payment(tokens)?;
        let gateway = GatewayClient::new(&network.gateway_urls)?;
        let request = AuthorizationRequest::new(setup.vault, setup.intent(data.clone()));
        let begun = Instant::now();
        let decided = gateway.request_authorization(&request).await?;
        Ok(Self { tokens, data, decided, elapsed: begun.elapsed() })
    }

    /// Prints the intent, the decision, each operator's answer and the attestation.
    pub fn print(&self, setup: &Setup, output: Output) -> Result<()> {
        let Self { tokens, decided, elapsed, .. } = self;
        let (token, recipient) = (short_address(setup.token), short_address(setup.recipient));
        output
            .line(format_args!("   intent       pay({token}, {recipient}, {tokens} EXT) of the vault, by the agent"))?;
        for operator in &setup.operators {
            output.line(format_args!("   operator     {}", self.answer(operator.address)))?;
        }
        output.line(format_args!("   decision     {}, after {} ms", decided.decision, elapsed.as_millis()))?;
        match decided.decision {
            Decision::Allow => output.line("   reason       no rule of the policy denies it")?,
            Decision::Deny => {
                for reason in &decided.reasons {
                    output.line(format_args!("   reason       {reason}"))?;
                }
            }
        }
        let attestation = &decided.document.attestation;
        let lifetime = attestation.expiration.saturating_sub(attestation.issuedAt);
        output.line(format_args!(
            "   attestation  task {}, evidence {}",
            output::shortened(attestation.taskId),
            output::shortened(attestation.evidence),
        ))?;
        output.line(format_args!(
            "                signed by {} of {} operators, valid for {lifetime} s",
            self.signers(setup),
            setup.operators.len(),
        ))?;
        Ok(())
    }

    /// Returns the number of operators that signed.
    fn signers(&self, setup: &Setup) -> usize {
        setup.operators.len().saturating_sub(self.decided.document.non_signers.count())
    }

    /// Returns what an operator answered, and when.
    fn answer(&self, operator: Address) -> String {
        let name = short_address(operator);
        let timings = self.decided.timings.as_ref();
        let progress = timings.and_then(|timings| {
            let found = timings.operators.iter().find(|progress| progress.operator == operator)?;
            Some((found, found.at.saturating_sub(timings.received_at)))
        });
        match progress {
            Some((progress, after)) => format!("{name}  {:<14} after {after} ms", request::answer(progress)),
            None => format!("{name}  not waited for: a quorum had answered"),
        }
    }

    /// Returns the decision for programs.
    pub fn to_json(&self) -> Value {
        let mut report = request::report(&self.decided);
        if let Value::Object(report) = &mut report {
            report.insert("tokens".to_owned(), json!(self.tokens));
            report
                .insert("milliseconds".to_owned(), json!(u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX)));
        }
        report
    }
}

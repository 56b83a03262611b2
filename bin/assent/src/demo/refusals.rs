//! Calls that must be refused, each sent on chain and verified offline.

use super::{
    asked::AskedPayment,
    node::Node,
    signing::{LIFETIME, Question, SIGNERS},
    vault_call::{CallForm, Comparison, VaultCall, describe},
};
use crate::{
    output::{self, Output},
    setup::Setup,
    transaction::send,
};
use alloy::{
    hex,
    primitives::{Address, Bytes, U256, keccak256},
    sol_types::SolCall,
};
use anyhow::Result;
use assent_examples::{ExampleToken, TreasuryVault};
use assent_signer::SecretKey;
use assent_verifier::{AttestationDocument, Authorization, Intent};
use std::pin::Pin;

/// A call that is being made.
type Prepared<'a> = Pin<Box<dyn Future<Output = Result<VaultCall>> + 'a>>;

/// A call that must be refused.
struct Case {
    /// What is tried, in a few words.
    check: &'static str,
    /// How.
    story: &'static str,
    /// The error with which it must be refused.
    expected: &'static str,
    /// Makes the call.
    prepare: for<'a> fn(&'a mut Scene<'_>) -> Prepared<'a>,
}

/// What a case can use and change.
struct Scene<'a> {
    setup: &'a mut Setup,
    node: &'a Node,
    /// The authorization of the payment that succeeded.
    used: &'a Authorization,
    /// The payment that operators denied.
    denied: &'a AskedPayment,
    /// A nonce that no other case uses.
    nonce: u64,
    /// Why the policy denied the call; empty unless it did.
    reasons: Vec<String>,
}

const CASES: [Case; 11] = [
    Case {
        check: "a denial",
        story: "The agent sends the payment of 900 EXT with the attestation of its denial.",
        expected: "PolicyDenied",
        prepare: |scene| {
            Box::pin(async {
                scene.reasons = scene.denied.decided.reasons.clone();
                let (form, authorization) =
                    (CallForm::Trailing(scene.denied.data.clone()), scene.denied.decided.authorization.clone());
                Ok(VaultCall { caller: scene.setup.agent, form, authorization })
            })
        },
    },
    Case {
        check: "the same authorization twice",
        story: "The agent sends the same call again.",
        expected: "AttestationAlreadySpent",
        prepare: |scene| Box::pin(async { scene.payment(scene.used.clone()) }),
    },
    Case {
        check: "one byte of calldata changed",
        story: "The agent changes the last byte of the amount.",
        expected: "WrongTask",
        prepare: |scene| {
            Box::pin(async {
                let mut call = scene.payment(scene.authorization(scene.question()?).await?)?;
                if let CallForm::Trailing(data) = &mut call.form {
                    let mut bytes = data.to_vec();
                    bytes.last_mut().into_iter().for_each(|last| *last ^= 1);
                    *data = bytes.into();
                }
                Ok(call)
            })
        },
    },
    Case {
        check: "another caller",
        story: "The owner appoints another agent, which uses the first agent's attestation.",
        expected: "WrongTask",
        prepare: |scene| {
            Box::pin(async {
                let call = scene.payment(scene.authorization(scene.question()?).await?)?;
                Ok(VaultCall { caller: scene.setup.other_agent, ..call })
            })
        },
    },
    Case {
        check: "another caller, explicit intent",
        story: "The same, with an intent that the vault executes.",
        expected: "WrongSender",
        prepare: |scene| {
            Box::pin(async {
                let call = scene.explicit(scene.transfer_intent()).await?;
                Ok(VaultCall { caller: scene.setup.other_agent, ..call })
            })
        },
    },
    Case {
        check: "another chain",
        story: "The operators allowed the payment on the next chain, where the contracts have the same addresses.",
        expected: "WrongTask",
        prepare: |scene| {
            Box::pin(async {
                let mut question = scene.question()?;
                question.chain_id = scene.next_chain_id();
                question.intent.chainId = question.chain_id;
                scene.payment(scene.authorization(question).await?)
            })
        },
    },
    Case {
        check: "another chain, explicit intent",
        story: "The same, with an intent that names that chain.",
        expected: "WrongChain",
        prepare: |scene| {
            Box::pin(async {
                scene.explicit(Intent { chainId: scene.next_chain_id(), ..scene.transfer_intent() }).await
            })
        },
    },
    Case {
        check: "too few signers",
        story: "4 of 7 operators signed.",
        expected: "QuorumNotReached",
        prepare: |scene| {
            Box::pin(async {
                let question = Question { signers: SIGNERS - 1, ..scene.question()? };
                scene.payment(scene.authorization(question).await?)
            })
        },
    },
    Case {
        check: "a forged signature",
        story: "An account that is not an operator signed in the name of 5 of 7.",
        expected: "InvalidSignature",
        prepare: |scene| {
            Box::pin(async {
                let answer = scene.setup.attest(scene.question()?).await?;
                let forger = SecretKey::from_key_material(keccak256("Assent demo, a forger").as_slice())?;
                let signature = forger.sign_root(answer.aggregate.root);
                scene.payment(AttestationDocument { signature, ..answer.document }.authorization()?)
            })
        },
    },
    Case {
        check: "after expiry",
        story: "The agent waits for ten minutes.",
        expected: "AttestationExpired",
        prepare: |scene| {
            Box::pin(async {
                let call = scene.payment(scene.authorization(scene.question()?).await?)?;
                scene.node.advance_clock(LIFETIME).await?;
                Ok(call)
            })
        },
    },
    Case {
        check: "under a revoked epoch",
        story: "A key was stolen: the owner commits the next epoch and revokes the one that signed.",
        expected: "EpochRevoked",
        prepare: |scene| {
            Box::pin(async {
                let call = scene.payment(scene.authorization(scene.question()?).await?)?;
                scene.setup.replace_epoch().await?;
                Ok(call)
            })
        },
    },
];

/// Sends each refused call. `paid` is the payment that succeeded.
pub async fn run(
    setup: &mut Setup,
    node: &Node,
    paid: &AskedPayment,
    denied: &AskedPayment,
    output: Output,
) -> Result<Vec<Comparison>> {
    let used = &paid.decided.authorization;
    let mut refused = Vec::new();
    for (nonce, case) in (0..).zip(&CASES) {
        let mut scene = Scene { setup, node, used, denied, nonce, reasons: Vec::new() };
        let call = (case.prepare)(&mut scene).await?;
        let reasons = scene.reasons;
        let comparison = Comparison { reasons, ..compare(setup, case, &call).await? };
        print(&comparison, output)?;
        refused.push(comparison);
    }
    Ok(refused)
}

async fn compare(setup: &Setup, case: &Case, call: &VaultCall) -> Result<Comparison> {
    let Case { check, story, expected, .. } = *case;
    // The vault refuses every caller except its agent, before it looks at the authorization.
    let stranger = call.caller != setup.agent;
    if stranger {
        setup.appoint(call.caller).await?;
    }
    let (gas, on_chain) = call.send(setup).await?;
    // The context is read from the very block in which the call was refused.
    let (refusal, time) = call.verify_offline(setup).await?;
    let offline = refusal.map(|refusal| Bytes::from(refusal.revert_data()));
    if stranger {
        setup.appoint(setup.agent).await?;
    }
    Ok(Comparison { check, story, expected: Some(expected), on_chain, offline, gas, time, reasons: Vec::new() })
}

impl Scene<'_> {
    /// Asks the operators to allow the payment of 250 EXT.
    fn question(&self) -> Result<Question> {
        Ok(self.setup.question(self.setup.intent(self.setup.payment("250")?), self.nonce))
    }

    async fn authorization(&self, question: Question) -> Result<Authorization> {
        Ok(self.setup.attest(question).await?.authorization)
    }

    /// Returns the payment of 250 EXT by the agent, with an authorization.
    fn payment(&self, authorization: Authorization) -> Result<VaultCall> {
        let form = CallForm::Trailing(self.setup.payment("250")?);
        Ok(VaultCall { caller: self.setup.agent, form, authorization })
    }

    /// Returns the agent's call that has the vault execute an intent which the operators allowed.
    async fn explicit(&self, intent: Intent) -> Result<VaultCall> {
        let authorization = self.authorization(self.setup.question(intent.clone(), self.nonce)).await?;
        Ok(VaultCall { caller: self.setup.agent, form: CallForm::Explicit(intent), authorization })
    }

    /// Returns the intent of a call that the vault itself makes: a transfer of its tokens.
    fn transfer_intent(&self) -> Intent {
        let transfer = ExampleToken::transferCall { to: self.setup.recipient, value: U256::from(1) };
        Intent { to: self.setup.token, ..self.setup.intent(transfer.abi_encode().into()) }
    }

    fn next_chain_id(&self) -> U256 {
        self.setup.chain_id.wrapping_add(U256::ONE)
    }
}

impl Setup {
    async fn appoint(&self, agent: Address) -> Result<()> {
        let call = TreasuryVault::setAgentCall { newAgent: agent };
        send(&self.client, self.owner, self.vault, &call).await?;
        Ok(())
    }

    /// Commits the next epoch and revokes the one before it, without a grace period.
    async fn replace_epoch(&mut self) -> Result<()> {
        let old = self.epoch.number;
        self.commit_next_epoch().await?;
        self.client.revoke_epochs(self.deployment.operator_registry.address, self.owner, &[old]).await?;
        Ok(())
    }
}

fn print(comparison: &Comparison, output: Output) -> Result<()> {
    let side =
        |data: &Option<Bytes>| data.as_ref().map_or_else(|| "succeeds".to_owned(), |data| shortened(&describe(data)));
    output.line(format_args!("\n   {}: {}", comparison.check, comparison.story))?;
    output.line(format_args!("     on chain  {}", side(&comparison.on_chain)))?;
    output.line(format_args!("     offline   {}", side(&comparison.offline)))?;
    for reason in &comparison.reasons {
        output.line(format_args!("     reason    {reason}"))?;
    }
    Ok(())
}

/// Shortens the addresses and hashes in an error.
fn shortened(error: &str) -> String {
    let shorten = |word: &str| match hex::decode(word) {
        Ok(bytes) if word.starts_with("0x") => output::shortened(bytes),
        _ => word.to_owned(),
    };
    let Some((name, arguments)) = error.trim_end_matches(')').split_once('(') else { return error.to_owned() };
    format!("{name}({})", arguments.split(", ").map(shorten).collect::<Vec<_>>().join(", "))
}

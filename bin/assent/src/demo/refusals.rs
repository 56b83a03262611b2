//! Calls that must be refused, each tried on chain and offline.

use super::{
    attempt::{Attempt, Carried, Case, Comparison, describe},
    node::Node,
    signing::{LIFETIME, Question},
    stage::Stage,
};
use crate::output::{self, Output};
use alloy::{
    hex,
    primitives::{Address, Bytes, U256, keccak256},
    sol_types::SolCall,
};
use anyhow::Result;
use assent_client::Call;
use assent_contracts::{ExampleToken, TreasuryVault};
use assent_signer::SecretKey;
use assent_verifier::{AttestationDocument, Authorization, Decision, Intent};

/// Tries one refused call after the other. `used` is the authorization of the payment that went through.
pub async fn run(stage: &mut Stage, node: &Node, used: &Authorization, output: Output) -> Result<Vec<Comparison>> {
    let mut refused = Vec::new();
    let mut record = |comparison: Comparison| -> Result<()> {
        print(&comparison, output)?;
        refused.push(comparison);
        Ok(())
    };
    record(stage.same_authorization_twice(used).await?)?;
    record(stage.one_byte_changed().await?)?;
    record(stage.another_caller().await?)?;
    record(stage.another_caller_of_an_explicit_intent().await?)?;
    record(stage.another_chain().await?)?;
    record(stage.explicit_intent_for_another_chain().await?)?;
    record(stage.too_few_signers().await?)?;
    record(stage.forged_signature().await?)?;
    record(stage.after_expiry(node).await?)?;
    record(stage.revoked_epoch().await?)?;
    record(stage.denial().await?)?;
    Ok(refused)
}

fn print(comparison: &Comparison, output: Output) -> Result<()> {
    let side = |data: &Option<Bytes>| {
        data.as_ref().map_or_else(|| "goes through".to_owned(), |data| shortened(&describe(data)))
    };
    output.line(format_args!("\n   {}: {}", comparison.check, comparison.story))?;
    output.line(format_args!("     on chain  {}", side(&comparison.on_chain)))?;
    output.line(format_args!("     offline   {}", side(&comparison.offline)))?;
    Ok(())
}

/// An error with its long arguments, addresses and hashes, shortened.
fn shortened(error: &str) -> String {
    let shorten = |word: &str| match hex::decode(word) {
        Ok(bytes) if word.starts_with("0x") => output::shortened(bytes),
        _ => word.to_owned(),
    };
    let Some((name, arguments)) = error.trim_end_matches(')').split_once('(') else { return error.to_owned() };
    format!("{name}({})", arguments.split(", ").map(shorten).collect::<Vec<_>>().join(", "))
}

impl Stage {
    async fn same_authorization_twice(&self, used: &Authorization) -> Result<Comparison> {
        self.trailing(self.agent, self.payment("250")?, used.clone())
            .refused(
                self,
                Case {
                    check: "the same authorization twice",
                    story: "The agent sends the same call again.",
                    expected: "AttestationAlreadySpent",
                },
            )
            .await
    }

    async fn one_byte_changed(&self) -> Result<Comparison> {
        let authorization = self.ask(self.payment_question(1)?).await?.authorization;
        let mut data = self.payment("250")?.to_vec();
        if let Some(last) = data.last_mut() {
            *last ^= 1;
        }
        self.trailing(self.agent, data.into(), authorization)
            .refused(
                self,
                Case {
                    check: "one byte of calldata changed",
                    story: "The agent changes the last byte of the amount.",
                    expected: "WrongTask",
                },
            )
            .await
    }

    /// The vault lets its agent alone in, so another agent is appointed, and uses what was attested to the first.
    async fn another_caller(&self) -> Result<Comparison> {
        let authorization = self.ask(self.payment_question(2)?).await?.authorization;
        self.appoint(self.other_agent).await?;
        let attempt = self.trailing(self.other_agent, self.payment("250")?, authorization);
        let comparison = attempt
            .refused(
                self,
                Case {
                    check: "another caller",
                    story: "Another agent is appointed, and uses what was attested to the first.",
                    expected: "WrongTask",
                },
            )
            .await?;
        self.appoint(self.agent).await?;
        Ok(comparison)
    }

    async fn another_caller_of_an_explicit_intent(&self) -> Result<Comparison> {
        let intent = self.transfer_intent()?;
        let authorization = self.ask(self.question(intent.clone(), 3)).await?.authorization;
        self.appoint(self.other_agent).await?;
        let attempt = Attempt { caller: self.other_agent, carried: Carried::Explicit(intent), authorization };
        let comparison = attempt
            .refused(
                self,
                Case {
                    check: "another caller, explicit intent",
                    story: "The same, with an intent that the vault is to execute as it stands.",
                    expected: "WrongSender",
                },
            )
            .await?;
        self.appoint(self.agent).await?;
        Ok(comparison)
    }

    async fn another_chain(&self) -> Result<Comparison> {
        let mut question = self.payment_question(4)?;
        question.chain_id = self.next_chain_id();
        question.intent.chainId = question.chain_id;
        let authorization = self.ask(question).await?.authorization;
        self.trailing(self.agent, self.payment("250")?, authorization).refused(self, Case { check: "another chain", story: "The operators have allowed the payment on the next chain, where the contracts stand at the same addresses.", expected: "WrongTask" }).await
    }

    async fn explicit_intent_for_another_chain(&self) -> Result<Comparison> {
        let intent = Intent { chainId: self.next_chain_id(), ..self.transfer_intent()? };
        let authorization = self.ask(self.question(intent.clone(), 5)).await?.authorization;
        Attempt { caller: self.agent, carried: Carried::Explicit(intent), authorization }
            .refused(
                self,
                Case {
                    check: "another chain, explicit intent",
                    story: "The same, with an intent that names that chain.",
                    expected: "WrongChain",
                },
            )
            .await
    }

    async fn too_few_signers(&self) -> Result<Comparison> {
        let question = Question { signers: super::stage::SIGNERS - 1, ..self.payment_question(6)? };
        let authorization = self.ask(question).await?.authorization;
        self.trailing(self.agent, self.payment("250")?, authorization)
            .refused(
                self,
                Case { check: "too few signers", story: "4 of 7 operators have signed.", expected: "QuorumNotReached" },
            )
            .await
    }

    /// A sound signature of somebody who is no operator.
    async fn forged_signature(&self) -> Result<Comparison> {
        let answer = self.ask(self.payment_question(7)?).await?;
        let forger = SecretKey::from_key_material(keccak256("Assent demo, a forger").as_slice())?;
        let signature = forger.sign_root(answer.aggregate.root);
        let forged = AttestationDocument { signature, ..answer.document };
        let authorization = forged.authorization()?;
        self.trailing(self.agent, self.payment("250")?, authorization)
            .refused(
                self,
                Case {
                    check: "a forged signature",
                    story: "Somebody who is no operator has signed in the name of 5 of 7.",
                    expected: "InvalidSignature",
                },
            )
            .await
    }

    async fn after_expiry(&self, node: &Node) -> Result<Comparison> {
        let authorization = self.ask(self.payment_question(8)?).await?.authorization;
        node.advance_clock(LIFETIME).await?;
        self.trailing(self.agent, self.payment("250")?, authorization)
            .refused(
                self,
                Case {
                    check: "after expiry",
                    story: "The agent waits for ten minutes.",
                    expected: "AttestationExpired",
                },
            )
            .await
    }

    /// The owner has found an operator's key stolen: the next epoch begins, and the old one ends without grace.
    async fn revoked_epoch(&mut self) -> Result<Comparison> {
        let authorization = self.ask(self.payment_question(9)?).await?.authorization;
        let old = self.epoch.number;
        self.commit_next_epoch().await?;
        self.client.revoke_epoch(self.deployment.operator_registry.address, self.owner, old).await?;
        self.trailing(self.agent, self.payment("250")?, authorization)
            .refused(
                self,
                Case {
                    check: "under a revoked epoch",
                    story: "The owner finds a key stolen, commits the next epoch and revokes the one that has signed.",
                    expected: "EpochRevoked",
                },
            )
            .await
    }

    async fn denial(&self) -> Result<Comparison> {
        let question = Question { decision: Decision::Deny, ..self.question(self.intent(self.payment("900")?), 10) };
        let authorization = self.ask(question).await?.authorization;
        self.trailing(self.agent, self.payment("900")?, authorization)
            .refused(
                self,
                Case {
                    check: "a denial",
                    story: "The agent asks for 900 EXT; the operators find that the policy forbids it, and sign that.",
                    expected: "PolicyDenied",
                },
            )
            .await
    }

    fn trailing(&self, caller: Address, data: Bytes, authorization: Authorization) -> Attempt {
        Attempt { caller, carried: Carried::Trailing(data), authorization }
    }

    fn payment_question(&self, nonce: u64) -> Result<Question> {
        Ok(self.question(self.intent(self.payment("250")?), nonce))
    }

    /// A call that the vault is to make itself: a transfer of its tokens.
    fn transfer_intent(&self) -> Result<Intent> {
        let transfer = ExampleToken::transferCall { to: self.recipient, value: U256::from(1) };
        Ok(Intent { to: self.token, ..self.intent(transfer.abi_encode().into()) })
    }

    async fn appoint(&self, agent: Address) -> Result<()> {
        let call = TreasuryVault::setAgentCall { newAgent: agent };
        self.client.send(&Call::new(self.owner, self.vault, call.abi_encode())).await?;
        Ok(())
    }

    fn next_chain_id(&self) -> U256 {
        self.chain_id.wrapping_add(U256::ONE)
    }
}

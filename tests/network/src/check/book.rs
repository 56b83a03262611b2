//! What gateways accepted, and how it ended.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use alloy::primitives::{Address, B256, U256};
use anyhow::{Context as _, Result, bail, ensure};
use assent_network::{Domain, Task};
use assent_types::{AttestationDocument, Intent, digest::attestation_digest};
use assent_verifier::EpochId;
use serde_json::Value;

/// The tasks that gateways accepted in this run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Book(Arc<Mutex<BTreeMap<B256, Entry>>>);

/// An accepted task.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The round in which it was accepted.
    pub(crate) round: u64,
    pub(crate) task: Task,
    pub(crate) outcome: Option<Outcome>,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Attested(Box<Attested>),
    /// It has no attestation, with the failure's code.
    Failed(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attested {
    pub(crate) digest: B256,
    pub(crate) evidence: B256,
    pub(crate) authorization: String,
    pub(crate) signers: Vec<Address>,
    pub(crate) is_allowed: bool,
}

impl Book {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<B256, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an accepted task, as a gateway describes it. Returns its id.
    pub(crate) fn accept(&self, round: u64, answer: &Value, domain: Domain) -> Result<B256> {
        let task = read_task(answer)?;
        let task_id = hash(answer, "taskId")?;
        ensure!(task.id(domain) == task_id, "the gateway gives another id to a task: {answer}");
        self.lock().entry(task_id).or_insert(Entry { round, task, outcome: None });
        Ok(task_id)
    }

    /// Notes how a task ended, if it did. Returns whether it did.
    ///
    /// # Errors
    /// If it ended otherwise before, or is not the task that was accepted.
    pub(crate) fn answer(&self, task_id: B256, answer: &Value, domain: Domain) -> Result<bool> {
        let Some(outcome) = Outcome::read(answer, domain)? else { return Ok(false) };
        let mut entries = self.lock();
        let entry = entries.get_mut(&task_id).context("an answer about a task that was not accepted")?;
        ensure!(read_task(answer)? == entry.task, "the gateway describes the task {task_id} differently: {answer}");
        match &entry.outcome {
            None => entry.outcome = Some(outcome),
            Some(before) => {
                ensure!(before.is_same(&outcome), "the task {task_id} had the end {before:?}, and has {outcome:?}")
            }
        }
        Ok(true)
    }

    /// Returns the tasks that have no end yet.
    pub(crate) fn open(&self) -> Vec<B256> {
        self.lock().iter().filter(|(_, entry)| entry.outcome.is_none()).map(|(id, _)| *id).collect()
    }

    /// Returns the tasks of a round.
    pub(crate) fn of_round(&self, round: u64) -> Vec<(B256, Entry)> {
        self.lock().iter().filter(|(_, entry)| entry.round == round).map(|(id, entry)| (*id, entry.clone())).collect()
    }

    /// Returns every task that ended.
    pub(crate) fn ended(&self) -> Vec<(B256, Entry)> {
        self.lock().iter().filter(|(_, entry)| entry.outcome.is_some()).map(|(id, e)| (*id, e.clone())).collect()
    }
}

impl Outcome {
    fn read(answer: &Value, domain: Domain) -> Result<Option<Self>> {
        match answer["status"].as_str() {
            Some("pending") => Ok(None),
            Some("failed") => {
                let code = answer["failure"]["code"].as_str().context("a failure without a code")?;
                Ok(Some(Self::Failed(code.to_owned())))
            }
            Some("attested") => {
                let document: AttestationDocument = serde_json::from_value(answer["document"].clone())?;
                let Domain { chain_id, task_manager } = domain;
                ensure!(document.chain_id == chain_id && document.task_manager == task_manager, "{answer}");
                let attestation = &document.attestation;
                Ok(Some(Self::Attested(Box::new(Attested {
                    digest: attestation_digest(attestation, chain_id, task_manager),
                    evidence: attestation.evidence,
                    authorization: answer["authorization"].as_str().context("no authorization")?.to_owned(),
                    signers: serde_json::from_value(answer["signers"].clone()).context("no signers")?,
                    is_allowed: answer["decision"] == "allow",
                }))))
            }
            _ => bail!("a task without a status: {answer}"),
        }
    }

    /// Returns whether a task that ended so can be shown as ended in another way.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            // Two gateways show the same attestation.
            (Self::Attested(one), Self::Attested(two)) => {
                (one.digest, &one.authorization) == (two.digest, &two.authorization)
            }
            (one, two) => one == two,
        }
    }
}

fn hash(value: &Value, key: &str) -> Result<B256> {
    Ok(value[key].as_str().with_context(|| format!("no {key} in {value}"))?.parse()?)
}

fn read_task(answer: &Value) -> Result<Task> {
    let address = |key: &str| -> Result<Address> {
        Ok(answer[key].as_str().with_context(|| format!("no {key} in {answer}"))?.parse()?)
    };
    let number = |value: &Value| value.as_u64().with_context(|| format!("not a number: {value}"));
    let intent: Intent = serde_json::from_value(answer["intent"].clone())?;
    Ok(Task {
        policy_client: address("policyClient")?,
        policy_id: hash(answer, "policyId")?,
        nonce: answer["nonce"].as_str().context("no nonce")?.parse::<U256>()?,
        intent,
        expiration: number(&answer["expiration"])?,
        epoch: EpochId(u32::try_from(number(&answer["epoch"])?)?),
        block_number: number(&answer["block"]["number"])?,
        block_hash: hash(&answer["block"], "hash")?,
        block_timestamp: number(&answer["block"]["timestamp"])?,
    })
}

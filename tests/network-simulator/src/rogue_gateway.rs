//! A gateway that lies: it forks tasks, feeds other observations to each operator, replays and alters.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256};
use assent_network::{
    LinkId, Task,
    message::{AgreedOutput, GatewayMessage, HandoverName, OperatorMessage, SourceObservation},
};

use assent_signer::AttestationBatch;
use assent_types::{Decision, EpochId, Signature};

use crate::{faults::opposite, random::Random, scheme::domain};

#[derive(Default)]
pub(crate) struct RogueGateway {
    links: BTreeMap<LinkId, Option<Address>>,
    /// What operators observed, by task, also of tasks that it forked.
    observed: BTreeMap<B256, Vec<(Address, SourceObservation)>>,
    offered: Vec<Task>,
    /// What operators said that they decided.
    decided: BTreeMap<(LinkId, B256), (Decision, B256)>,
    /// The roots that it asked an operator to sign, with a leaf that the operator did not decide so.
    forged: BTreeSet<(LinkId, B256)>,
}

impl RogueGateway {
    pub(crate) fn opened(&mut self, link: LinkId) {
        self.links.insert(link, None);
    }

    pub(crate) fn closed(&mut self, link: LinkId) {
        self.links.remove(&link);
        self.decided.retain(|(of, _), _| *of != link);
    }

    /// Returns whether an operator signed a root that it must not.
    pub(crate) fn is_forged(&self, link: LinkId, message: &[u8]) -> bool {
        match OperatorMessage::parse(message) {
            Ok(OperatorMessage::BatchSigned { root, .. }) => self.forged.contains(&(link, root)),
            _ => false,
        }
    }

    /// Returns the messages with which it answers.
    pub(crate) fn receive(&mut self, link: LinkId, message: &[u8], random: &mut Random) -> Vec<String> {
        let Ok(message) = OperatorMessage::parse(message) else { return Vec::new() };
        match message {
            OperatorMessage::Hello { operator, .. } => {
                self.links.insert(link, Some(operator));
                let challenge = random.hash();
                let version = if random.percent(80) { 3 } else { random.between(1, 2) };
                let version = u16::try_from(version).unwrap_or(1);
                vec![GatewayMessage::Challenge { version, challenge, domain: domain() }.to_json()]
            }
            OperatorMessage::Proof { .. } => vec![GatewayMessage::Welcome.to_json()],
            OperatorMessage::Observed { task_id, observations } => {
                if let Some(Some(operator)) = self.links.get(&link) {
                    let of_task = self.observed.entry(task_id).or_default();
                    of_task.extend(observations.into_iter().map(|observation| (*operator, observation)));
                }
                Vec::new()
            }
            OperatorMessage::Decided { task_id, decision, evidence, .. } => {
                self.decided.insert((link, task_id), (decision, evidence));
                // Now and then at once, while the operator still knows the task.
                if random.percent(60) { self.sign_batch(link, random).into_iter().collect() } else { Vec::new() }
            }
            _ => Vec::new(),
        }
    }

    /// Asks an operator to sign a batch of what it decided, or of something else.
    fn sign_batch(&mut self, link: LinkId, random: &mut Random) -> Option<String> {
        let mut attestations = Vec::new();
        let mut task_ids = Vec::new();
        let forges = random.percent(60);
        for ((_, task_id), (decision, evidence)) in self.decided.iter().filter(|((of, _), _)| *of == link) {
            let task = self.offered.iter().find(|task| task.id(domain()) == *task_id)?;
            let mut statement = (*decision, *evidence);
            if forges && (attestations.is_empty() || random.percent(30)) {
                match random.below(2) {
                    0 => statement.0 = opposite(statement.0),
                    _ => statement.1 = random.hash(),
                }
            }
            attestations.push(task.attestation(domain(), statement.0, statement.1));
            task_ids.push(*task_id);
        }
        let batch = AttestationBatch::new(attestations, domain().chain_id, domain().task_manager).ok()?;
        let root = batch.root();
        if forges {
            self.forged.insert((link, root));
        }
        Some(GatewayMessage::SignBatch { root, task_ids }.to_json())
    }

    /// Returns a message for some of its links. `tasks` are those of the honest gateway.
    pub(crate) fn mischief(&mut self, tasks: &[Task], random: &mut Random) -> Vec<(LinkId, String)> {
        let links: Vec<LinkId> =
            self.links.iter().filter(|(_, operator)| operator.is_some()).map(|(link, _)| *link).collect();
        let mut messages = Vec::new();
        for link in links {
            match random.below(10) {
                0..=3 => messages.extend(self.offer(tasks, random).map(|message| (link, message))),
                4..=6 => messages.extend(self.decide(random).map(|message| (link, message))),
                7 => messages.extend(self.sign_batch(link, random).map(|message| (link, message))),
                8 if random.percent(60) => {
                    messages.extend(self.again(random).into_iter().map(|message| (link, message)));
                }
                9 if random.percent(50) => {
                    let mut epoch = || EpochId(u32::try_from(random.between(0, 3)).unwrap_or(0));
                    let handover = HandoverName { epoch: epoch(), signed_by: epoch() };
                    messages.push((link, GatewayMessage::SignHandover { handover }.to_json()));
                }
                8 if random.percent(20) => messages.push((link, "{\"type\":\"offer\"}".into())),
                _ => {}
            }
        }
        messages
    }

    /// Returns the messages of a flood: many tasks that it never has decided, and observations that no one signed.
    ///
    /// Its tasks have nonces that no caller asks for: what it knows of a caller's task it could have decided otherwise.
    pub(crate) fn flood(&mut self, tasks: &[Task], random: &mut Random) -> Vec<(LinkId, String)> {
        let operators: Vec<Address> = self.links.values().copied().flatten().collect();
        let mut messages = Vec::new();
        for (link, _) in self.links.iter().filter(|(_, operator)| operator.is_some()) {
            for _ in 0..4 {
                let Some(task) = random.pick(tasks) else { return messages };
                let task = Task { nonce: U256::from(random.between(1000, u64::MAX - 1)), ..task.clone() };
                let task_id = task.id(domain());
                messages.push((*link, GatewayMessage::Offer { task }.to_json()));
                if random.percent(10) {
                    let signatures = operators.iter().map(|operator| (*operator, Signature([7; Signature::LENGTH])));
                    let output = r#"{"value":"5"}"#.into();
                    let observers = signatures.collect();
                    let observations = vec![AgreedOutput { source: "limit".into(), output, observers }];
                    messages.push((*link, GatewayMessage::Decide { task_id, observations }.to_json()));
                }
            }
        }
        messages
    }

    fn offer(&mut self, tasks: &[Task], random: &mut Random) -> Option<String> {
        let mut task = random.pick(tasks)?.clone();
        match random.below(6) {
            0 => task.expiration += random.between(1, 3),
            1 => task.nonce += U256::from(1),
            2 => task.block_timestamp += 1,
            3 => task.intent.value += U256::from(1),
            4 => task.expiration = task.block_timestamp,
            _ => {}
        }
        self.offered.push(task.clone());
        let for_batch = random.percent(40);
        Some(if for_batch { GatewayMessage::OfferForBatch { task } } else { GatewayMessage::Offer { task } }.to_json())
    }

    /// Has a task decided, cancels it, and has it decided on other observations before the first result is there.
    fn again(&self, random: &mut Random) -> Vec<String> {
        let Some(task) = random.pick(&self.offered) else { return Vec::new() };
        let task_id = task.id(domain());
        let (offer, cancel) = (GatewayMessage::Offer { task: task.clone() }, GatewayMessage::Cancel { task_id });
        let mut messages = vec![offer.to_json()];
        for _ in 0..2 {
            messages.extend(self.decide_task(task_id, random));
            messages.extend([cancel.to_json(), offer.to_json()]);
        }
        messages.extend(self.decide_task(task_id, random));
        messages
    }

    fn decide(&self, random: &mut Random) -> Option<String> {
        let observed: Vec<_> = self.observed.keys().collect();
        let task_id = **random.pick(&observed)?;
        self.decide_task(task_id, random)
    }

    fn decide_task(&self, task_id: B256, random: &mut Random) -> Option<String> {
        let observations = self.observed.get(&task_id)?;
        let mut outputs: BTreeMap<&str, AgreedOutput> = BTreeMap::new();
        for (operator, SourceObservation { source, output, signature }) in observations.iter() {
            if random.percent(15) {
                continue;
            }
            let new = || AgreedOutput { source: source.clone(), output: output.clone(), observers: Vec::new() };
            let agreed = outputs.entry(output).or_insert_with(new);
            agreed.observers.push((*operator, *signature));
            if random.percent(3) {
                agreed.observers.push((*operator, *signature));
            }
        }
        let mut observations: Vec<_> = outputs.into_values().collect();
        if let (true, Some(first)) = (random.percent(25), observations.first_mut()) {
            first.output = r#"{"value":"9"}"#.into();
        }
        let task_id = if random.percent(5) { random.hash() } else { task_id };
        Some(GatewayMessage::Decide { task_id, observations }.to_json())
    }
}

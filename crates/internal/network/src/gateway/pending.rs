//! One task, from its acceptance to its end.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256};
use assent_signer::{Aggregate, AttestationBatch, PartialSignature};
use assent_types::{Attestation, AttestationDocument, Decision, Signature};
use assent_verifier::{Context, Epoch, Operator, Refusal, SpentNonces};

use super::{
    Accepted, Action, Answer, Failure, FailureCode, LoggedTask, OperatorAnswer, OperatorAnswerKind, Record, RequestId,
    TaskOutcome, TaskProgress,
    choosing::{Choice, Waited},
    held::{HeldObservations, Shares},
    send,
};
use crate::{
    Domain, LinkId, Scheme,
    message::{AgreedOutput, BATCHES, GatewayMessage, Refused, SourceObservation},
    observations::signed,
    scheme::ContractCall,
    task::{required_weight, weight, weight_of},
};

/// The longest time between two offers to operators that do not answer, in milliseconds.
const MAX_OFFER_MILLIS: u64 = 8000;

#[derive(Debug)]
pub(super) struct Pending {
    task_id: B256,
    pub(super) accepted: Accepted,
    waiters: BTreeSet<RequestId>,
    pub(super) stage: Stage,
    /// The observations on which the operators decide.
    pub(super) agreed: Option<Vec<AgreedOutput>>,
    /// Whether a record failed, and must be made again.
    pub(super) record_again: bool,
    /// Whether the operators sign it with a batch; not chosen before it is offered.
    pub(super) for_batch: Option<bool>,
    answers: BTreeMap<Address, Answers>,
    /// The operators that are asked; without, all are.
    asked: Option<BTreeSet<Address>>,
    /// When each operator first got the task (Unix time in milliseconds).
    offered: BTreeMap<Address, u64>,
    /// Since when decisions of a quorum are there, signed or not (Unix time in milliseconds).
    pub(super) decided_since: Option<u64>,
    deadlines: Deadlines,
    /// How many operators' observations came, or were dropped.
    observation_count: usize,
    /// With how many no set suited, and after which time.
    unsuitable: Option<(usize, Waited)>,
    /// The time between the last two offers, in milliseconds.
    offer_millis: u64,
    /// When the gateway got the task, and when it was durable.
    pub(super) since: u64,
    pub(super) accepted_at: Option<u64>,
    /// When the observations were durable, when a quorum had signed, and when the end was durable.
    pub(super) agreed_at: Option<u64>,
    pub(super) decided_at: Option<u64>,
    pub(super) ended_at: Option<u64>,
}

/// What a task waits for.
#[derive(Debug)]
pub(super) enum Stage {
    /// The record that it was accepted.
    Accepting,
    /// Observations.
    Collecting,
    /// The record of the observations.
    Agreeing,
    /// Signatures.
    Deciding,
    /// The record of its end.
    Finishing(TaskOutcome),
    Finished(TaskOutcome),
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Deadlines {
    /// When observations that differ are enough.
    pub(super) observations: u64,
    /// When any are enough: those that do not fit, and those that are too far from what operators observed.
    pub(super) all_observations: u64,
    /// When the task is offered again.
    pub(super) next_offer: u64,
}

/// What one operator answered.
#[derive(Debug, Default)]
struct Answers {
    observed: Option<HeldObservations>,
    /// What it decided, to sign it with a batch.
    decided: Option<Statement>,
    signed: Option<(Statement, Signature)>,
    refused: Option<Refused>,
    /// Whether a signature of it was invalid.
    is_excluded: bool,
    /// When the last answer came.
    at: u64,
}

#[derive(Debug)]
struct Statement {
    decision: Decision,
    evidence: B256,
    reasons: Vec<String>,
}

impl Statement {
    fn key(&self) -> StatementKey {
        (u8::from(self.decision), self.evidence)
    }
}

/// A decision, as attestations have it, and the hash of its evidence.
pub(super) type StatementKey = (u8, B256);

impl Pending {
    pub(super) fn new(task_id: B256, accepted: Accepted, request: RequestId, now_millis: u64) -> Self {
        Self {
            task_id,
            accepted,
            waiters: BTreeSet::from([request]),
            stage: Stage::Accepting,
            agreed: None,
            record_again: false,
            for_batch: None,
            answers: BTreeMap::new(),
            asked: None,
            offered: BTreeMap::new(),
            decided_since: None,
            deadlines: Deadlines::default(),
            observation_count: 0,
            unsuitable: None,
            offer_millis: 0,
            since: now_millis,
            accepted_at: None,
            agreed_at: None,
            decided_at: None,
            ended_at: None,
        }
    }

    pub(super) fn recovered(task_id: B256, logged: LoggedTask, deadlines: Deadlines, now_millis: u64) -> Self {
        let mut pending = Self::new(task_id, logged.accepted.clone(), 0, now_millis);
        pending.waiters.clear();
        pending.resume(logged, deadlines, now_millis);
        pending
    }

    /// Takes a task over as the task log has it.
    pub(super) fn resume(&mut self, logged: LoggedTask, deadlines: Deadlines, now_millis: u64) {
        self.accepted = logged.accepted;
        self.agreed = logged.agreed;
        self.agreed_at = self.agreed.is_some().then_some(now_millis);
        match logged.outcome {
            Some(outcome) => {
                self.stage = Stage::Finished(outcome);
                self.drop_observations();
                self.ended_at = Some(now_millis);
            }
            None => self.begin(deadlines),
        }
    }

    /// Returns what callers are shown of the task, if it is recorded.
    pub(super) fn progress(&self) -> Option<TaskProgress> {
        let outcome = match &self.stage {
            Stage::Accepting => return None,
            Stage::Finished(outcome) => Some(outcome.clone()),
            _ => None,
        };
        let answered = self.answers.iter().filter(|(_, answers)| answers.at > 0);
        let answers = answered.filter_map(|(operator, answers)| {
            let kind = answers.kind()?;
            Some(OperatorAnswer { operator: *operator, kind, at: answers.at })
        });
        Some(TaskProgress {
            accepted: self.accepted.clone(),
            since: self.since,
            accepted_at: self.accepted_at,
            agreed_at: self.agreed_at,
            decided_at: self.decided_at,
            ended_at: self.ended_at,
            outcome,
            answers: answers.collect(),
        })
    }

    /// Returns the operators that decided, each with how long after the task it did, in milliseconds.
    pub(super) fn decision_times(&self) -> impl Iterator<Item = (Address, u64)> + '_ {
        let decided = self.answers.iter().filter(|(_, answers)| !answers.is_excluded && answers.statement().is_some());
        decided.map(|(operator, answers)| (*operator, answers.at.saturating_sub(self.since)))
    }

    pub(super) fn answered_at(&mut self, operator: Address, now_millis: u64) {
        if let Some(answers) = self.answers.get_mut(&operator) {
            answers.at = now_millis;
        }
    }

    /// Starts the work of a task that is recorded.
    pub(super) fn begin(&mut self, deadlines: Deadlines) {
        let needs_observations = !self.accepted.sources.is_empty() && self.agreed.is_none();
        self.stage = if needs_observations { Stage::Collecting } else { Stage::Deciding };
        self.deadlines = deadlines;
    }

    pub(super) fn abandon(&mut self, request: RequestId) {
        self.waiters.remove(&request);
    }

    pub(super) fn join(&mut self, request: RequestId, task_id: B256, max: usize, actions: &mut Vec<Action>) {
        let answer = match &self.stage {
            Stage::Finished(outcome) => Answer::Finished { task_id, outcome: outcome.clone() },
            _ if self.waiters.len() >= max => {
                let failure = Failure::new(FailureCode::Busy, "too many callers wait for this task", true);
                Answer::Failed(failure)
            }
            // It is accepted once it is recorded.
            Stage::Accepting => {
                self.waiters.insert(request);
                return;
            }
            _ => {
                self.waiters.insert(request);
                Answer::Accepted { task_id }
            }
        };
        actions.push(Action::Answer { request, answer });
    }

    pub(super) fn accept_all(&self, task_id: B256, actions: &mut Vec<Action>) {
        let answers = self.waiters.iter();
        actions
            .extend(answers.map(|request| Action::Answer { request: *request, answer: Answer::Accepted { task_id } }));
    }

    /// Answers all callers that wait. Nothing follows for them.
    pub(super) fn answer_all(&mut self, answer: &Answer, actions: &mut Vec<Action>) {
        let waiters = core::mem::take(&mut self.waiters);
        actions.extend(waiters.into_iter().map(|request| Action::Answer { request, answer: answer.clone() }));
    }

    /// Returns the record that the task waits for.
    pub(super) fn record(&self) -> Option<Record> {
        match &self.stage {
            Stage::Accepting => Some(Record::Accepted(Box::new(self.accepted.clone()))),
            Stage::Agreeing => self.agreed.clone().map(Record::Agreed),
            Stage::Finishing(outcome) => Some(Record::Finished(outcome.clone())),
            Stage::Collecting | Stage::Deciding | Stage::Finished(_) => None,
        }
    }

    /// Returns whether operators that did not answer are asked again, and doubles the time until the next.
    pub(super) fn is_offer_due(&mut self, now_millis: u64, first_millis: u64) -> bool {
        if now_millis < self.deadlines.next_offer {
            return false;
        }
        let next = self.offer_millis.saturating_mul(2).clamp(first_millis, MAX_OFFER_MILLIS.max(first_millis));
        self.offer_millis = next;
        self.deadlines.next_offer = now_millis.saturating_add(next);
        // What was refused for a while may be signed now.
        for answers in self.answers.values_mut() {
            if answers.refused.as_ref().is_some_and(|refusal| refusal.retryable) {
                answers.refused = None;
            }
        }
        true
    }

    /// Returns whether an operator has decided, be it signed or not.
    pub(super) fn has_decided(&self, operator: Address) -> bool {
        self.answers.get(&operator).is_some_and(|answers| answers.statement().is_some())
    }

    /// Chooses who is asked first: some operators, or all.
    pub(super) fn ask_first(&mut self, asked: Option<BTreeSet<Address>>) {
        self.asked = asked;
    }

    /// Has all operators asked from now on.
    pub(super) fn ask_all(&mut self) {
        self.asked = None;
    }

    /// Returns whether only some operators are asked, and have been for too long.
    pub(super) fn is_late(&self, now_millis: u64, patience_millis: u64) -> bool {
        let first = self.offered.values().min();
        self.asked.is_some() && first.is_some_and(|first| first.saturating_add(patience_millis) <= now_millis)
    }

    /// Returns whether only some operators are asked, and those that did not refuse are no quorum.
    pub(super) fn asks_too_few(&self, epoch: &Epoch) -> bool {
        let Some(asked) = &self.asked else { return false };
        let refuses = |answers: &Answers| answers.is_excluded || answers.refused.is_some();
        let willing = asked.iter().filter(|operator| !self.answers.get(*operator).is_some_and(refuses));
        weight(epoch, willing.copied()) < required_weight(epoch, &self.accepted.client_policy)
    }

    /// Returns whether an operator got the task.
    pub(super) fn is_offered_to(&self, operator: Address) -> bool {
        self.offered.contains_key(&operator)
    }

    /// Returns the operators that got the task and answered nothing.
    pub(super) fn silent(&self) -> impl Iterator<Item = Address> + '_ {
        self.offered.keys().filter(|operator| !self.has_answered(**operator)).copied()
    }

    /// Returns how long an operator has had the task, if it has answered nothing yet.
    pub(super) fn first_answer_after(&self, operator: Address, now_millis: u64) -> Option<u64> {
        let offered = self.offered.get(&operator).filter(|_| !self.has_answered(operator))?;
        Some(now_millis.saturating_sub(*offered))
    }

    fn has_answered(&self, operator: Address) -> bool {
        self.answers.get(&operator).is_some_and(|answers| answers.at > 0)
    }

    /// Drops what an operator answered, and takes no more of it.
    pub(super) fn exclude(&mut self, operator: Address) {
        if self.is_open() {
            self.answers.entry(operator).or_default().is_excluded = true;
            self.observation_count = self.observation_count.saturating_add(1);
        }
    }

    /// Sends an operator what it needs for its next answer, if it is asked.
    pub(super) fn send_to(
        &mut self,
        operator: Address,
        link: LinkId,
        version: u16,
        now_millis: u64,
        actions: &mut Vec<Action>,
    ) {
        if !self.is_open() || self.asked.as_ref().is_some_and(|asked| !asked.contains(&operator)) {
            return;
        }
        let answers = self.answers.get(&operator);
        let for_batch = self.for_batch == Some(true) && version >= BATCHES;
        let has_answered = |answers: &Answers| {
            answers.signed.is_some() || answers.is_out() || (for_batch && answers.decided.is_some())
        };
        if answers.is_some_and(has_answered) {
            return;
        }
        let task = self.accepted.task.clone();
        let offer = if for_batch { GatewayMessage::OfferForBatch { task } } else { GatewayMessage::Offer { task } };
        send(link, &offer, actions);
        self.offered.entry(operator).or_insert(now_millis);
        if let (Stage::Deciding, Some(agreed)) = (&self.stage, &self.agreed) {
            let message = GatewayMessage::Decide { task_id: self.task_id, observations: agreed.clone() };
            send(link, &message, actions);
        }
    }

    /// Takes an operator's observations. The first that it gives count, and those for which its share has room.
    pub(super) fn observed(&mut self, operator: Address, observations: Vec<SourceObservation>, shares: &Shares) {
        let names = observations.iter().map(|observation| &observation.source);
        // Of each source one, in order, so that no one counts twice.
        if !names.eq(&self.accepted.sources.keys()) {
            return;
        }
        if matches!(self.stage, Stage::Finishing(_) | Stage::Finished(_)) {
            return;
        }
        let is_needed = !matches!(self.stage, Stage::Deciding);
        // Once a set is chosen, no one decides on another.
        let observations = if is_needed { observations } else { Vec::new() };
        let answers = self.answers.entry(operator).or_default();
        answers.refused = None;
        if answers.observed.is_none() {
            answers.observed = shares.hold(operator, observations, &self.accepted.sources);
            self.observation_count = self.observation_count.saturating_add(1);
        }
    }

    /// Drops what was observed, which would otherwise stay until the expiration.
    pub(super) fn drop_observations(&mut self) {
        self.answers.values_mut().filter_map(|answers| answers.observed.as_mut()).for_each(HeldObservations::clear);
    }

    /// Takes an operator's signature. The first that it gives counts.
    pub(super) fn signed(
        &mut self,
        operator: Address,
        decision: Decision,
        evidence: B256,
        signature: Signature,
        reasons: Vec<String>,
    ) {
        let answers = self.answers.entry(operator).or_default();
        answers.refused = None;
        answers.signed.get_or_insert((Statement { decision, evidence, reasons }, signature));
    }

    /// Takes what an operator decided, to sign it with a batch. The first that it gives counts.
    pub(super) fn decided(&mut self, operator: Address, decision: Decision, evidence: B256, reasons: Vec<String>) {
        let answers = self.answers.entry(operator).or_default();
        answers.refused = None;
        answers.decided.get_or_insert(Statement { decision, evidence, reasons });
    }

    /// Forgets what an operator decided and did not sign: it no longer knows it.
    pub(super) fn forget_decided(&mut self, operator: Address) {
        if let Some(answers) = self.answers.get_mut(&operator) {
            answers.decided = None;
        }
    }

    /// Returns whether the task waits for a batch.
    pub(super) fn waits_for_batch(&self) -> bool {
        self.for_batch == Some(true) && matches!(self.stage, Stage::Deciding)
    }

    /// Returns whether the task is worked on.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Collecting | Stage::Agreeing | Stage::Deciding)
    }

    /// Returns the statement on which a quorum of operators that count agrees, signed or not.
    pub(super) fn quorums_statement(&self, epoch: &Epoch, counts: impl Fn(Address) -> bool) -> Option<StatementKey> {
        let required = required_weight(epoch, &self.accepted.client_policy);
        let weights = self.weights(epoch, counts, Answers::statement);
        weights.into_iter().find(|(_, weight)| *weight >= required).map(|(statement, _)| statement)
    }

    /// Returns whether an operator made a statement, signed or not.
    pub(super) fn agrees(&self, operator: Address, statement: StatementKey) -> bool {
        let answers = self.answers.get(&operator).filter(|answers| !answers.is_excluded);
        answers.and_then(Answers::statement).is_some_and(|own| own.key() == statement)
    }

    /// Returns the attestation of a statement.
    pub(super) fn attestation(&self, (decision, evidence): StatementKey, domain: Domain) -> Option<Attestation> {
        let decision = Decision::try_from(decision).ok()?;
        Some(self.accepted.task.attestation(domain, decision, evidence))
    }

    pub(super) fn refused(&mut self, operator: Address, refusal: Refused) {
        let answers = self.answers.entry(operator).or_default();
        if answers.signed.is_none() {
            answers.decided = None;
            answers.refused = Some(refusal);
        }
    }

    /// Returns the task's end, if a quorum signed one statement.
    ///
    /// Operators whose signatures are invalid are excluded, and are appended to `liars`.
    pub(super) fn outcome<S: Scheme>(
        &mut self,
        epoch: &Epoch,
        scheme: &S,
        domain: Domain,
        liars: &mut Vec<Address>,
    ) -> Option<TaskOutcome> {
        if !matches!(self.stage, Stage::Collecting | Stage::Deciding) {
            return None;
        }
        let required = required_weight(epoch, &self.accepted.client_policy);
        // Each round that fails excludes an operator, so that the loop ends.
        loop {
            let statements = self.weights(epoch, |_| true, Answers::signed_statement);
            let (&statement, _) = statements.iter().find(|(_, weight)| **weight >= required)?;
            let partials: Vec<_> = self.signers_of(statement).collect();
            let attestation = self.attestation(statement, domain).into_iter().collect();
            let batch = AttestationBatch::new(attestation, domain.chain_id, domain.task_manager).ok();
            // With valid signatures, the check that the contract makes is the only one that costs anything.
            if let Some(batch) = &batch
                && let Ok(sum) = scheme.sum(epoch, batch.root(), &partials)
                && let attested @ TaskOutcome::Attested { .. } = self.concluded(statement, batch, &sum, epoch, scheme)
            {
                return Some(attested);
            }
            let aggregate = batch.as_ref().and_then(|batch| scheme.aggregate(epoch, batch.root(), &partials).ok());
            for operator in rejected(&partials, aggregate.as_ref()) {
                if let Some(answers) = self.answers.get_mut(&operator) {
                    answers.is_excluded = true;
                    liars.push(operator);
                }
            }
            if let (Some(batch), Some(aggregate)) = (&batch, &aggregate)
                && U256::from(aggregate.signed_weight) >= required
            {
                return Some(self.concluded(statement, batch, aggregate, epoch, scheme));
            }
        }
    }

    /// Returns the weight of the operators that made each statement.
    fn weights(
        &self,
        epoch: &Epoch,
        counts: impl Fn(Address) -> bool,
        statement_of: impl Fn(&Answers) -> Option<&Statement>,
    ) -> BTreeMap<StatementKey, U256> {
        let mut weights: BTreeMap<_, U256> = BTreeMap::new();
        for (operator, answers) in &self.answers {
            if let (Some(statement), false) = (statement_of(answers), answers.is_excluded)
                && counts(*operator)
            {
                let sum = weights.entry(statement.key()).or_default();
                *sum = sum.saturating_add(weight_of(epoch, *operator).map(U256::from).unwrap_or_default());
            }
        }
        weights
    }

    fn signers_of(&self, statement: StatementKey) -> impl Iterator<Item = PartialSignature> + '_ {
        let valid = self.answers.iter().filter(|(_, answers)| !answers.is_excluded);
        valid.filter_map(move |(operator, answers)| {
            let (own, signature) = answers.signed.as_ref()?;
            (own.key() == statement).then(|| PartialSignature::new(*operator, signature))
        })
    }

    /// Makes the document, and every check that the client's contract would make at the task's time.
    fn concluded<S: Scheme>(
        &self,
        statement: StatementKey,
        batch: &AttestationBatch,
        aggregate: &Aggregate,
        epoch: &Epoch,
        scheme: &S,
    ) -> TaskOutcome {
        match self.authorized(batch, aggregate, 0, epoch) {
            Ok((document, call)) => {
                let result = scheme.verify(&call.context, &call.intent, &call.authorization);
                self.outcome_of(statement, document, result, epoch)
            }
            Err(outcome) => outcome,
        }
    }

    /// Returns the document of the task's leaf in a batch and the call that it authorises. Without such a leaf it
    /// returns the task's end.
    pub(super) fn authorized(
        &self,
        batch: &AttestationBatch,
        aggregate: &Aggregate,
        index: usize,
        epoch: &Epoch,
    ) -> Result<(AttestationDocument, ContractCall), TaskOutcome> {
        let document = aggregate.document(batch, index).map_err(|error| refused_by_client(error.to_string()))?;
        let call = self.accepted.call(&document, epoch).map_err(|refusal| refused_by_client(refusal.to_string()))?;
        Ok((document, call))
    }

    /// Returns the task's end from what the client's contract says of a document.
    pub(super) fn outcome_of(
        &self,
        statement: StatementKey,
        document: AttestationDocument,
        result: Result<(), Refusal>,
        epoch: &Epoch,
    ) -> TaskOutcome {
        match attested(result) {
            Ok(()) => {
                let reasons = self.reasons(statement, epoch);
                TaskOutcome::Attested { document: Box::new(document), reasons }
            }
            Err(refusal) => refused_by_client(refusal.to_string()),
        }
    }

    /// Returns the reasons for a statement that operators with the most weight gave.
    ///
    /// Reasons are not signed: a single operator must not choose them.
    fn reasons(&self, statement: StatementKey, epoch: &Epoch) -> Vec<String> {
        let mut weights: BTreeMap<&[String], U256> = BTreeMap::new();
        for (operator, answers) in self.answers.iter().filter(|(_, answers)| !answers.is_excluded) {
            if let Some(own) = answers.statement().filter(|own| own.key() == statement) {
                let weight = weights.entry(&own.reasons).or_default();
                *weight = weight.saturating_add(weight_of(epoch, *operator).map(U256::from).unwrap_or_default());
            }
        }
        let most = weights.into_iter().max_by_key(|(_, weight)| *weight);
        most.map(|(reasons, _)| reasons.to_vec()).unwrap_or_default()
    }

    /// Returns the observations on which the operators decide, if those of a quorum are there and valid.
    ///
    /// Operators whose signatures are invalid are excluded, and are appended to `liars`. Those that are not awaited
    /// count if they answered.
    pub(super) fn agree<S: Scheme>(
        &mut self,
        epoch: &Epoch,
        scheme: &S,
        domain: Domain,
        now_millis: u64,
        is_awaited: impl Fn(Address) -> bool,
        liars: &mut Vec<Address>,
    ) -> Option<Vec<AgreedOutput>> {
        if !matches!(self.stage, Stage::Collecting) {
            return None;
        }
        let has_observed = |operator: &Operator| {
            let answers = self.answers.get(&operator.address);
            answers.is_some_and(|answers| answers.observed.is_some() || answers.is_out())
        };
        // Those that were not asked yet are asked soon.
        let missing = epoch.operators.operators().iter().filter(|operator| !has_observed(operator));
        let is_awaiting = missing.map(|operator| is_awaited(operator.address)).reduce(|one, other| one || other);
        let waited = match is_awaiting {
            None => Waited::Longest,
            Some(_) if now_millis >= self.deadlines.all_observations => Waited::Longest,
            Some(false) => Waited::Enough,
            Some(true) if now_millis >= self.deadlines.observations => Waited::Enough,
            Some(true) => Waited::Briefly,
        };
        if self.unsuitable == Some((self.observation_count, waited)) {
            return None;
        }
        // Each round that fails drops an operator's observations, so that the loop ends.
        loop {
            let Some(chosen) = self.choice(epoch, waited).choose() else {
                self.unsuitable = Some((self.observation_count, waited));
                return None;
            };
            let signed = signed(self.task_id, self.accepted.task.block_hash, &chosen);
            let valid = scheme.verify_observations(epoch, &signed, domain);
            if valid.len() == signed.len() && !valid.contains(&false) {
                return Some(chosen);
            }
            let is_valid = |index: usize| valid.get(index) == Some(&true);
            for (_, observation) in signed.iter().enumerate().filter(|(index, _)| !is_valid(*index)) {
                if let Some(answers) = self.answers.get_mut(&observation.operator)
                    && !core::mem::replace(&mut answers.is_excluded, true)
                {
                    liars.push(observation.operator);
                }
            }
        }
    }

    fn choice<'a>(&'a self, epoch: &'a Epoch, waited: Waited) -> Choice<'a> {
        let valid = self.answers.iter().filter(|(_, answers)| !answers.is_excluded);
        let observed = valid.filter_map(|(operator, answers)| Some((*operator, answers.observed.as_ref()?)));
        Choice::new(&self.accepted, epoch, observed.collect(), waited)
    }

    /// Returns why no quorum can sign any more, if that is so.
    pub(super) fn hopeless(&self, epoch: &Epoch) -> Option<Failure> {
        if !matches!(self.stage, Stage::Collecting | Stage::Deciding) {
            return None;
        }
        let required = required_weight(epoch, &self.accepted.client_policy);
        let mut open = U256::ZERO;
        for operator in epoch.operators.operators() {
            let answers = self.answers.get(&operator.address);
            if !answers.is_some_and(|answers| answers.statement().is_some() || answers.is_out()) {
                open = open.saturating_add(U256::from(operator.weight));
            }
        }
        let best = self.weights(epoch, |_| true, Answers::statement).into_values().max().unwrap_or_default();
        if best.saturating_add(open) >= required {
            return None;
        }
        let refusals = self.answers.values().filter_map(|answers| answers.refused.as_ref());
        let reasons: BTreeSet<_> = refusals.map(|refusal| refusal.message.as_str()).take(4).collect();
        let reasons = reasons.into_iter().collect::<Vec<_>>().join("; ");
        let message = if reasons.is_empty() {
            "the operators signed different statements: ask again with another nonce".to_owned()
        } else {
            format!("too few operators sign: {reasons}")
        };
        Some(Failure::new(FailureCode::NoQuorum, message, false))
    }
}

impl Answers {
    fn kind(&self) -> Option<OperatorAnswerKind> {
        if self.is_excluded {
            return Some(OperatorAnswerKind::Invalid);
        }
        if let Some((statement, _)) = &self.signed {
            return Some(OperatorAnswerKind::Signed(statement.decision));
        }
        if let Some(statement) = &self.decided {
            return Some(OperatorAnswerKind::Decided(statement.decision));
        }
        let refused = self.refused.clone().map(OperatorAnswerKind::Refused);
        refused.or_else(|| self.observed.is_some().then_some(OperatorAnswerKind::Observed))
    }

    fn signed_statement(&self) -> Option<&Statement> {
        self.signed.as_ref().map(|(statement, _)| statement)
    }

    /// Returns what the operator decided, signed or not.
    fn statement(&self) -> Option<&Statement> {
        self.signed_statement().or(self.decided.as_ref())
    }

    /// Returns whether nothing more is to be expected of the operator.
    fn is_out(&self) -> bool {
        self.is_excluded || self.refused.as_ref().is_some_and(|refusal| !refusal.retryable)
    }
}

impl Accepted {
    /// Verifies the task's attestation as the client's contract would at the reference block. A denial is valid, too.
    ///
    /// # Errors
    ///
    /// The contract's [`Refusal`].
    pub fn verify<S: Scheme>(&self, document: &AttestationDocument, epoch: &Epoch, scheme: &S) -> Result<(), Refusal> {
        let ContractCall { context, intent, authorization } = self.call(document, epoch)?;
        attested(scheme.verify(&context, &intent, &authorization))
    }

    /// Returns the call that a document authorises, and what the client's contract compares it with.
    fn call(&self, document: &AttestationDocument, epoch: &Epoch) -> Result<ContractCall, Refusal> {
        let Self { task, client_policy, issuance_floor, .. } = self;
        let context = Context::builder(SpentNonces::default())
            .chain_id(document.chain_id)
            .task_manager(document.task_manager)
            .policy_client(task.policy_client)
            .policy(client_policy.clone())
            .issuance_floor(*issuance_floor)
            .caller(task.intent.from)
            .timestamp(task.block_timestamp)
            .epochs([epoch.clone()])
            .build();
        let authorization = document.authorization().map_err(|_| Refusal::MalformedAuthorization)?;
        Ok(ContractCall { context, intent: task.intent.clone(), authorization: authorization.encode().to_vec() })
    }
}

/// Returns the operators whose signatures are not in an aggregate. Without an aggregate, those are all.
pub(super) fn rejected(partials: &[PartialSignature], aggregate: Option<&Aggregate>) -> BTreeSet<Address> {
    match aggregate {
        Some(aggregate) => aggregate.rejected.iter().map(|rejected| rejected.operator).collect(),
        None => partials.iter().map(|partial| partial.operator).collect(),
    }
}

/// Returns whether a statement is attested: a denial, which is checked last, is what the caller asked for as well.
fn attested(result: Result<(), Refusal>) -> Result<(), Refusal> {
    match result {
        Err(Refusal::PolicyDenied { .. }) => Ok(()),
        result => result,
    }
}

fn refused_by_client(reason: String) -> TaskOutcome {
    let message = format!("the client's contract would refuse what the operators signed: {reason}");
    TaskOutcome::Failed(Failure::new(FailureCode::Refused, message, false))
}

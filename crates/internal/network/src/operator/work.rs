//! The steps of one task.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use alloy_primitives::B256;
use assent_json::Value;
use assent_policy::{Evaluation, EvaluationError, EvidenceFile, MAX_OUTPUT, Observations};
use assent_types::{Attestation, Decision, Observation, Signature};

use super::{
    Action, Context, Examination, HeldSource, HeldTask, JournalError, OutstandingTotal, Ticket, Unavailable,
    checks::{self, Examined},
    observation_set::ObservationSet,
    prepared::Prepared,
    refused, send,
};
use crate::{
    Domain, LinkId, Scheme, Task,
    message::{
        AgreedOutput, MAX_REASONS, MAX_TEXT, OperatorMessage, RefusalCode, Refused, SourceObservation, outputs_to_value,
    },
    observations::{members, signed},
};

/// A task that the operator works on or remembers.
#[derive(Debug)]
pub(super) struct Work {
    /// The current attempt.
    pub(super) ticket: Ticket,
    pub(super) task: Task,
    /// The gateway that brought it, whose share of the operator's capacity it uses.
    pub(super) owner: Arc<str>,
    /// Who wants the answer.
    pub(super) links: BTreeSet<LinkId>,
    /// The number of the offer that brought it.
    pub(super) number: u64,
    pub(super) step: Step,
    /// Whether a gateway wants the attestation signed by itself, not with a batch.
    pub(super) is_signed_by_itself: bool,
    /// Whether it was signed with a batch.
    pub(super) is_signed_with_batch: bool,
    /// What the operator decided, once the evidence is stored.
    pub(super) statement: Option<Statement>,
    /// What was found before any work.
    examined: Option<Examined>,
    /// Observations to decide on that came too early: the task was not examined, or its own observation is needed.
    early: Option<ObservationSet>,
    /// What the operator observed itself, by source, if the policy needs it.
    own: BTreeMap<String, Value>,
    /// The connection on which observations with an invalid signature came, until that is counted.
    pub(super) misled_by: Option<LinkId>,
}

/// What a task waits for.
#[derive(Debug)]
pub(super) enum Step {
    Examining,
    Observing,
    SigningObservations(Vec<SourceObservation>),
    /// Observations that are signed; waits for those of a quorum.
    Observed(Vec<SourceObservation>),
    Evaluating {
        data: String,
        /// What was agreed, if the policy has sources.
        observations: Option<ObservationSet>,
        /// What each source `outstanding` has by these observations.
        agreed: Vec<Option<OutstandingTotal>>,
    },
    StoringEvidence(Box<Evaluation>, Option<Box<HeldTask>>),
    /// Waits for a batch.
    Decided,
    SigningAttestation,
    Signed(Box<OperatorMessage>),
    Refused(Refused),
}

/// Observations that were verified.
#[derive(Debug, Default)]
struct Verified {
    /// The content of the data region.
    data: String,
    /// What each source `outstanding` has.
    agreed: Vec<Option<OutstandingTotal>>,
}

/// Why observations are nothing to decide on.
enum Unfit {
    /// A signature is invalid.
    Forged(Refused),
    /// They are not what the policy demands of any gateway.
    Malformed(Refused),
    /// They are valid, and cannot be decided on here.
    Undecidable(Refused),
}

/// What the operator decided.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    decision: Decision,
    evidence: B256,
    reasons: Vec<String>,
    /// What the attestation holds of the client's limits.
    hold: Option<Box<HeldTask>>,
}

impl Work {
    pub(super) fn new(task_id: B256, task: Task, owner: Arc<str>, link: LinkId, number: u64) -> Self {
        Self {
            ticket: Ticket { task_id, attempt: number },
            task,
            owner,
            links: BTreeSet::from([link]),
            number,
            step: Step::Examining,
            is_signed_by_itself: false,
            is_signed_with_batch: false,
            statement: None,
            examined: None,
            early: None,
            own: BTreeMap::new(),
            misled_by: None,
        }
    }

    /// Makes a new attempt.
    pub(super) fn begin(&mut self, attempt: u64, actions: &mut Vec<Action>) {
        self.ticket.attempt = attempt;
        self.step = Step::Examining;
        self.statement = None;
        self.early = None;
        actions.push(Action::Examine { ticket: self.ticket, task: self.task.clone() });
    }

    /// Ends the attempt without a signature.
    pub(super) fn refuse(&mut self, refusal: Refused) {
        self.step = Step::Refused(refusal);
        self.statement = None;
        self.early = None;
    }

    /// Returns the observations of a gateway that are kept.
    pub(super) fn kept(&self) -> Option<&ObservationSet> {
        match &self.step {
            Step::Evaluating { observations, .. } => observations.as_ref(),
            _ => self.early.as_ref(),
        }
    }

    /// Returns whether observations to decide on are of use now, or will be soon.
    pub(super) fn takes_observations(&self) -> bool {
        match &self.step {
            Step::Examining | Step::Observing | Step::SigningObservations(_) | Step::Observed(_) => true,
            Step::Refused(refusal) => {
                matches!(refusal.code, RefusalCode::Source | RefusalCode::Observations | RefusalCode::AlreadySigned)
            }
            _ => false,
        }
    }

    /// Returns whether no step is pending.
    pub(super) fn is_finished(&self) -> bool {
        match self.step {
            Step::Signed(_) | Step::Refused(_) => true,
            Step::Decided => self.is_signed_with_batch,
            _ => false,
        }
    }

    /// Returns whether the task is decided, and waits for a batch.
    pub(super) fn is_decided(&self) -> bool {
        matches!(self.step, Step::Decided)
    }

    /// Returns whether the task waits for a gateway, which may never say more.
    pub(super) fn waits_for_gateway(&self) -> bool {
        matches!(self.step, Step::Observed(_) | Step::Decided)
    }

    /// Returns whether the task was refused for a reason that may have gone.
    pub(super) fn is_refused(&self) -> bool {
        matches!(&self.step, Step::Refused(refusal) if refusal.retryable)
    }

    /// Returns what the operator said of the task last, and would say again.
    pub(super) fn answer(&self) -> Option<OperatorMessage> {
        match &self.step {
            Step::Observed(observations) => Some(self.observed_message(observations)),
            Step::Decided => self.decided_message(),
            Step::Signed(message) => Some((**message).clone()),
            Step::Refused(refusal) if !refusal.retryable => {
                Some(OperatorMessage::Refused { task_id: self.ticket.task_id, refusal: refusal.clone() })
            }
            _ => None,
        }
    }

    pub(super) fn send_to_all(&self, message: &OperatorMessage, actions: &mut Vec<Action>) {
        let message = message.to_json();
        actions.extend(self.links.iter().map(|link| Action::Send { link: *link, message: message.clone() }));
    }

    pub(super) fn examined<S: Scheme>(
        &mut self,
        result: Result<Box<Examination>, Unavailable>,
        prepared: Option<Result<Arc<Prepared>, Refused>>,
        context: &Context<'_, S>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Refused> {
        if !matches!(self.step, Step::Examining) {
            return Ok(());
        }
        let found = *result.map_err(unavailable)?;
        let examined = checks::check(context.settings, &self.task, found, prepared)?;
        let policy = examined.policy.clone();
        let has_sources = !examined.prepared.sources.is_empty();
        self.examined = Some(examined);
        if has_sources {
            self.step = Step::Observing;
            let needs_own = self.needs_own();
            if let Some(set) = self.early.take_if(|_| !needs_own) {
                self.decide(set, context, actions)?;
                if !matches!(self.step, Step::Observing) {
                    return Ok(());
                }
            }
            actions.push(Action::Observe { ticket: self.ticket, input: self.task.input(), policy });
            return Ok(());
        }
        self.evaluate(Verified::default(), None, actions)
    }

    pub(super) fn observed<S>(
        &mut self,
        result: Result<BTreeMap<String, Value>, Unavailable>,
        context: &Context<'_, S>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Refused> {
        let (Step::Observing, Some(examined)) = (&self.step, &self.examined) else { return Ok(()) };
        let outputs = result.map_err(|error| refused(RefusalCode::Source, error.to_string(), true))?;
        let expected = &examined.prepared.sources;
        if !outputs.keys().eq(expected.keys()) {
            return Err(refused(RefusalCode::Source, "not every source answered", true));
        }
        let mut unsigned = Vec::new();
        let mut observations = Vec::new();
        for (source, output) in outputs {
            let output = output.to_canonical();
            if output.len() > MAX_OUTPUT {
                return Err(refused(RefusalCode::Source, format!("the output of {source} is too long"), false));
            }
            observations.push(Observation::new(context.task_id, &source, self.task.block_hash, output.as_bytes()));
            unsigned.push(SourceObservation { source, output, signature: Signature([0; Signature::LENGTH]) });
        }
        self.step = Step::SigningObservations(unsigned);
        actions.push(Action::SignObservations { ticket: self.ticket, observations, time: self.task.block_timestamp });
        Ok(())
    }

    pub(super) fn observations_signed<S: Scheme>(
        &mut self,
        result: Result<Vec<Signature>, JournalError>,
        context: &Context<'_, S>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Refused> {
        let needs_own = self.needs_own();
        let Step::SigningObservations(observations) = &mut self.step else { return Ok(()) };
        let signatures = result.map_err(journal)?;
        if signatures.len() != observations.len() {
            return Err(refused(RefusalCode::Unavailable, "the journal did not sign each observation", true));
        }
        for (observation, signature) in observations.iter_mut().zip(signatures) {
            observation.signature = signature;
        }
        let observations = core::mem::take(observations);
        self.send_to_all(&self.observed_message(&observations), actions);
        if needs_own {
            let outputs = observations.iter().map(|own| {
                let output = assent_json::parse_canonical(own.output.as_bytes()).unwrap_or_default();
                (own.source.clone(), output)
            });
            self.own = outputs.collect();
        }
        self.step = Step::Observed(observations);
        match self.early.take() {
            Some(set) => self.decide(set, context, actions),
            None => Ok(()),
        }
    }

    /// Returns whether the policy demands that the operator's own observation is near what is agreed.
    fn needs_own(&self) -> bool {
        self.examined.as_ref().is_some_and(|examined| examined.prepared.needs_own)
    }

    /// Decides on a set of observations. The gateway chooses the set, and can neither invent nor alter one.
    ///
    /// The operator's own observation may still be pending, or have failed: the quorum's suffice. If the policy demands
    /// that its own is near them, it is waited for, and without one the operator refuses.
    pub(super) fn decide<S: Scheme>(
        &mut self,
        set: ObservationSet,
        context: &Context<'_, S>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Refused> {
        match &self.step {
            Step::Examining => {
                self.early = Some(set);
                return Ok(());
            }
            Step::Observing | Step::SigningObservations(_) if self.needs_own() => {
                self.early = Some(set);
                return Ok(());
            }
            _ => {}
        }
        let Some(examined) = self.examined.as_ref().filter(|_| self.takes_observations()) else { return Ok(()) };
        let refusal = match self.verified_data(examined, &set.outputs, context) {
            Ok(verified) => return self.evaluate(verified, Some(set), actions),
            Err(Unfit::Undecidable(refusal)) => return Err(refusal),
            Err(Unfit::Malformed(refusal)) => refusal,
            Err(Unfit::Forged(refusal)) => {
                self.misled_by = Some(set.link);
                refusal
            }
        };
        // The task stays as it is: another gateway may send better ones.
        send(set.link, &OperatorMessage::Refused { task_id: context.task_id, refusal }, actions);
        Ok(())
    }

    /// Returns what to decide on, made of observations whose weight and signatures are valid.
    fn verified_data<S: Scheme>(
        &self,
        examined: &Examined,
        outputs: &[AgreedOutput],
        context: &Context<'_, S>,
    ) -> Result<Verified, Unfit> {
        // Retryable: another set may be valid, and nothing was signed.
        let refusal = |reason: String| refused(RefusalCode::Observations, reason, true);
        let undecidable = |reason: String| Unfit::Undecidable(refusal(reason));
        let Prepared { sources, outstanding, rules, .. } = &*examined.prepared;
        let members = members(sources, outputs, &examined.epoch, examined.required_weight);
        let members = members.map_err(|reason| Unfit::Malformed(refusal(reason)))?;
        let signed = signed(context.task_id, self.task.block_hash, outputs);
        if !context.scheme.are_observations_valid(&examined.epoch, &signed, context.settings.domain) {
            return Err(Unfit::Forged(refusal("a signature of an observation is invalid".into())));
        }
        Observations::require_within(&members, rules, &self.own).map_err(|error| undecidable(error.to_string()))?;
        let agreed = outstanding.iter().map(|source| source.agreed(&members)).collect();
        let data = Observations::of_members(&members).map_err(|error| undecidable(error.to_string()))?;
        Ok(Verified { data, agreed })
    }

    fn evaluate(
        &mut self,
        Verified { data, agreed }: Verified,
        observations: Option<ObservationSet>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Refused> {
        // What came too early and was not needed.
        self.early = None;
        let Some(examined) = &self.examined else { return Ok(()) };
        actions.push(Action::Evaluate {
            ticket: self.ticket,
            input: self.task.input(),
            policy: examined.policy.clone(),
            data: data.clone(),
        });
        self.step = Step::Evaluating { data, observations, agreed };
        Ok(())
    }

    pub(super) fn evaluated<S>(
        &mut self,
        result: Box<Result<Evaluation, EvaluationError>>,
        _context: &Context<'_, S>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Refused> {
        let (Step::Evaluating { data, observations, agreed }, Some(examined)) = (&self.step, &self.examined) else {
            return Ok(());
        };
        let evaluation = result.map_err(|error| refused(RefusalCode::UnknownPolicy, error.to_string(), false))?;
        let hold = self.hold(examined, agreed, evaluation.decision)?;
        let policy = (*examined.policy).clone();
        let mut file = EvidenceFile::new(policy, &self.task.input(), data.clone(), &evaluation);
        file.observations = observations.as_ref().map(|set| outputs_to_value(&set.outputs));
        self.step = Step::StoringEvidence(Box::new(evaluation), hold);
        actions.push(Action::StoreEvidence { ticket: self.ticket, file: Box::new(file) });
        Ok(())
    }

    pub(super) fn evidence_stored<S>(
        &mut self,
        result: Result<(), Unavailable>,
        context: &Context<'_, S>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Refused> {
        let Step::StoringEvidence(evaluation, hold) = &self.step else { return Ok(()) };
        result.map_err(unavailable)?;
        let reasons = evaluation.reasons.iter().take(MAX_REASONS).map(|reason| bounded(&reason.message)).collect();
        let (decision, evidence) = (evaluation.decision, evaluation.evidence.hash());
        self.statement = Some(Statement { decision, evidence, reasons, hold: hold.clone() });
        // What holds amounts may be refused when it is signed, and then a whole batch would be.
        if self.is_signed_by_itself || self.held().is_some() {
            self.sign(context, actions);
        } else {
            self.step = Step::Decided;
            if let Some(message) = self.decided_message() {
                self.send_to_all(&message, actions);
            }
        }
        Ok(())
    }

    /// Has the attestation signed by itself.
    pub(super) fn sign<S>(&mut self, context: &Context<'_, S>, actions: &mut Vec<Action>) {
        if let Some(attestation) = self.attestation(context.settings.domain) {
            self.step = Step::SigningAttestation;
            let (ticket, attestation) = (self.ticket, Box::new(attestation));
            let hold = self.statement.as_ref().and_then(|statement| statement.hold.clone());
            actions.push(Action::SignAttestation { ticket, attestation, hold });
        }
    }

    /// Returns the attestation that the operator decided on.
    pub(super) fn attestation(&self, domain: Domain) -> Option<Attestation> {
        let Statement { decision, evidence, .. } = self.statement.as_ref()?;
        Some(self.task.attestation(domain, *decision, *evidence))
    }

    /// Returns what the attestation holds of the client's limits.
    pub(super) fn held(&self) -> Option<&HeldTask> {
        self.statement.as_ref()?.hold.as_deref()
    }

    /// Returns what an attestation will hold, if it allows the call and the policy counts what is outstanding.
    fn hold(
        &self,
        examined: &Examined,
        agreed: &[Option<OutstandingTotal>],
        decision: Decision,
    ) -> Result<Option<Box<HeldTask>>, Refused> {
        let sources = &examined.prepared.outstanding;
        if decision != Decision::Allow || sources.is_empty() {
            return Ok(None);
        }
        let held = sources.iter().zip(agreed).map(|(source, agreed)| {
            Some(HeldSource { source: source.id(), amount: source.amount(&self.task.intent.data), agreed: (*agreed)? })
        });
        let unknown = || refused(RefusalCode::Observations, "what was agreed as outstanding cannot be known", true);
        let sources = held.collect::<Option<Vec<_>>>().ok_or_else(unknown)?;
        Ok(Some(Box::new(HeldTask { task_id: self.ticket.task_id, task: self.task.clone(), sources })))
    }

    pub(super) fn attestation_signed<S>(
        &mut self,
        result: Result<Signature, JournalError>,
        context: &Context<'_, S>,
        actions: &mut Vec<Action>,
    ) -> Result<(), Refused> {
        let (Step::SigningAttestation, Some(statement)) = (&self.step, &self.statement) else { return Ok(()) };
        let signature = result.map_err(journal)?;
        let Statement { decision, evidence, reasons, .. } = statement.clone();
        let message = OperatorMessage::Signed { task_id: context.task_id, decision, evidence, signature, reasons };
        self.send_to_all(&message, actions);
        self.step = Step::Signed(Box::new(message));
        Ok(())
    }

    fn decided_message(&self) -> Option<OperatorMessage> {
        let Statement { decision, evidence, reasons, .. } = self.statement.clone()?;
        Some(OperatorMessage::Decided { task_id: self.ticket.task_id, decision, evidence, reasons })
    }

    /// Ends the attempt, unless it does not wait for an action's result.
    pub(super) fn failed(&self, reason: Unavailable) -> Result<(), Refused> {
        match self.step {
            Step::Observed(_) | Step::Decided | Step::Signed(_) | Step::Refused(_) => Ok(()),
            _ => Err(unavailable(reason)),
        }
    }

    fn observed_message(&self, observations: &[SourceObservation]) -> OperatorMessage {
        OperatorMessage::Observed { task_id: self.ticket.task_id, observations: observations.to_vec() }
    }
}

fn unavailable(error: Unavailable) -> Refused {
    refused(RefusalCode::Unavailable, error.to_string(), true)
}

pub(super) fn journal(error: JournalError) -> Refused {
    match error {
        JournalError::AlreadySigned => refused(RefusalCode::AlreadySigned, error.to_string(), false),
        JournalError::Exceeded => refused(RefusalCode::Observations, error.to_string(), false),
        JournalError::Unavailable(reason) => refused(RefusalCode::Unavailable, reason, true),
    }
}

fn bounded(text: &str) -> String {
    let mut text = text.to_owned();
    while text.len() > MAX_TEXT {
        text.pop();
    }
    text
}

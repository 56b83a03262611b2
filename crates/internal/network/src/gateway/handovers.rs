//! Handovers: operators of an epoch sign that another epoch follows it.
//!
//! A request names two epochs, and the program has read what the chain says of them. Operators get only the numbers,
//! and read the rest themselves. Nothing of it is in the task log: who lost the answer asks again, and operators sign
//! the same again.

use std::collections::{BTreeMap, BTreeSet};

use alloy_primitives::{Address, B256, U256};
use assent_signer::{Aggregate, AggregationError, PartialSignature};
use assent_types::{EpochHandover, Signature};
use assent_verifier::Operator;

use super::{AbsentSigner, Action, Failure, FailureCode, Gateway, HandoverSubmission, Link, RequestId, send};
use crate::{
    LinkId, Scheme,
    message::{GatewayMessage, HANDOVERS, HandoverName, Refused},
    task::{find, weight},
};

/// The most handovers that operators are asked for at one time.
const MAX_HANDOVERS: usize = 16;

/// A handover for which operators are asked.
#[derive(Debug)]
pub(super) struct PendingHandover {
    submission: HandoverSubmission,
    name: HandoverName,
    asked: BTreeSet<Address>,
    answers: BTreeMap<Address, HandoverReply>,
    /// When the request ends without a quorum (Unix time in milliseconds).
    deadline: u64,
}

/// What an operator answered.
#[derive(Debug)]
enum HandoverReply {
    Signed(Signature),
    Refused(Refused),
    /// It signed another handover than the gateway's node shows.
    Differs,
    Invalid,
}

impl PendingHandover {
    fn signers(&self) -> impl Iterator<Item = (Address, &Signature)> {
        self.answers.iter().filter_map(|(operator, answer)| match answer {
            HandoverReply::Signed(signature) => Some((*operator, signature)),
            _ => None,
        })
    }

    fn signed_weight(&self) -> U256 {
        weight(&self.submission.signing, self.signers().map(|(operator, _)| operator))
    }

    fn silent(&self) -> impl Iterator<Item = Address> {
        self.asked.iter().copied().filter(|operator| !self.answers.contains_key(operator))
    }

    fn required(&self) -> U256 {
        self.submission.signing.operators.required_weight(self.submission.quorum)
    }

    fn invalid(&mut self, operators: &[Address]) {
        for operator in operators {
            self.answers.insert(*operator, HandoverReply::Invalid);
        }
    }
}

impl<S: Scheme> Gateway<S> {
    /// Returns the number of handovers for which operators are asked.
    pub fn handover_count(&self) -> usize {
        self.handovers.len()
    }

    /// Asks the connected operators of an epoch for a handover.
    pub(super) fn request_handover(
        &mut self,
        request: RequestId,
        submission: HandoverSubmission,
        actions: &mut Vec<Action>,
    ) {
        if self.handovers.len() >= MAX_HANDOVERS {
            let failure = Failure::new(FailureCode::Busy, "the gateway collects too many handovers", true);
            return actions.push(Action::AnswerHandover { request, result: Err(failure), absent: Vec::new() });
        }
        let EpochHandover { epoch, signed_by, .. } = submission.handover;
        let name = HandoverName { epoch, signed_by };
        let mut asked = BTreeSet::new();
        for operator in submission.signing.operators.operators() {
            if let Some((link, _)) = self.link_of(operator).filter(|(_, version)| *version >= HANDOVERS) {
                asked.insert(operator.address);
                send(link, &GatewayMessage::SignHandover { handover: name }, actions);
            }
        }
        let deadline = self.now_millis.saturating_add(self.settings.handover_millis);
        let pending = PendingHandover { submission, name, asked, answers: BTreeMap::new(), deadline };
        self.handovers.insert(request, pending);
        self.advance_handover(request, actions);
    }

    /// Asks an operator that connected for the handovers that it has not answered.
    pub(super) fn ask_for_handovers(&mut self, operator: Address, link: LinkId, actions: &mut Vec<Action>) {
        let requests: Vec<RequestId> = self.handovers.keys().copied().collect();
        for request in requests {
            let Some(pending) = self.handovers.get(&request) else { continue };
            let known = find(&pending.submission.signing, operator);
            let is_able = known.and_then(|known| self.link_of(known)).is_some_and(|(_, version)| version >= HANDOVERS);
            let Some(pending) = self.handovers.get_mut(&request) else { continue };
            if is_able && !pending.answers.contains_key(&operator) {
                pending.asked.insert(operator);
                send(link, &GatewayMessage::SignHandover { handover: pending.name }, actions);
            }
        }
    }

    /// Takes an operator's signature of a handover.
    pub(super) fn handover_signed(
        &mut self,
        operator: Address,
        name: HandoverName,
        digest: B256,
        signature: Signature,
        actions: &mut Vec<Action>,
    ) {
        self.handover_answered(operator, name, actions, |pending| {
            // Who reads another handover signs that one: this is no invalid signature.
            if digest == pending.submission.handover.digest() {
                HandoverReply::Signed(signature)
            } else {
                HandoverReply::Differs
            }
        });
    }

    /// Takes an operator's refusal to sign a handover.
    pub(super) fn handover_refused(
        &mut self,
        operator: Address,
        name: HandoverName,
        refusal: &Refused,
        actions: &mut Vec<Action>,
    ) {
        self.handover_answered(operator, name, actions, |_| HandoverReply::Refused(refusal.clone()));
    }

    fn handover_answered(
        &mut self,
        operator: Address,
        name: HandoverName,
        actions: &mut Vec<Action>,
        answer: impl Fn(&PendingHandover) -> HandoverReply,
    ) {
        let of_name = self.handovers.iter().filter(|(_, pending)| pending.name == name);
        let requests: Vec<RequestId> = of_name.map(|(request, _)| *request).collect();
        for request in requests {
            let Some(pending) = self.handovers.get(&request) else { continue };
            let known = find(&pending.submission.signing, operator);
            if known.and_then(|known| self.link_of(known)).is_none() {
                continue;
            }
            let Some(pending) = self.handovers.get_mut(&request) else { continue };
            // The first answer counts.
            if pending.asked.contains(&operator) && !pending.answers.contains_key(&operator) {
                let answer = answer(pending);
                pending.answers.insert(operator, answer);
                self.advance_handover(request, actions);
            }
        }
    }

    /// Ends the handovers that no quorum signed in time.
    pub(super) fn end_late_handovers(&mut self, actions: &mut Vec<Action>) {
        let late = self.handovers.iter().filter(|(_, pending)| pending.deadline <= self.now_millis);
        let late: Vec<RequestId> = late.map(|(request, _)| *request).collect();
        for request in late {
            self.fail_handover(request, actions);
        }
    }

    /// Answers a request if a quorum signed, or none can.
    fn advance_handover(&mut self, request: RequestId, actions: &mut Vec<Action>) {
        let Some(pending) = self.handovers.get_mut(&request) else { return };
        let mut liars = Vec::new();
        while pending.signed_weight() >= pending.required() {
            let partials: Vec<_> =
                pending.signers().map(|(operator, signature)| PartialSignature::new(operator, *signature)).collect();
            let HandoverSubmission { signing, handover, .. } = &pending.submission;
            let (aggregate, rejected) = match self.scheme.aggregate_handover(signing, handover, &partials) {
                Ok(aggregate) => {
                    let rejected = aggregate.rejected.clone();
                    (Some(aggregate), rejected)
                }
                Err(AggregationError::NothingToAggregate(rejected)) => (None, rejected),
                Err(_) => break,
            };
            let invalid: Vec<Address> = rejected.iter().map(|rejected| rejected.operator).collect();
            pending.invalid(&invalid);
            liars.extend_from_slice(&invalid);
            if let Some(aggregate) = aggregate
                && U256::from(aggregate.signed_weight) >= pending.required()
            {
                self.finish_handover(request, Ok(aggregate), actions);
                return self.strike(liars, actions);
            }
            if invalid.is_empty() {
                break;
            }
        }
        let possible = pending.signed_weight().saturating_add(weight(&pending.submission.signing, pending.silent()));
        if possible < pending.required() {
            self.fail_handover(request, actions);
        }
        self.strike(liars, actions);
    }

    fn fail_handover(&mut self, request: RequestId, actions: &mut Vec<Action>) {
        let Some(pending) = self.handovers.get(&request) else { return };
        let (signed, required) = (pending.signed_weight(), pending.required());
        let absent = self.absent(pending);
        let mut message = format!("operators of weight {signed} signed, and {required} is required");
        if let Some(first) = absent.iter().find(|absent| !absent.retryable).or_else(|| absent.first()) {
            message.push_str(&format!("; {}: {}", first.operator, first.message));
        }
        let retryable = absent.iter().any(|absent| absent.retryable);
        self.finish_handover(request, Err(Failure::new(FailureCode::NoQuorum, message, retryable)), actions);
    }

    fn finish_handover(&mut self, request: RequestId, result: Result<Aggregate, Failure>, actions: &mut Vec<Action>) {
        let Some(pending) = self.handovers.remove(&request) else { return };
        let absent = self.absent(&pending);
        actions.push(Action::AnswerHandover { request, result: result.map(Box::new), absent });
    }

    /// Returns why each operator that did not sign did not.
    fn absent(&self, pending: &PendingHandover) -> Vec<AbsentSigner> {
        let operators = pending.submission.signing.operators.operators().iter();
        operators.filter_map(|operator| self.absence(pending, operator)).collect()
    }

    fn absence(&self, pending: &PendingHandover, operator: &Operator) -> Option<AbsentSigner> {
        let (code, message, retryable) = match pending.answers.get(&operator.address) {
            Some(HandoverReply::Signed(_)) => return None,
            Some(HandoverReply::Refused(Refused { code, message, retryable })) => {
                (code.as_str(), message.clone(), *retryable)
            }
            Some(HandoverReply::Differs) => {
                let message = "its node and the gateway's differ about the epochs";
                ("differs", message.to_owned(), true)
            }
            Some(HandoverReply::Invalid) => ("invalid", "its signature is invalid".to_owned(), false),
            None => match self.operators.get(&operator.address).and_then(|link| self.links.get(link)) {
                Some(Link::Open { version, .. }) if *version < HANDOVERS => {
                    let message = format!("it speaks version {version} of the messages, which has no handovers");
                    ("olderVersion", message, false)
                }
                Some(Link::Open { .. }) if pending.asked.contains(&operator.address) => {
                    ("silent", "it has not answered yet".to_owned(), true)
                }
                _ => ("notConnected", "it is not connected with its key of the epoch".to_owned(), true),
            },
        };
        Some(AbsentSigner { operator: operator.address, code, message, retryable })
    }
}

//! Signing of batches: of statements that the operator decided itself, and of no others.

use std::collections::BTreeSet;

use alloy_primitives::B256;
use assent_signer::AttestationBatch;
use assent_types::Signature;

use super::{Action, JournalError, Operator, refused, send, work::journal};
use crate::{
    LinkId, Scheme,
    message::{OperatorMessage, RefusalCode, Refused},
};

/// The most batches that one connection has signed at the same time.
const MAX_SIGNING: usize = 16;

impl<S: Scheme> Operator<S> {
    /// Signs a batch, if its root is that of the operator's own statements about the tasks.
    pub(super) fn sign_batch(&mut self, link: LinkId, root: B256, task_ids: Vec<B256>, actions: &mut Vec<Action>) {
        if self.signing.contains_key(&(link, root)) {
            return;
        }
        match self.own_batch(link, root, &task_ids) {
            Ok(batch) => {
                let works = task_ids.iter().filter_map(|task_id| self.tasks.get(task_id));
                let holds = works.filter_map(|work| work.held().cloned()).collect();
                self.signing.insert((link, root), task_ids);
                actions.push(Action::SignBatch { link, batch: Box::new(batch), holds });
            }
            Err(refusal) => send(link, &OperatorMessage::BatchRefused { root, refusal }, actions),
        }
    }

    fn own_batch(&self, link: LinkId, root: B256, task_ids: &[B256]) -> Result<AttestationBatch, Refused> {
        if self.signing.keys().filter(|(of, _)| *of == link).count() >= MAX_SIGNING {
            return Err(refused(RefusalCode::Busy, "too many batches are being signed", true));
        }
        let domain = self.settings.domain;
        let own = |task_id: &B256| self.tasks.get(task_id)?.attestation(domain);
        let mut attestations = Vec::with_capacity(task_ids.len());
        for task_id in task_ids {
            let undecided = || refused(RefusalCode::Undecided, format!("task {task_id} is not decided here"), true);
            attestations.push(own(task_id).ok_or_else(undecided)?);
        }
        let other = || refused(RefusalCode::OtherBatch, "this operator's statements have another root", false);
        let are_distinct = task_ids.iter().collect::<BTreeSet<_>>().len() == task_ids.len();
        let batch = AttestationBatch::new(attestations, domain.chain_id, domain.task_manager).map_err(|_| other())?;
        if are_distinct && batch.root() == root { Ok(batch) } else { Err(other()) }
    }

    pub(super) fn batch_signed(
        &mut self,
        link: LinkId,
        root: B256,
        result: Result<Signature, JournalError>,
        actions: &mut Vec<Action>,
    ) {
        let Some(task_ids) = self.signing.remove(&(link, root)) else { return };
        let message = match result {
            Ok(signature) => {
                for task_id in task_ids {
                    if let Some(work) = self.tasks.get_mut(&task_id) {
                        work.is_signed_with_batch = true;
                    }
                }
                OperatorMessage::BatchSigned { root, signature }
            }
            Err(error) => OperatorMessage::BatchRefused { root, refusal: journal(error) },
        };
        send(link, &message, actions);
    }
}

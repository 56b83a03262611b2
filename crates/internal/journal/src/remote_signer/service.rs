//! The other side: answers requests with a journal.

use assent_signer::AttestationBatch;
use assent_verifier::{Connection, Observation};
use serde::Serialize;

use super::message::{Failed, Keys, Request, Signed};
use crate::error::SignError;
use crate::journal::Journal;
use crate::statement::Statement;

/// An answer of a remote signer, of the type `application/json`.
// Complete: it is what a server sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Answers a request to a remote signer that has its own journal. Any HTTP server can call it.
///
/// The journal of the signer protects its key also from operators that have lost theirs.
///
/// Warning: the caller must know who asks. Anyone who can ask decides what the operator attests.
pub fn answer(journal: &Journal, method: &str, path: &str, body: &[u8]) -> Answer {
    let key = format!("/v1/sign/{}", journal.public_key());
    match (method, path) {
        ("GET", "/v1/keys") => succeed(&Keys { keys: vec![*journal.public_key()] }),
        ("POST", path) if path == key => sign(journal, body),
        _ => fail(404, "there is no such key or path"),
    }
}

fn sign(journal: &Journal, body: &[u8]) -> Answer {
    let request: Request = match serde_json::from_slice(body) {
        Ok(request) => request,
        Err(error) => return fail(400, error),
    };
    let claimed = request.signed_message().0;
    let mismatch = || fail(400, "what is to be signed does not follow from the other fields");
    let signed = match request {
        Request::Attestations { chain_id, task_manager, attestations, .. } => {
            let batch = match AttestationBatch::new(attestations, chain_id, task_manager) {
                Ok(batch) => batch,
                Err(error) => return fail(400, error),
            };
            if batch.root() != claimed {
                return mismatch();
            }
            journal.sign(Statement::Attestations(&batch))
        }
        Request::Observation { chain_id, task_manager, task_id, source, reference_block, output, time, .. } => {
            let observation = Observation { task_id, source, reference_block, output };
            if observation.digest(chain_id, task_manager) != claimed {
                return mismatch();
            }
            journal.sign(Statement::Observation { observation: &observation, chain_id, task_manager, time })
        }
        Request::Handover { .. } => match request.handover().filter(|handover| handover.digest() == claimed) {
            Some(handover) => journal.sign(Statement::Handover(&handover)),
            None => return mismatch(),
        },
        Request::Connection { chain_id, task_manager, challenge, operator, gateway, .. } => {
            let connection = Connection { challenge, operator, gateway };
            if connection.digest(chain_id, task_manager) != claimed {
                return mismatch();
            }
            journal.prove_connection(&connection, chain_id, task_manager)
        }
    };
    match signed {
        Ok(signature) => succeed(&Signed { signature }),
        Err(error @ (SignError::AlreadySigned(_) | SignError::Pruned { .. })) => fail(412, error),
        Err(error) => fail(503, error),
    }
}

fn succeed(body: &impl Serialize) -> Answer {
    // Hex in strings with fixed names: that cannot fail.
    Answer { status: 200, body: serde_json::to_string(body).unwrap_or_default() }
}

fn fail(status: u16, error: impl ToString) -> Answer {
    let body = serde_json::to_string(&Failed { error: error.to_string() }).unwrap_or_default();
    Answer { status, body }
}

//! Handovers: a gateway names two epochs, and the operator signs what its own node says of them.

use super::{Action, Operator, SignedHandover, refused, send};
use crate::{
    LinkId, Scheme,
    message::{HandoverName, OperatorMessage, RefusalCode, Refused},
};

/// The most handovers that are being signed for one connection, and for all of them: each reads whole epochs.
const MAX_OF_LINK: usize = 4;
const MAX_HANDOVERS: usize = 64;

impl<S: Scheme> Operator<S> {
    /// Begins to sign a handover. The same one that is being signed has one answer.
    pub(super) fn sign_handover(&mut self, link: LinkId, handover: HandoverName, actions: &mut Vec<Action>) {
        if self.handovers.contains(&(link, handover)) {
            return;
        }
        let of_link = self.handovers.iter().filter(|(of, _)| *of == link).count();
        if of_link >= MAX_OF_LINK || self.handovers.len() >= MAX_HANDOVERS {
            let refusal = refused(RefusalCode::Busy, "the operator signs too many handovers", true);
            return send(link, &OperatorMessage::HandoverRefused { handover, refusal }, actions);
        }
        self.handovers.insert((link, handover));
        actions.push(Action::SignHandover { link, handover });
    }

    /// Answers with a handover that the journal signed, or why it was not signed.
    pub(super) fn handover_signed(
        &mut self,
        link: LinkId,
        handover: HandoverName,
        result: Result<SignedHandover, Refused>,
        actions: &mut Vec<Action>,
    ) {
        // Who closed the connection asks again over another.
        if !self.handovers.remove(&(link, handover)) {
            return;
        }
        let answer = match result {
            Ok(SignedHandover { digest, signature }) => OperatorMessage::HandoverSigned { handover, digest, signature },
            Err(refusal) => OperatorMessage::HandoverRefused { handover, refusal },
        };
        send(link, &answer, actions);
    }
}

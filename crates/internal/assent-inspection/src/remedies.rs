//! What to do about a refusal.

use assent_verifier::Refusal;

/// Returns what to do about a refusal.
///
/// ```
/// use assent_verifier::Refusal;
///
/// let remedy = assent_inspection::remedy(&Refusal::PolicyNotSet);
/// assert_eq!(remedy, "have the client's owner set its TaskManager and policy");
/// ```
pub fn remedy(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::PolicyNotSet => "have the client's owner set its TaskManager and policy",
        Refusal::MalformedAuthorization => "use the bytes that `assent attest` printed; `assent inspect` decodes them",
        Refusal::WrongChain { .. } => "send to a node of the intent's chain, or have the call attested for this one",
        Refusal::WrongSender { .. } => "send from the account that the intent names",
        Refusal::WrongTask { .. } => "`assent inspect --document` names each field that differs from what was attested",
        Refusal::AttestationExpired { .. } => "have the call attested again, and send it before it expires",
        Refusal::LifetimeTooLong { .. } => "have it attested for less time, or send it later",
        Refusal::AttestationAlreadySpent { .. } => {
            "an attestation can be used only once: have the call attested with a new nonce"
        }
        Refusal::UnknownEpoch { .. } => {
            "if the OperatorRegistry has this epoch, add the TaskManager to it: see `assent deploy --help`"
        }
        Refusal::EpochExpired { .. } | Refusal::EpochRevoked { .. } => {
            "have the call attested under the newest epoch: `assent context` reads it"
        }
        Refusal::RootNotRecorded { .. } => {
            "record the attestation's document with `assent record`, or use the authorization with the signature"
        }
        Refusal::QuorumNotReached { .. } => "have more operators sign: `assent attest` with another --key or --partial",
        Refusal::MalformedSignature | Refusal::InvalidSignature => {
            "use an authorization as `assent attest` made it, with the fields that the operators signed"
        }
        Refusal::PolicyDenied { .. } => "the policy forbids this call: make one that it allows",
    }
}

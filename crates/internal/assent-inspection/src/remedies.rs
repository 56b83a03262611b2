//! What to do about a refusal.
//!
//! Generated from contracts/interfaces/errors.json by xtask/tests/errors.rs.

use assent_verifier::Refusal;

/// Returns what to do about a refusal, with the commands that help.
///
/// ```
/// use assent_verifier::{EpochId, Refusal};
///
/// let refusal = Refusal::EpochRevoked { epoch: EpochId(1) };
/// let remedy = assent_inspection::remedy(&refusal);
/// assert_eq!(remedy, format!("{}; `assent context` reads it", refusal.remedy()));
/// ```
pub fn remedy(refusal: &Refusal) -> &'static str {
    match refusal.name() {
        "MalformedAuthorization" => {
            "send the authorization's bytes unchanged: something on the way may have dropped or \
                appended some; `assent attest` prints them, `assent inspect` decodes them"
        }
        "WrongTask" => {
            "compare the call with what was attested: caller, contract, value, calldata, nonce, chain \
                or policy differs; `assent inspect --document` names each field that differs"
        }
        "UnknownEpoch" => {
            "have the call attested by the policy's operators. If the OperatorRegistry has this \
                epoch, publish it to the TaskManager with `addValidator` and `publishEpoch`; see `assent \
                deploy --help`"
        }
        "EpochExpired" => "have the call attested under the current epoch; `assent context` reads it",
        "EpochRevoked" => "have the call attested under the current epoch; `assent context` reads it",
        "RootNotRecorded" => {
            "record the root, or send the authorization that carries the signature; `assent record` \
                records an attestation document's root"
        }
        "QuorumNotReached" => {
            "have more operators sign; `assent attest` takes more keys with --key and more signatures \
                with --partial"
        }
        "MalformedSignature" => {
            "use the signature as it was aggregated: 96 bytes, uncompressed, without flag bits; \
                `assent attest` prints an authorization that carries it"
        }
        "InvalidSignature" => {
            "use the nonce, expiration, decision, evidence, epoch and non-signers that the operators \
                signed with: one was changed, or the signature is forged; `assent attest` prints an \
                authorization that carries them"
        }
        _ => refusal.remedy(),
    }
}

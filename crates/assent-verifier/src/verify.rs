//! The checks.

use crate::{
    Attestation, Context, Intent, Refusal, SpentLedger,
    admission::admit,
    backend::{Backend, Preferred},
    check::{Check, Examination},
};
use alloy_primitives::{Address, B256, U256, aliases::U96};

/// Verifies an authorization of an explicit intent, by every check of docs/protocol.md in its order.
///
/// Nothing is spent: whoever acts on the result records the nonce, for instance by
/// [`SpentNonces::spend`](crate::SpentNonces::spend).
///
/// # Errors
///
/// The [`Refusal`] with which the contracts would revert.
pub fn verify<L: SpentLedger>(
    context: &Context<L>,
    intent: &Intent,
    authorization: &[u8],
) -> Result<VerifiedAttestation, Refusal> {
    examine(context, Call::Explicit { intent, authorization }).into_result()
}

/// Verifies calldata in trailing form, sent by the context's caller to the client with a value in wei.
///
/// # Errors
///
/// The [`Refusal`] with which the contracts would revert.
pub fn verify_trailing<L: SpentLedger>(
    context: &Context<L>,
    value: U256,
    calldata: &[u8],
) -> Result<VerifiedAttestation, Refusal> {
    examine(context, Call::Trailing { value, calldata }).into_result()
}

/// As [`verify`] and [`verify_trailing`], with the outcome of each check.
pub fn examine<L: SpentLedger>(context: &Context<L>, call: Call<'_>) -> Examination {
    examine_with::<Preferred, L>(context, call)
}

/// As [`examine`], with a backend of the caller's choice.
pub fn examine_with<B: Backend, L: SpentLedger>(context: &Context<L>, call: Call<'_>) -> Examination {
    let mut passed = Passed::default();
    let result = run::<B, L>(context, call, &mut passed);
    Examination { passed: passed.0, result }
}

/// A call with its authorization, in one of the two ways to carry it.
#[derive(Debug, Clone, Copy)]
pub enum Call<'a> {
    /// The intent was handed over, and the authorization beside it.
    Explicit {
        /// The call to be made.
        intent: &'a Intent,
        /// The authorization's bytes.
        authorization: &'a [u8],
    },
    /// The authorization follows the calldata.
    Trailing {
        /// Wei sent along.
        value: U256,
        /// `calldata ‖ authorization ‖ uint16 length`.
        calldata: &'a [u8],
    },
}

/// An attestation that passed every check. Only verification makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedAttestation {
    pub(crate) attestation: Attestation,
    pub(crate) root: B256,
    pub(crate) epoch: u32,
    pub(crate) signed_weight: U96,
    pub(crate) total_weight: U96,
}

impl VerifiedAttestation {
    /// Everything the operators attested.
    pub fn attestation(&self) -> &Attestation {
        &self.attestation
    }

    /// The call that may be made, once.
    pub fn intent(&self) -> &Intent {
        &self.attestation.intent
    }

    /// The client whose nonce the call spends.
    pub fn policy_client(&self) -> Address {
        self.attestation.policyClient
    }

    /// The nonce the call spends.
    pub fn nonce(&self) -> U256 {
        self.attestation.nonce
    }

    /// The Merkle root that was signed, whether the signature came with the call or the root was recorded before.
    pub fn root(&self) -> B256 {
        self.root
    }

    /// The epoch whose operators signed.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Weight of the operators that signed.
    pub fn signed_weight(&self) -> U96 {
        self.signed_weight
    }

    /// Weight of the whole epoch.
    pub fn total_weight(&self) -> U96 {
        self.total_weight
    }
}

/// The one sequence of checks.
fn run<B: Backend, L: SpentLedger>(
    context: &Context<L>,
    call: Call<'_>,
    passed: &mut Passed,
) -> Result<VerifiedAttestation, Refusal> {
    let admitted = admit::<B, L>(context, call, |check| passed.note(check))?;

    if admitted.statement.as_ref().is_some_and(|statement| !statement.is_true(statement.hash())) {
        return Err(Refusal::InvalidSignature);
    }
    passed.note(Check::Signature);

    let verified = admitted.conclude()?;
    passed.note(Check::Decision);
    Ok(verified)
}

/// How many checks passed; they run in order, so the number says which.
#[derive(Default)]
struct Passed(usize);

impl Passed {
    fn note(&mut self, check: Check) {
        self.0 = check.number();
    }
}

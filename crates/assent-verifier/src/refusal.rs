//! Why an authorization is refused.

#![allow(non_snake_case, reason = "arguments are named as in Solidity")]

use crate::protocol::IRefusals::{self, IRefusalsErrors};
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, U256, aliases::U48};
use alloy_sol_types::{SolError, SolInterface};

/// Declares [`Refusal`] beside the conversions to and from the errors that `sol!` made of `IRefusals`. A name or an
/// argument that differs from the Solidity file's does not compile, nor does an error missing here.
macro_rules! refusals {
    ($(
        $(#[$attribute:meta])*
        $name:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })?,
    )*) => {
        /// Every reason for which an authorization is refused, in the order of the checks: the errors of the contracts'
        /// `IRefusals`, with the same arguments.
        ///
        /// ```
        /// use assent_verifier::Refusal;
        ///
        /// let refusal = Refusal::UnknownEpoch { epoch: 3 };
        /// assert_eq!(refusal.name(), "UnknownEpoch");
        /// assert_eq!(refusal.signature(), "UnknownEpoch(uint32)");
        /// assert_eq!(Refusal::decode(&refusal.revert_data()), Some(refusal));
        /// assert_eq!(refusal.to_string(), "epoch 3 is not one of the policy's operator set");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
        pub enum Refusal {
            $($(#[$attribute])* $name $({ $($(#[$field_doc])* $field: $type,)* })?,)*
        }

        impl Refusal {
            /// Every error's name, in the order of the checks: for metrics and tables that must not miss one.
            ///
            /// ```
            /// use assent_verifier::Refusal;
            ///
            /// assert_eq!(Refusal::NAMES.first(), Some(&Refusal::PolicyNotSet.name()));
            /// assert!(Refusal::NAMES.contains(&"InvalidSignature"));
            /// ```
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// The error's name, as in Solidity.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => stringify!($name),)*
                }
            }

            /// The error's Solidity signature, such as `UnknownEpoch(uint32)`.
            pub fn signature(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => <IRefusals::$name as SolError>::SIGNATURE,)*
                }
            }

            /// The bytes with which the contracts revert: selector and ABI-encoded arguments.
            pub fn revert_data(&self) -> Vec<u8> {
                match *self {
                    $(Self::$name $({ $($field),* })? => IRefusals::$name $({ $($field),* })?.abi_encode(),)*
                }
            }
        }

        impl From<IRefusalsErrors> for Refusal {
            fn from(error: IRefusalsErrors) -> Self {
                match error {
                    $(IRefusalsErrors::$name(IRefusals::$name $({ $($field),* })?) => Self::$name $({ $($field),* })?,)*
                }
            }
        }
    };
}

refusals! {
    /// The client has not been given a TaskManager and a policy.
    #[error("the client has been given no TaskManager and policy")]
    PolicyNotSet,
    /// The authorization's bytes do not parse, leave something over, or name an operator that is not in the epoch.
    #[error("the authorization does not parse, or names an operator that the epoch does not have")]
    MalformedAuthorization,
    /// The intent is for another chain.
    #[error("the intent is for chain {actual}, not for chain {expected}")]
    WrongChain {
        /// The chain the client runs on.
        expected: U256,
        /// The chain the intent names.
        actual: U256,
    },
    /// The caller is not the one whom the intent names.
    #[error("the caller is {actual}, not the intent's sender {expected}")]
    WrongSender {
        /// The intent's `from`.
        expected: Address,
        /// Who calls.
        actual: Address,
    },
    /// The call, or where and under which policy it is made, differs from what was attested.
    #[error("the authorization is for task {actual}, but this call under this policy is task {expected}")]
    WrongTask {
        /// The task id of the call as it is made.
        expected: B256,
        /// The task id the authorization carries.
        actual: B256,
    },
    /// The attestation is no longer good.
    #[error("the attestation expired at {expiration} (Unix seconds); it is {timestamp}")]
    AttestationExpired {
        /// First second at which it was no longer good (Unix time).
        expiration: U48,
        /// The present (Unix time).
        timestamp: U256,
    },
    /// The attestation would stay good for longer than the policy lets any.
    #[error("the attestation expires at {expiration} (Unix seconds), later than {latest}, the policy's latest now")]
    LifetimeTooLong {
        /// First second at which it would no longer be good (Unix time).
        expiration: U48,
        /// The latest expiration that the policy accepts now (Unix time).
        latest: U256,
    },
    /// The nonce was used or burned.
    #[error("nonce {nonce} of client {policyClient} was used or burned")]
    AttestationAlreadySpent {
        /// The client whose nonce it is.
        policyClient: Address,
        /// The nonce.
        nonce: U256,
    },
    /// No such epoch in the policy's operator set.
    #[error("epoch {epoch} is not one of the policy's operator set")]
    UnknownEpoch {
        /// The epoch the authorization names.
        epoch: u32,
    },
    /// The epoch is no longer in force: it was superseded, and its grace period is over.
    #[error("epoch {epoch} expired at {validUntil} (Unix seconds): it was superseded, and its grace period is over")]
    EpochExpired {
        /// The epoch that the authorization names.
        epoch: u32,
        /// First second at which the epoch was no longer in force (Unix time).
        validUntil: U48,
    },
    /// The owner of the registry revoked the epoch.
    #[error("epoch {epoch} was revoked")]
    EpochRevoked {
        /// The epoch that the authorization names.
        epoch: u32,
    },
    /// The root under which the attestation would stand is not recorded.
    #[error("root {root} is not recorded under epoch {epoch}")]
    RootNotRecorded {
        /// The epoch the authorization names.
        epoch: u32,
        /// The root, worked out from the attestation and the Merkle proof.
        root: B256,
    },
    /// Too little weight signed.
    #[error("operators with weight {signed} signed; the quorum is {required}")]
    QuorumNotReached {
        /// Weight of the operators that signed.
        signed: U256,
        /// Least weight that had to sign.
        required: U256,
    },
    /// The signature is not the canonical encoding of a point of the prime-order subgroup of G1 other than infinity.
    #[error("the signature is not the encoding of a point of G1's subgroup other than infinity")]
    MalformedSignature,
    /// The operators said to have signed did not sign this attestation.
    #[error("the operators said to have signed did not sign this attestation")]
    InvalidSignature,
    /// The operators found that the policy forbids the call.
    #[error("the operators found that the policy forbids task {taskId}")]
    PolicyDenied {
        /// The task they denied.
        taskId: B256,
    },
}

impl Refusal {
    /// Reads revert data; `None` unless it is exactly one refusal's.
    pub fn decode(revert_data: &[u8]) -> Option<Self> {
        let refusal = Self::from(IRefusalsErrors::abi_decode_validate(revert_data).ok()?);
        // The decoder lets bytes follow; the contracts never write any.
        (refusal.revert_data() == revert_data).then_some(refusal)
    }
}

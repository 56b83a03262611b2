//! What somebody wants inspected.

use crate::Abi;
use alloy_primitives::{Address, Bytes, U256};
use assent_verifier::{
    AttestationDocument, Authorization, AuthorizationError, Call, Context, Epoch, Intent, split_trailing,
};

/// Everything that is known about an authorization; the more, the more can be said.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::{Submission, VerdictOutcome, inspect};
///
/// // What was attested, and what the chain would know.
/// let known = submission("valid: 2 of 3 operators signed");
/// let submission = Submission { document: known.document, context: known.context, ..Submission::default() };
/// assert_eq!(inspect(&submission)?.verdict.outcome, VerdictOutcome::Valid);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Submission {
    /// The bytes themselves. Without them, the authorization is cut from the document.
    pub payload: Option<Payload>,
    /// What was attested, in full.
    pub document: Option<AttestationDocument>,
    /// Cut the document's authorization without its signature, as for a root that is recorded.
    pub recorded: bool,
    /// The call as it will be made. Without it, the call is the document's, or the calldata's.
    pub intent: Option<Intent>,
    /// What the chain would know.
    pub context: Option<Context>,
    /// Operator sets; each takes the place of the context's epoch of its number.
    pub epochs: Vec<Epoch>,
    /// Who calls, in place of the context's caller.
    pub caller: Option<Address>,
    /// The current time in Unix seconds, instead of the context's.
    pub timestamp: Option<u64>,
    /// The ABI by which calldata is decoded.
    pub abi: Option<Abi>,
}

/// The bytes that carry an authorization.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use alloy_primitives::U256;
/// use assent_inspection::{Payload, Submission, inspect};
///
/// let bytes = alloy_primitives::hex::decode(texts("valid: the authorization behind the calldata").calldata)?;
/// let payload = Some(Payload::Calldata { bytes, value: U256::ZERO });
/// let inspection = inspect(&Submission { payload, ..Submission::default() })?;
/// assert_eq!(inspection.data.map(|data| data.len()), Some(68)); // The calldata without the authorization.
/// assert!(inspection.authorization.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// An authorization and nothing else.
    Authorization(Vec<u8>),
    /// A whole call in trailing form.
    Calldata {
        /// `calldata ‖ authorization ‖ uint16 length`.
        bytes: Vec<u8>,
        /// Wei sent along.
        value: U256,
    },
}

/// A call as it was handed in, which owns what [`Call`] borrows.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::SubmittedCall;
/// use assent_verifier::verify_with_report;
///
/// let known = submission("valid: 2 of 3 operators signed");
/// let (context, intent) = (known.context.unwrap(), known.intent.unwrap());
/// let authorization = known.document.unwrap().authorization()?.encode();
/// let call = SubmittedCall::Explicit { intent: intent.clone(), authorization };
/// assert!(verify_with_report(&context, call.call()).result().is_ok());
///
/// let (parsed, authorization) = call.parse(&context)?;
/// assert_eq!((parsed, authorization.epoch), (intent, 5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmittedCall {
    /// The intent was handed over, and the authorization beside it.
    Explicit {
        /// The call to be made.
        intent: Intent,
        /// The authorization's bytes.
        authorization: Vec<u8>,
    },
    /// The authorization follows the calldata.
    Trailing {
        /// Wei sent along.
        value: U256,
        /// `calldata ‖ authorization ‖ uint16 length`.
        calldata: Vec<u8>,
    },
}

impl SubmittedCall {
    /// As the verifier takes it.
    pub fn call(&self) -> Call<'_> {
        match self {
            Self::Explicit { intent, authorization } => Call::Explicit { intent, authorization },
            Self::Trailing { value, calldata } => Call::Trailing { value: *value, calldata },
        }
    }

    /// The call that is to be made, and what is carried with it.
    ///
    /// # Errors
    ///
    /// Why the bytes are no authorization.
    pub fn parse(&self, context: &Context) -> Result<(Intent, Authorization), AuthorizationError> {
        match self {
            Self::Explicit { intent, authorization } => Ok((intent.clone(), Authorization::parse(authorization)?)),
            Self::Trailing { value, calldata } => {
                let (data, authorization) = split_trailing(calldata)?;
                let intent = context.trailing_intent(*value, Bytes::copy_from_slice(data));
                Ok((intent, Authorization::parse(authorization)?))
            }
        }
    }
}

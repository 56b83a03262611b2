//! The input of an inspection.

use crate::Abi;
use alloy_primitives::{Address, Bytes, U256};
use assent_verifier::{
    AttestationDocument, Authorization, AuthorizationError, Call, Context, Epoch, Intent, split_trailing,
};

/// The input of an inspection. Every field is optional; with more input, more is checked.
///
/// Complete: callers build it with `..Default::default()`.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use assent_inspection::{Submission, VerdictOutcome, inspect};
///
/// // A document and a context.
/// let known = submission("valid: 2 of 3 operators signed");
/// let submission = Submission { document: known.document, context: known.context, ..Submission::default() };
/// assert_eq!(inspect(&submission)?.verdict.outcome, VerdictOutcome::Valid);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Submission {
    /// The bytes. Without them, the authorization is derived from the document.
    pub payload: Option<Payload>,
    /// The attestation document.
    pub document: Option<AttestationDocument>,
    /// Derive the document's authorization without its signature, as for a recorded root.
    pub recorded: bool,
    /// The call to be made. Without it, the call is the document's, or the calldata's.
    pub intent: Option<Intent>,
    /// The chain state that verification takes as input.
    pub context: Option<Context>,
    /// Epochs; each replaces the context's epoch of the same number.
    pub epochs: Vec<Epoch>,
    /// The caller, instead of the context's.
    pub caller: Option<Address>,
    /// The current time in Unix seconds, instead of the context's.
    pub timestamp: Option<u64>,
    /// The ABI by which calldata is decoded.
    pub abi: Option<Abi>,
}

/// The bytes that contain an authorization. Complete: they are an authorization or a call in trailing form.
///
/// ```
/// # mod pasted { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/pasted.rs")); }
/// # use pasted::{submission, texts};
/// use alloy_primitives::U256;
/// use assent_inspection::{Payload, Submission, inspect};
///
/// let bytes = alloy_primitives::hex::decode(texts("valid: the authorization is appended to the calldata").calldata)?;
/// let payload = Some(Payload::Calldata { bytes, value: U256::ZERO });
/// let inspection = inspect(&Submission { payload, ..Submission::default() })?;
/// assert_eq!(inspection.data.map(|data| data.len()), Some(68)); // The calldata without the authorization.
/// assert!(inspection.authorization.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Only an authorization.
    Authorization(Vec<u8>),
    /// A whole call in trailing form.
    Calldata {
        /// `calldata ‖ authorization ‖ uint16 length`.
        bytes: Vec<u8>,
        /// The value in wei.
        value: U256,
    },
}

/// A submitted call, which owns what [`Call`] borrows. Complete, as [`Call`] is.
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
/// assert_eq!((parsed, u32::from(authorization.epoch)), (intent, 5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubmittedCall {
    /// An intent and its authorization.
    Explicit {
        /// The call to be made.
        intent: Intent,
        /// The authorization's bytes.
        authorization: Vec<u8>,
    },
    /// Calldata with the authorization appended.
    Trailing {
        /// The value in wei.
        value: U256,
        /// `calldata ‖ authorization ‖ uint16 length`.
        calldata: Vec<u8>,
    },
}

impl SubmittedCall {
    /// Returns the verifier's input.
    pub fn call(&self) -> Call<'_> {
        match self {
            Self::Explicit { intent, authorization } => Call::Explicit { intent, authorization },
            Self::Trailing { value, calldata } => Call::Trailing { value: *value, calldata },
        }
    }

    /// Parses the intent and the authorization.
    ///
    /// # Errors
    ///
    /// [`AuthorizationError`] when the bytes are not an authorization.
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

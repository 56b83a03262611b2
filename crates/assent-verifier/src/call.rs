//! A call with its authorization.

use crate::Intent;
use alloy_primitives::U256;

/// A call with its authorization, in one of the two forms that carry it.
///
/// ```
/// # mod attested { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/attested.rs")); }
/// # let (context, intent, document) = attested::example();
/// use alloy_primitives::U256;
/// use assent_verifier::{Call, append_trailing, verify_batch};
///
/// let authorization = document.authorization()?;
/// let (bytes, calldata) = (authorization.encode(), append_trailing(&intent.data, &authorization)?);
/// let explicit = Call::Explicit { intent: &intent, authorization: &bytes };
/// let trailing = Call::Trailing { value: U256::ZERO, calldata: &calldata };
/// let results = verify_batch(&context, &[explicit, trailing]);
/// assert_eq!(results[0], results[1]); // Both are the same task.
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
// Complete: contracts take calls in these two forms.
#[derive(Debug, Clone, Copy)]
pub enum Call<'a> {
    /// The intent and the authorization are arguments of the call.
    Explicit {
        /// The attested call.
        intent: &'a Intent,
        /// The authorization's bytes.
        authorization: &'a [u8],
    },
    /// The authorization is appended to the calldata.
    Trailing {
        /// The value of the call, in wei.
        value: U256,
        /// `calldata ‖ authorization ‖ uint16 length`.
        calldata: &'a [u8],
    },
}

//! The trailing form: an authorization appended to calldata.

use crate::{Authorization, AuthorizationError};
use alloc::vec::Vec;

/// Bytes of a function selector, the least that precedes an authorization.
const SELECTOR_LENGTH: usize = 4;

/// Splits calldata in trailing form into its calldata and its authorization, whose bytes are not parsed.
///
/// The trailing form is `calldata ‖ authorization ‖ uint16 length`.
///
/// ```
/// use assent_types::split_trailing;
///
/// // A selector, an authorization (of one byte, which would not parse), and its length.
/// let (calldata, authorization) = split_trailing(&[0xa9, 0x05, 0x9c, 0xbb, 0x07, 0, 1])?;
/// assert_eq!(calldata, [0xa9, 0x05, 0x9c, 0xbb]);
/// assert_eq!(authorization, [0x07]);
/// # Ok::<(), assent_types::AuthorizationError>(())
/// ```
///
/// # Errors
///
/// [`AuthorizationError::NoTrailingAuthorization`] if the length exceeds the calldata or leaves fewer than 4 bytes
/// before the authorization.
pub fn split_trailing(calldata: &[u8]) -> Result<(&[u8], &[u8]), AuthorizationError> {
    let missing = AuthorizationError::NoTrailingAuthorization { length: calldata.len() };
    let (rest, length) = calldata.split_last_chunk::<2>().ok_or(missing)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let start = rest.len().checked_sub(length).ok_or(missing)?;
    if start < SELECTOR_LENGTH {
        return Err(missing);
    }
    rest.split_at_checked(start).ok_or(missing)
}

/// Returns calldata in trailing form: the calldata, the authorization, and the authorization's length in two bytes.
///
/// ```
/// # let authorization = { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/authorization.rs")) };
/// use assent_types::{append_trailing, split_trailing};
///
/// let calldata = append_trailing(&[0xa9, 0x05, 0x9c, 0xbb], &authorization)?;
/// assert_eq!(split_trailing(&calldata)?.1, authorization.encode());
/// # Ok::<(), assent_types::AuthorizationError>(())
/// ```
///
/// # Errors
///
/// [`AuthorizationError::NoTrailingAuthorization`] if the calldata is shorter than 4 bytes (a selector).
pub fn append_trailing(calldata: &[u8], authorization: &Authorization) -> Result<Vec<u8>, AuthorizationError> {
    let missing = AuthorizationError::NoTrailingAuthorization { length: calldata.len() };
    if calldata.len() < SELECTOR_LENGTH {
        return Err(missing);
    }
    let authorization = authorization.encode();
    let length = u16::try_from(authorization.len()).map_err(|_| missing)?;
    Ok([calldata, &authorization, &length.to_be_bytes()].concat())
}

//! Addresses as people write them.

use alloy_primitives::{Address, hex};
use core::fmt;

/// The reason why a text is not an address.
///
/// ```
/// use assent_types::{InvalidAddress, parse_address};
///
/// // The last digit was mistyped.
/// let error = parse_address("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92265").unwrap_err();
/// assert!(matches!(error, InvalidAddress::WrongChecksum { .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InvalidAddress {
    /// It does not begin with `0x`.
    NoPrefix,
    /// It contains a character that is not a hex digit.
    NotHex(char),
    /// It does not have 40 digits.
    WrongLength {
        /// The number of digits.
        digits: usize,
    },
    /// Its capital letters are not those of its checksum (EIP-55), so a digit may be wrong.
    WrongChecksum {
        /// The address of these digits, whose display has the right capital letters.
        spelled: Address,
    },
}

impl fmt::Display for InvalidAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPrefix => f.write_str("an address begins with 0x"),
            Self::NotHex(character) => write!(f, "an address is 40 hex digits, and {character:?} is not one"),
            Self::WrongLength { digits } => {
                write!(f, "an address has 20 bytes, which are 40 hex digits; there are {digits}")
            }
            Self::WrongChecksum { spelled } => write!(
                f,
                "its capital letters do not match its checksum (EIP-55), so a digit may be mistyped; if every digit is \
                 right, write {}",
                spelled.to_checksum(None)
            ),
        }
    }
}

impl core::error::Error for InvalidAddress {}

/// Parses an address of `0x` and 40 hex digits.
///
/// Letters of one case carry no checksum. Letters of both cases must match the checksum of EIP-55.
///
/// ```
/// use alloy_primitives::address;
/// use assent_types::parse_address;
///
/// let expected = address!("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
/// assert_eq!(parse_address("0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"), Ok(expected));
/// assert_eq!(parse_address("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"), Ok(expected));
///
/// let error = parse_address("0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266").unwrap_err();
/// assert!(error.to_string().ends_with("write 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"));
/// ```
///
/// # Errors
///
/// [`InvalidAddress`].
pub fn parse_address(text: &str) -> Result<Address, InvalidAddress> {
    let digits = text.strip_prefix("0x").ok_or(InvalidAddress::NoPrefix)?;
    if let Some(character) = digits.chars().find(|character| !character.is_ascii_hexdigit()) {
        return Err(InvalidAddress::NotHex(character));
    }
    let bytes = hex::decode_to_array(digits).map_err(|_| InvalidAddress::WrongLength { digits: digits.len() })?;
    let address = Address::new(bytes);
    let has = |is: fn(&char) -> bool| digits.chars().any(|digit| is(&digit));
    let mixed = has(char::is_ascii_lowercase) && has(char::is_ascii_uppercase);
    if mixed && address.to_checksum(None) != text {
        return Err(InvalidAddress::WrongChecksum { spelled: address });
    }
    Ok(address)
}

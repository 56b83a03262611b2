//! The bytes of a password.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Returns a password in Unicode's form NFKD, without the control codes C0, C1 and Delete, as UTF-8.
///
/// EIP-2335 requires this, so that the same password typed on two systems gives the same bytes.
pub(super) fn encode(password: &str) -> Zeroizing<String> {
    // Room for any usual password to grow under NFKD without being moved, which would leave a copy behind.
    let mut encoded = Zeroizing::new(String::with_capacity(4 * password.len()));
    encoded.extend(password.nfkd().filter(|character| !character.is_control()));
    encoded
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn takes_the_password_of_eip_2335_to_its_encoding() {
        // EIP-2335, test cases.
        assert_eq!(encode("𝔱𝔢𝔰𝔱𝔭𝔞𝔰𝔰𝔴𝔬𝔯𝔡🔑").as_bytes(), alloy_primitives::hex!("7465737470617373776f7264f09f9491"));
    }

    #[test]
    fn drops_control_codes_and_nothing_else() {
        let all: String = (0..=0x2ff).filter_map(char::from_u32).collect();
        // The ranges as EIP-2335 names them.
        let control = |code: u32| matches!(code, 0x00..=0x1f | 0x7f | 0x80..=0x9f);
        assert!(encode(&all).chars().all(|character| !control(u32::from(character))));
        assert_eq!(encode("\u{1f} a\u{7f}b\u{80}\n\tc\u{9f}\u{a1}").as_str(), " abc\u{a1}");
    }
}

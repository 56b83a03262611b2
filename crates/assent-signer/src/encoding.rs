//! Between blst's points and the bytes of the protocol.

use blst::{BLST_ERROR, min_sig};

/// Bytes of a public key: a G2 point, uncompressed.
pub const PUBLIC_KEY_BYTES: usize = 192;

/// Bytes of a signature: a G1 point, uncompressed.
pub const SIGNATURE_BYTES: usize = 96;

const COORDINATE_BYTES: usize = 48;

/// A public key's bytes, each coordinate's `c0` before its `c1` (EIP-2537).
pub(crate) fn public_key_bytes(key: &min_sig::PublicKey) -> [u8; PUBLIC_KEY_BYTES] {
    swap_coordinate_parts(key.serialize())
}

/// Reads a public key, refusing infinity and points outside the prime-order subgroup.
pub(crate) fn public_key(bytes: &[u8; PUBLIC_KEY_BYTES]) -> Result<min_sig::PublicKey, BLST_ERROR> {
    min_sig::PublicKey::key_validate(&swap_coordinate_parts(*bytes))
}

/// Reads a signature, refusing infinity, points outside the prime-order subgroup and any length but 96 bytes: blst alone
/// would read a compressed point as well, and one signature would have two spellings.
pub(crate) fn signature(bytes: &[u8]) -> Result<min_sig::Signature, BLST_ERROR> {
    if bytes.len() != SIGNATURE_BYTES {
        return Err(BLST_ERROR::BLST_BAD_ENCODING);
    }
    min_sig::Signature::sig_validate(bytes, true)
}

/// blst writes `c1 ‖ c0` as the IETF draft does, EIP-2537 and this protocol `c0 ‖ c1`. Swapping twice changes nothing.
fn swap_coordinate_parts(mut bytes: [u8; PUBLIC_KEY_BYTES]) -> [u8; PUBLIC_KEY_BYTES] {
    for coordinate in bytes.chunks_exact_mut(2 * COORDINATE_BYTES) {
        coordinate.rotate_left(COORDINATE_BYTES);
    }
    bytes
}

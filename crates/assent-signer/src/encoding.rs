//! Encoding of blst's points in the protocol's bytes.

use assent_verifier::PublicKey;
use blst::min_sig;

/// Encodes a public key in the order of EIP-2537, `c0 ‖ c1`. blst writes `c1 ‖ c0`, as the IETF draft does.
pub(crate) fn encode_public_key(key: &min_sig::PublicKey) -> PublicKey {
    let mut bytes = key.serialize();
    for coordinate in bytes.chunks_exact_mut(PublicKey::LENGTH / 2) {
        coordinate.rotate_left(PublicKey::LENGTH / 4);
    }
    PublicKey(bytes)
}

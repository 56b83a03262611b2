//! From blst's points to the bytes of the protocol.

use assent_verifier::PublicKey;
use blst::min_sig;

/// blst writes the parts of a coordinate as `c1 ‖ c0`, as the IETF draft does; EIP-2537 and this protocol as `c0 ‖ c1`.
pub(crate) fn encode_public_key(key: &min_sig::PublicKey) -> PublicKey {
    let mut bytes = key.serialize();
    for coordinate in bytes.chunks_exact_mut(PublicKey::LENGTH / 2) {
        coordinate.rotate_left(PublicKey::LENGTH / 4);
    }
    PublicKey(bytes)
}

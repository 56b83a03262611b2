//! Changes of an authorization's bytes.

use crate::Attempt;
use alloy::primitives::U256;
use assent_verifier::offset::{
    BITMAP, BITMAP_LENGTH, DECISION, EXPIRATION, ISSUED_AT, KIND, NONCE, RECORDED_PROOF_LENGTH, SIGNATURE,
};

pub(crate) fn issued_at(authorization: &[u8]) -> u64 {
    number(authorization.get(ISSUED_AT..EXPIRATION))
}

pub(crate) fn expiration(authorization: &[u8]) -> u64 {
    number(authorization.get(EXPIRATION..DECISION))
}

/// 0 if the bytes end earlier.
fn number(bytes: Option<&[u8]>) -> u64 {
    bytes.unwrap_or_default().iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

pub(crate) fn nonce(authorization: &[u8]) -> Option<U256> {
    authorization.get(NONCE..ISSUED_AT).map(U256::from_be_slice)
}

/// Does nothing where the bytes end earlier.
pub(crate) fn overwrite(attempt: &mut Attempt, offset: usize, bytes: &[u8]) {
    if let Some(field) = attempt.authorization.get_mut(offset..offset + bytes.len()) {
        field.copy_from_slice(bytes);
    }
}

fn is_recorded(attempt: &Attempt) -> bool {
    attempt.authorization.get(KIND) == Some(&1)
}

/// `None` where the root is recorded.
pub(crate) fn signature(attempt: &mut Attempt) -> Option<&mut [u8]> {
    if is_recorded(attempt) {
        return None;
    }
    attempt.authorization.get_mut(SIGNATURE..BITMAP_LENGTH)
}

/// `None` where the root is recorded, and where the bytes end earlier.
pub(crate) fn bitmap_end(attempt: &Attempt) -> Option<usize> {
    let length = attempt.authorization.get(BITMAP_LENGTH).filter(|_| !is_recorded(attempt))?;
    let end = BITMAP + usize::from(*length);
    (end < attempt.authorization.len()).then_some(end)
}

/// The offset of the Merkle proof's length.
pub(crate) fn proof_length_offset(attempt: &Attempt) -> Option<usize> {
    let offset = if is_recorded(attempt) { Some(RECORDED_PROOF_LENGTH) } else { bitmap_end(attempt) };
    offset.filter(|offset| *offset < attempt.authorization.len())
}

/// Says that the root is recorded, and leaves the signature and the bitmap out.
pub(crate) fn drop_signature(attempt: &mut Attempt) {
    if let Some(end) = bitmap_end(attempt) {
        attempt.authorization.splice(KIND..end, [1]);
    }
}

/// Inverts an operator's bit, in a bitmap long enough for it.
pub(crate) fn mark_absent(attempt: &mut Attempt, operator: usize) {
    let Some(bitmap_end) = bitmap_end(attempt) else { return };
    let missing = (operator / 8 + 1).saturating_sub(bitmap_end - BITMAP);
    if lengthen_bitmap(attempt, missing) {
        attempt.authorization[BITMAP + operator / 8] ^= 1 << (operator % 8);
    }
}

/// Appends zeros, where the length's byte can say so. The encoding is not the shortest then.
pub(crate) fn lengthen_bitmap(attempt: &mut Attempt, by: usize) -> bool {
    let Some(end) = bitmap_end(attempt) else { return false };
    let Ok(length) = u8::try_from(end - BITMAP + by) else { return false };
    attempt.authorization.splice(end..end, vec![0; by]);
    attempt.authorization[BITMAP_LENGTH] = length;
    true
}

/// Leaves out the zeros at its end.
pub(crate) fn trim_bitmap(attempt: &mut Attempt) {
    while let Some(end) = bitmap_end(attempt).filter(|end| *end > BITMAP && attempt.authorization[end - 1] == 0) {
        attempt.authorization.remove(end - 1);
        attempt.authorization[BITMAP_LENGTH] -= 1;
    }
}

pub(crate) fn drop_bitmap(attempt: &mut Attempt) {
    if let Some(end) = bitmap_end(attempt) {
        attempt.authorization.drain(BITMAP..end);
        attempt.authorization[BITMAP_LENGTH] = 0;
    }
}

/// Appends a hash to the Merkle proof, and counts it.
pub(crate) fn lengthen_proof(attempt: &mut Attempt, hash: &[u8; 32]) {
    attempt.authorization.extend(hash);
    if let Some(offset) = proof_length_offset(attempt) {
        attempt.authorization[offset] = attempt.authorization[offset].wrapping_add(1);
    }
}

/// Takes the last hash off the Merkle proof, if it has one.
pub(crate) fn shorten_proof(attempt: &mut Attempt) {
    let Some(offset) = proof_length_offset(attempt) else { return };
    let end = attempt.authorization.len();
    if attempt.authorization[offset] > 0 && end > offset + 32 {
        attempt.authorization[offset] -= 1;
        attempt.authorization.truncate(end - 32);
    }
}

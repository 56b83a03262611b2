//! Ways to tamper with an attempt: with its structure in mind, and without.

use crate::{Attempt, Way, World};
use alloy::primitives::{Address, U256, aliases::U48};
use proptest::{collection::vec, prelude::*, sample::Index};

/// Where fields stand in an authorization (docs/protocol.md).
mod offset {
    pub const NONCE_END: usize = 64;
    pub const EXPIRATION: usize = 64;
    pub const DECISION: usize = 70;
    pub const EPOCH: usize = 103;
    pub const KIND: usize = 107;
    pub const SIGNATURE: usize = 108;
    /// Where the signature would stand.
    pub const RECORDED_PROOF_LENGTH: usize = 108;
    pub const BITMAP_LENGTH: usize = 204;
    pub const BITMAP: usize = 205;
}

/// The field's modulus, big-endian. RFC 9380, section 8.8.1.
const MODULUS: [u8; 48] = alloy::primitives::hex!(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab"
);
/// A point of the curve y² = x³ + 4 outside the subgroup: x = 0, y = 2.
const WRONG_SUBGROUP: [u8; 96] = {
    let mut point = [0; 96];
    point[95] = 2;
    point
};

/// One way to tamper.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub enum Mutation {
    FlipBit(Index),
    Truncate(u8),
    Extend(Vec<u8>),
    RandomBytes(Vec<u8>),
    ChangeAmount(u8),
    ChangeTarget,
    ChangeValue,
    ChangeChain,
    ChangeCaller,
    ChangeSender,
    ChangePolicyId,
    ChangeQuorum(u16),
    ChangeOperatorSet(u32),
    ForgetPolicy,
    TimeAroundExpiration(i8),
    TimeAroundEarliest(i8),
    TimeAroundGracePeriod(i8),
    BurnNonce,
    BurnNeighbour,
    Epoch(u32),
    FlipDecision,
    Kind(u8),
    DropSignature,
    AbsentOperator(u16),
    BitmapTail,
    DropBitmap,
    SignatureInfinity,
    SignaturePlusModulus(bool),
    SignatureNegated,
    SignatureSwapped,
    SignatureWrongSubgroup,
    SignatureOffCurve(Index),
    SignatureOfOther(Index),
    ProofHash([u8; 32]),
}

impl Arbitrary for Mutation {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        use Mutation::*;
        let bytes = prop_oneof![
            4 => any::<Index>().prop_map(FlipBit),
            1 => (1..40u8).prop_map(Truncate),
            1 => vec(any::<u8>(), 1..40).prop_map(Extend),
            1 => vec(any::<u8>(), 0..400).prop_map(RandomBytes),
        ];
        let call = prop_oneof![
            any::<u8>().prop_map(ChangeAmount),
            Just(ChangeTarget),
            Just(ChangeValue),
            Just(ChangeChain),
            Just(ChangeCaller),
            Just(ChangeSender),
        ];
        let circumstances = prop_oneof![
            Just(ChangePolicyId),
            any::<u16>().prop_map(ChangeQuorum),
            (5..10u32).prop_map(ChangeOperatorSet),
            Just(ForgetPolicy),
            (-1..=1i8).prop_map(TimeAroundExpiration),
            (-1..=1i8).prop_map(TimeAroundEarliest),
            (-1..=1i8).prop_map(TimeAroundGracePeriod),
            Just(BurnNonce),
            Just(BurnNeighbour),
        ];
        let proof = prop_oneof![
            (0..7u32).prop_map(Epoch),
            Just(FlipDecision),
            (0..4u8).prop_map(Kind),
            Just(DropSignature),
            (0..2_040u16).prop_map(AbsentOperator),
            (0..16u16).prop_map(AbsentOperator),
            Just(BitmapTail),
            Just(DropBitmap),
            any::<[u8; 32]>().prop_map(ProofHash),
        ];
        let signature = prop_oneof![
            Just(SignatureInfinity),
            any::<bool>().prop_map(SignaturePlusModulus),
            Just(SignatureNegated),
            Just(SignatureSwapped),
            Just(SignatureWrongSubgroup),
            any::<Index>().prop_map(SignatureOffCurve),
            any::<Index>().prop_map(SignatureOfOther),
        ];
        prop_oneof![bytes, call, circumstances, proof, signature].boxed()
    }
}

impl Mutation {
    /// Tampers. What does not apply, to shorter bytes for instance, does nothing.
    pub fn apply(&self, attempt: &mut Attempt, world: &World) {
        match self {
            Self::FlipBit(index) => {
                let bytes = &mut attempt.authorization;
                if !bytes.is_empty() {
                    let bit = index.index(bytes.len() * 8);
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
            }
            Self::Truncate(count) => {
                let length = attempt.authorization.len().saturating_sub((*count).into());
                attempt.authorization.truncate(length);
            }
            Self::Extend(bytes) => attempt.authorization.extend(bytes),
            Self::RandomBytes(bytes) => attempt.authorization.clone_from(bytes),
            Self::ChangeAmount(byte) => change_amount(attempt, *byte),
            Self::ChangeTarget => attempt.intent.to = Address::repeat_byte(0x78),
            Self::ChangeValue => attempt.intent.value += U256::from(1),
            Self::ChangeChain => attempt.intent.chainId += U256::from(1),
            Self::ChangeCaller => attempt.caller = Address::repeat_byte(0x79),
            Self::ChangeSender => attempt.intent.from = Address::repeat_byte(0x7a),
            Self::ChangePolicyId => attempt.policy.policyId = [8; 32].into(),
            Self::ChangeQuorum(quorum) => attempt.policy.quorum = acceptable_quorum(attempt.way, *quorum),
            Self::ChangeOperatorSet(set) => attempt.policy.operatorSet = *set,
            Self::ForgetPolicy if attempt.way != Way::TaskManagerView => attempt.policy.policyId = [0; 32].into(),
            Self::ForgetPolicy => {}
            Self::TimeAroundExpiration(step) => {
                let expiration = expiration(&attempt.authorization);
                move_time(attempt, expiration, *step, world);
            }
            Self::TimeAroundEarliest(step) => {
                // Ahead of the earliest time at which the lifetime is short enough; the chain's time only moves forward, so
                // the policy's lifetime is shortened instead.
                let lifetime = expiration(&attempt.authorization).saturating_sub(attempt.timestamp);
                let lifetime = lifetime.saturating_add_signed((*step).into()).clamp(1, u64::from(u32::MAX));
                attempt.policy.maxLifetime = U48::from(lifetime);
            }
            Self::TimeAroundGracePeriod(step) => {
                let end = u64::try_from(world.epochs[1].valid_until).expect("48 bits");
                move_time(attempt, end, *step, world);
            }
            Self::BurnNonce => attempt.burned = nonce(attempt).map(|nonce| (nonce >> 8, bit(nonce))),
            Self::BurnNeighbour => attempt.burned = nonce(attempt).map(|nonce| (nonce >> 8, !bit(nonce))),
            Self::Epoch(number) => overwrite(attempt, offset::EPOCH, &number.to_be_bytes()),
            Self::FlipDecision => {
                if let Some(decision) = attempt.authorization.get_mut(offset::DECISION) {
                    *decision ^= 1;
                }
            }
            Self::Kind(kind) => overwrite(attempt, offset::KIND, &[*kind]),
            Self::DropSignature => drop_signature(attempt),
            Self::AbsentOperator(index) => mark_absent(attempt, usize::from(*index)),
            Self::BitmapTail => lengthen_bitmap(attempt, 1),
            Self::DropBitmap => drop_bitmap(attempt),
            Self::SignatureInfinity => replace_signature(attempt, &[0; 96]),
            Self::SignaturePlusModulus(of_y) => add_modulus(attempt, *of_y),
            Self::SignatureNegated => negate_signature(attempt),
            Self::SignatureSwapped => {
                if let Some(signature) = signature(attempt) {
                    signature.rotate_left(48);
                }
            }
            Self::SignatureWrongSubgroup => replace_signature(attempt, &WRONG_SUBGROUP),
            Self::SignatureOffCurve(index) => {
                if let Some(signature) = signature(attempt) {
                    signature[1 + index.index(95)] ^= 1;
                }
            }
            Self::SignatureOfOther(index) => {
                let (_, key) = &world.keys[index.index(world.keys.len())];
                replace_signature(attempt, &key.sign_root([1; 32].into()).0);
            }
            Self::ProofHash(hash) => {
                attempt.authorization.extend(hash);
                if let Some(offset) = proof_length_offset(attempt) {
                    attempt.authorization[offset] = attempt.authorization[offset].wrapping_add(1);
                }
            }
        }
    }
}

/// Keeps what the vault's owner may set; the TaskManager itself takes anything.
fn acceptable_quorum(way: Way, quorum: u16) -> u16 {
    if way == Way::TaskManagerView { quorum } else { 5_001 + quorum % 5_000 }
}

/// In the last byte of the calldata, which is the amount's.
fn change_amount(attempt: &mut Attempt, byte: u8) {
    let mut data = attempt.intent.data.to_vec();
    if let Some(last) = data.last_mut() {
        *last = byte;
    }
    attempt.intent.data = data.into();
}

fn move_time(attempt: &mut Attempt, to: u64, step: i8, world: &World) {
    attempt.timestamp = to.saturating_add_signed(step.into()).clamp(world.earliest(), 1 << 40);
}

fn expiration(authorization: &[u8]) -> u64 {
    let bytes = authorization.get(offset::EXPIRATION..offset::DECISION).unwrap_or_default();
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn nonce(attempt: &Attempt) -> Option<U256> {
    attempt.authorization.get(offset::NONCE_END - 32..offset::NONCE_END).map(U256::from_be_slice)
}

fn bit(nonce: U256) -> U256 {
    U256::from(1) << (nonce & U256::from(0xff))
}

fn overwrite(attempt: &mut Attempt, offset: usize, bytes: &[u8]) {
    if let Some(field) = attempt.authorization.get_mut(offset..offset + bytes.len()) {
        field.copy_from_slice(bytes);
    }
}

fn is_recorded(attempt: &Attempt) -> bool {
    attempt.authorization.get(offset::KIND) == Some(&1)
}

/// `None` where the root is recorded.
fn signature(attempt: &mut Attempt) -> Option<&mut [u8]> {
    if is_recorded(attempt) {
        return None;
    }
    attempt.authorization.get_mut(offset::SIGNATURE..offset::BITMAP_LENGTH)
}

fn replace_signature(attempt: &mut Attempt, by: &[u8; 96]) {
    if let Some(signature) = signature(attempt) {
        signature.copy_from_slice(by);
    }
}

fn proof_length_offset(attempt: &Attempt) -> Option<usize> {
    let offset = if is_recorded(attempt) { Some(offset::RECORDED_PROOF_LENGTH) } else { bitmap_end(attempt) };
    offset.filter(|offset| *offset < attempt.authorization.len())
}

/// `None` where the root is recorded, and where the bytes end earlier.
fn bitmap_end(attempt: &Attempt) -> Option<usize> {
    let length = attempt.authorization.get(offset::BITMAP_LENGTH).filter(|_| !is_recorded(attempt))?;
    let end = offset::BITMAP + usize::from(*length);
    (end < attempt.authorization.len()).then_some(end)
}

/// Says that the root is recorded, and leaves the signature and the bitmap out.
fn drop_signature(attempt: &mut Attempt) {
    if let Some(end) = bitmap_end(attempt) {
        attempt.authorization.splice(offset::KIND..end, [1]);
    }
}

fn mark_absent(attempt: &mut Attempt, operator: usize) {
    let Some(bitmap_end) = bitmap_end(attempt) else { return };
    let missing = (operator / 8 + 1).saturating_sub(bitmap_end - offset::BITMAP);
    lengthen_bitmap(attempt, missing);
    attempt.authorization[offset::BITMAP + operator / 8] ^= 1 << (operator % 8);
}

fn lengthen_bitmap(attempt: &mut Attempt, by: usize) {
    let Some(end) = bitmap_end(attempt) else { return };
    let Ok(length) = u8::try_from(end - offset::BITMAP + by) else { return };
    attempt.authorization.splice(end..end, vec![0; by]);
    attempt.authorization[offset::BITMAP_LENGTH] = length;
}

fn drop_bitmap(attempt: &mut Attempt) {
    if let Some(end) = bitmap_end(attempt) {
        attempt.authorization.drain(offset::BITMAP..end);
        attempt.authorization[offset::BITMAP_LENGTH] = 0;
    }
}

/// x + p or y + p, where it fits into 48 bytes: the second spelling of the same point.
fn add_modulus(attempt: &mut Attempt, of_y: bool) {
    let Some(signature) = signature(attempt) else { return };
    let coordinate = if of_y { &mut signature[48..] } else { &mut signature[..48] };
    let mut carry = 0;
    for (byte, addend) in coordinate.iter_mut().zip(MODULUS).rev() {
        let sum = u16::from(*byte) + u16::from(addend) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
}

/// p − y: a valid point, and the wrong one.
fn negate_signature(attempt: &mut Attempt) {
    let Some(signature) = signature(attempt) else { return };
    let mut borrow = 0;
    for (byte, minuend) in signature[48..].iter_mut().zip(MODULUS).rev() {
        let difference = i16::from(minuend) - i16::from(*byte) - borrow;
        borrow = i16::from(difference < 0);
        *byte = difference as u8;
    }
}

//! Ways to tamper with an attempt: of its fields, and of its bytes.

use crate::{
    Attempt, Deployment, EntryPoint, Spelling,
    authorization_bytes::{
        bitmap_end, drop_bitmap, drop_signature, expiration, issued_at, lengthen_bitmap, lengthen_proof, mark_absent,
        nonce, overwrite, proof_length_offset, shorten_proof, signature,
    },
    index,
    signing::sign,
    world_plan::LATEST,
};
use alloy::primitives::{Address, B256, U256, aliases::U48};
use assent_verifier::{
    Epoch, MAX_EPOCH_LIFETIME,
    offset::{BITMAP, BITMAP_LENGTH, DECISION, EPOCH, EVIDENCE, EXPIRATION, ISSUED_AT, KIND, NONCE, SIGNATURE},
};
use proptest::{collection::vec, prelude::*};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// One way to tamper with an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Mutation {
    FlipBit(u32),
    FlipBitOf(Field, u16),
    Truncate(u8),
    Extend(Vec<u8>),
    RandomBytes(Vec<u8>),
    /// The two bytes after a trailing authorization are larger by this.
    TrailingLength(i16),

    ChangeCalldata(u16),
    ChangeTarget,
    ChangeValue,
    ChangeChain,
    ChangeCaller,
    ChangeSender,
    OtherClient,

    ChangePolicyId,
    ChangeQuorum(u16),
    /// The quorum that is reached with a weight that differs by this from what signs.
    QuorumAroundSigned(i8),
    ChangeOperatorSet(u32),
    ForgetPolicy,
    TimeAroundIssuance(i8),
    TimeAroundExpiration(i8),
    LifetimeAroundPolicy(i8),
    FloorAroundIssuance(i8),
    /// As far ahead as the client may void.
    FloorAhead,
    TimeAroundGracePeriod(i8),
    TimeAroundEpochEnd(i8),
    IssuanceAtLimit(bool),
    ExpirationAtLimit(bool),
    BurnNonce,
    BurnNeighbours,

    Epoch(u32),
    FlipDecision,
    Kind(u8),
    DropSignature,
    AbsentOperator(u16),
    BitmapTail,
    DropBitmap,
    Signature(Spelling),
    SignatureOfOneOperator(u16),
    /// Over the right root, by all operators of an epoch that may be another.
    SignatureOfEpoch(u16),
    LengthenProof([u8; 32]),
    ShortenProof,
}

/// A part of an authorization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Field {
    TaskId,
    Nonce,
    IssuedAt,
    Expiration,
    Decision,
    Evidence,
    Epoch,
    Kind,
    Signature,
    BitmapLength,
    Bitmap,
    ProofLength,
    Proof,
}

const FIELDS: [Field; 13] = [
    Field::TaskId,
    Field::Nonce,
    Field::IssuedAt,
    Field::Expiration,
    Field::Decision,
    Field::Evidence,
    Field::Epoch,
    Field::Kind,
    Field::Signature,
    Field::BitmapLength,
    Field::Bitmap,
    Field::ProofLength,
    Field::Proof,
];

impl Arbitrary for Mutation {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        use Mutation::*;
        let bytes = prop_oneof![
            1 => any::<u32>().prop_map(FlipBit),
            6 => (prop::sample::select(FIELDS.to_vec()), any::<u16>()).prop_map(|(field, bit)| FlipBitOf(field, bit)),
            1 => (1..40u8).prop_map(Truncate),
            1 => vec(any::<u8>(), 1..40).prop_map(Extend),
            1 => vec(any::<u8>(), 0..400).prop_map(RandomBytes),
            1 => prop_oneof![2 => -1..=1i16, 1 => any::<i16>()].prop_map(TrailingLength),
        ];
        let call = prop_oneof![
            2 => any::<u16>().prop_map(ChangeCalldata),
            1 => Just(ChangeTarget),
            1 => Just(ChangeValue),
            2 => Just(ChangeChain),
            1 => Just(ChangeCaller),
            2 => Just(ChangeSender),
            1 => Just(OtherClient),
        ];
        let circumstances = prop_oneof![
            1 => Just(ChangePolicyId),
            1 => any::<u16>().prop_map(ChangeQuorum),
            2 => (-1..=1i8).prop_map(QuorumAroundSigned),
            1 => (5..10u32).prop_map(ChangeOperatorSet),
            2 => Just(ForgetPolicy),
            2 => (-1..=1i8).prop_map(TimeAroundIssuance),
            2 => (-1..=1i8).prop_map(TimeAroundExpiration),
            2 => (-1..=1i8).prop_map(LifetimeAroundPolicy),
            2 => (-1..=1i8).prop_map(FloorAroundIssuance),
            1 => Just(FloorAhead),
            1 => (-1..=1i8).prop_map(TimeAroundGracePeriod),
            1 => (-1..=1i8).prop_map(TimeAroundEpochEnd),
            1 => any::<bool>().prop_map(IssuanceAtLimit),
            1 => any::<bool>().prop_map(ExpirationAtLimit),
            1 => Just(BurnNonce),
            1 => Just(BurnNeighbours),
        ];
        let proof = prop_oneof![
            2 => (0..7u32).prop_map(Epoch),
            1 => Just(FlipDecision),
            1 => (0..4u8).prop_map(Kind),
            2 => Just(DropSignature),
            1 => (0..2_040u16).prop_map(AbsentOperator),
            2 => (0..16u16).prop_map(AbsentOperator),
            1 => Just(BitmapTail),
            1 => Just(DropBitmap),
            2 => any::<[u8; 32]>().prop_map(LengthenProof),
            1 => Just(ShortenProof),
        ];
        let signature = prop_oneof![
            4 => any::<Spelling>().prop_map(Signature),
            1 => any::<u16>().prop_map(SignatureOfOneOperator),
            1 => any::<u16>().prop_map(SignatureOfEpoch),
        ];
        prop_oneof![3 => bytes, 2 => call, 3 => circumstances, 2 => proof, 1 => signature].boxed()
    }
}

impl Mutation {
    /// Tampers with the attempt. A mutation that does not apply, for example because the bytes are shorter, does
    /// nothing.
    pub fn apply(&self, attempt: &mut Attempt, deployment: &Deployment) {
        match self {
            Self::FlipBit(_) | Self::FlipBitOf(..) | Self::Truncate(_) | Self::Extend(_) | Self::RandomBytes(_) => {
                self.apply_to_bytes(attempt);
            }
            Self::TrailingLength(step) => attempt.length_error = *step,
            Self::ChangeCalldata(bit) => change_calldata(attempt, (*bit).into()),
            Self::ChangeTarget => attempt.intent.to = Address::repeat_byte(0x99),
            Self::ChangeValue => attempt.intent.value += U256::from(1),
            Self::ChangeChain => attempt.intent.chainId += U256::from(1),
            Self::ChangeCaller => attempt.caller = Address::repeat_byte(0x98),
            Self::ChangeSender => attempt.intent.from = Address::repeat_byte(0x97),
            Self::OtherClient => change_client(attempt, deployment),
            Self::ChangePolicyId => attempt.policy.policyId = [8; 32].into(),
            Self::ChangeQuorum(quorum) => attempt.policy.quorum = acceptable_quorum(attempt.entry_point, *quorum),
            Self::QuorumAroundSigned(step) => set_quorum_around_signed(attempt, (*step).into(), deployment),
            Self::ChangeOperatorSet(set) => attempt.policy.operatorSet = *set,
            Self::ForgetPolicy if attempt.entry_point != EntryPoint::TaskManagerView => {
                attempt.policy.policyId = B256::ZERO
            }
            Self::ForgetPolicy => {}
            Self::TimeAroundIssuance(step) => {
                let issued_at = issued_at(&attempt.authorization);
                move_time(attempt, issued_at, *step, deployment);
            }
            Self::TimeAroundExpiration(step) => {
                let expiration = expiration(&attempt.authorization);
                move_time(attempt, expiration, *step, deployment);
            }
            Self::LifetimeAroundPolicy(step) => {
                let lifetime = expiration(&attempt.authorization).saturating_sub(issued_at(&attempt.authorization));
                let lifetime = lifetime.saturating_add_signed((*step).into());
                attempt.policy.maxLifetime = acceptable_lifetime(attempt.entry_point, lifetime);
            }
            Self::FloorAroundIssuance(step) => {
                let floor = issued_at(&attempt.authorization).saturating_add_signed((*step).into());
                raise_floor(attempt, U48::from(floor.min(LATEST)), deployment);
            }
            Self::FloorAhead => {
                let floor = latest_floor(attempt.entry_point, deployment);
                raise_floor(attempt, floor, deployment);
            }
            Self::TimeAroundGracePeriod(step) => {
                let end = u64::try_from(deployment.epochs[1].valid_until).expect("48 bits");
                move_time(attempt, end, *step, deployment);
            }
            Self::TimeAroundEpochEnd(step) => {
                if let Some(epoch) = epoch(attempt, deployment) {
                    move_time(attempt, deployment.epoch_end(epoch.number).to(), *step, deployment);
                }
            }
            Self::IssuanceAtLimit(latest) => {
                let byte = if *latest { 0xff } else { 0 };
                overwrite(attempt, ISSUED_AT, &[byte; EXPIRATION - ISSUED_AT]);
            }
            Self::ExpirationAtLimit(latest) => {
                let byte = if *latest { 0xff } else { 0 };
                overwrite(attempt, EXPIRATION, &[byte; DECISION - EXPIRATION]);
            }
            Self::BurnNonce => attempt.burned = nonce(&attempt.authorization).map(|nonce| (nonce >> 8, bit(nonce))),
            Self::BurnNeighbours => {
                attempt.burned = nonce(&attempt.authorization).map(|nonce| (nonce >> 8, !bit(nonce)));
            }
            Self::Epoch(number) => overwrite(attempt, EPOCH, &number.to_be_bytes()),
            Self::FlipDecision => {
                if let Some(decision) = attempt.authorization.get_mut(DECISION) {
                    *decision ^= 1;
                }
            }
            Self::Kind(kind) => overwrite(attempt, KIND, &[*kind]),
            Self::DropSignature => drop_signature(attempt),
            Self::AbsentOperator(index) => mark_absent(attempt, usize::from(*index)),
            Self::BitmapTail => {
                lengthen_bitmap(attempt, 1);
            }
            Self::DropBitmap => drop_bitmap(attempt),
            Self::Signature(_) | Self::SignatureOfOneOperator(_) | Self::SignatureOfEpoch(_) => {
                self.apply_to_signature(attempt, deployment);
            }
            Self::LengthenProof(hash) => lengthen_proof(attempt, hash),
            Self::ShortenProof => shorten_proof(attempt),
        }
    }

    fn apply_to_bytes(&self, attempt: &mut Attempt) {
        let everything = 0..attempt.authorization.len();
        match self {
            Self::FlipBit(bit) => flip(&mut attempt.authorization, everything, *bit as usize),
            Self::FlipBitOf(field, bit) => {
                let range = field.range(attempt).filter(|range| range.end <= everything.end);
                flip(&mut attempt.authorization, range.unwrap_or(0..0), (*bit).into());
            }
            Self::Truncate(count) => attempt.authorization.truncate(everything.end.saturating_sub((*count).into())),
            Self::Extend(bytes) => attempt.authorization.extend(bytes),
            Self::RandomBytes(bytes) => attempt.authorization.clone_from(bytes),
            _ => {}
        }
    }

    fn apply_to_signature(&self, attempt: &mut Attempt, deployment: &Deployment) {
        let root = attempt.root;
        let Some(signature) = signature(attempt) else { return };
        match self {
            Self::Signature(spelling) => spelling.apply(signature),
            Self::SignatureOfOneOperator(number) => {
                let (_, key) = &deployment.keys[index(*number, deployment.keys.len())];
                signature.copy_from_slice(&key.sign_root(root).0);
            }
            Self::SignatureOfEpoch(number) => {
                let epoch = &deployment.epochs[index(*number, deployment.epochs.len())];
                signature.copy_from_slice(&sign(deployment, epoch, root, &[]).0.0);
            }
            _ => {}
        }
    }
}

impl Field {
    /// `None` if the bytes end earlier, or do not have the field.
    fn range(self, attempt: &Attempt) -> Option<Range<usize>> {
        let is_direct = attempt.authorization.get(KIND) == Some(&0);
        Some(match self {
            Self::TaskId => 0..NONCE,
            Self::Nonce => NONCE..ISSUED_AT,
            Self::IssuedAt => ISSUED_AT..EXPIRATION,
            Self::Expiration => EXPIRATION..DECISION,
            Self::Decision => DECISION..EVIDENCE,
            Self::Evidence => EVIDENCE..EPOCH,
            Self::Epoch => EPOCH..KIND,
            Self::Kind => KIND..SIGNATURE,
            Self::Signature if is_direct => SIGNATURE..BITMAP_LENGTH,
            Self::BitmapLength if is_direct => BITMAP_LENGTH..BITMAP,
            Self::Bitmap => BITMAP..bitmap_end(attempt)?,
            Self::ProofLength => proof_length_offset(attempt).map(|offset| offset..offset + 1)?,
            Self::Proof => proof_length_offset(attempt)? + 1..attempt.authorization.len(),
            Self::Signature | Self::BitmapLength => return None,
        })
    }
}

fn flip(bytes: &mut [u8], range: Range<usize>, bit: usize) {
    if !range.is_empty() {
        let bit = bit % (range.len() * 8);
        bytes[range.start + bit / 8] ^= 1 << (bit % 8);
    }
}

/// Flips any bit of an intent's calldata. In a payment's calldata, only in the amount: a wrong selector or address is
/// refused before the authorization is read.
fn change_calldata(attempt: &mut Attempt, bit: usize) {
    let mut data = attempt.intent.data.to_vec();
    let changeable =
        if attempt.entry_point == EntryPoint::Trailing { data.len() - 32..data.len() } else { 0..data.len() };
    flip(&mut data, changeable, bit);
    attempt.intent.data = data.into();
}

/// Uses the same call and authorization at the other client.
fn change_client(attempt: &mut Attempt, deployment: &Deployment) {
    let before = deployment.clients[attempt.client].vault;
    attempt.client = 1 - attempt.client;
    let client = &deployment.clients[attempt.client];
    attempt.policy = client.policy.clone();
    attempt.issuance_floor = client.issuance_floor;
    if attempt.intent.to == before {
        attempt.intent.to = client.vault;
    }
}

/// Limits the quorum to what the vault's owner may set. The TaskManager itself accepts any.
fn acceptable_quorum(entry_point: EntryPoint, quorum: u16) -> u16 {
    if entry_point == EntryPoint::TaskManagerView { quorum } else { quorum.clamp(5_001, 10_000) }
}

/// Sets the greatest quorum that a weight reaches. Exact if the epoch's weight is below 10,000.
fn set_quorum_around_signed(attempt: &mut Attempt, step: i64, deployment: &Deployment) {
    let Some(epoch) = epoch(attempt, deployment) else { return };
    let bitmap = bitmap_end(attempt).map_or(&[][..], |end| &attempt.authorization[BITMAP..end]);
    let signed: U256 = epoch
        .operators
        .operators()
        .iter()
        .enumerate()
        .filter(|(index, _)| bitmap.get(index / 8).is_none_or(|byte| byte >> (index % 8) & 1 == 0))
        .map(|(_, operator)| U256::from(operator.weight))
        .sum();
    let aim = if step < 0 { signed.saturating_sub(U256::from(1)) } else { signed + U256::from(step) };
    let quorum = aim * U256::from(10_000) / U256::from(epoch.operators.total_weight());
    attempt.policy.quorum = acceptable_quorum(attempt.entry_point, quorum.saturating_to());
}

/// Limits the lifetime to what the vault's owner may set, as [`acceptable_quorum`] does.
fn acceptable_lifetime(entry_point: EntryPoint, lifetime: u64) -> U48 {
    let longest = if entry_point == EntryPoint::TaskManagerView { U48::MAX } else { MAX_EPOCH_LIFETIME };
    U48::from(lifetime.clamp(1, longest.to()))
}

/// The latest floor that a client may set in the block after the world's last one. The TaskManager itself accepts any.
fn latest_floor(entry_point: EntryPoint, deployment: &Deployment) -> U48 {
    if entry_point == EntryPoint::TaskManagerView {
        return U48::MAX;
    }
    U48::from(deployment.chain.timestamp() + 1) + MAX_EPOCH_LIFETIME
}

/// Does nothing where the client could not set the floor. It never falls.
fn raise_floor(attempt: &mut Attempt, floor: U48, deployment: &Deployment) {
    let is_view = attempt.entry_point == EntryPoint::TaskManagerView;
    if is_view || (floor > attempt.issuance_floor && floor <= latest_floor(attempt.entry_point, deployment)) {
        attempt.issuance_floor = floor;
    }
}

/// The epoch that the authorization names.
fn epoch<'a>(attempt: &Attempt, deployment: &'a Deployment) -> Option<&'a Epoch> {
    let number = attempt.authorization.get(EPOCH..KIND).map(U256::from_be_slice)?;
    deployment.epochs.iter().find(|epoch| U256::from(u32::from(epoch.number)) == number)
}

fn move_time(attempt: &mut Attempt, to: u64, step: i8, deployment: &Deployment) {
    attempt.timestamp = to.saturating_add_signed(step.into()).clamp(deployment.earliest(), 1 << 50);
}

fn bit(nonce: U256) -> U256 {
    U256::from(1) << (nonce & U256::from(0xff))
}

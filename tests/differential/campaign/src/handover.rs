//! Handovers and revocations, about which an `EpochMirror` and the verifier decide.

use crate::{Spelling, foundation::secret_key, index};
use alloy::{
    primitives::{
        Address, B256, Bytes, U256,
        aliases::{U48, U96},
        keccak256,
    },
    sol_types::{SolCall, SolConstructor, SolError, SolInterface},
};
use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain, Message};
use assent_contracts::EpochMirror::{self, EpochMirrorErrors, MirrorSettings, SignedByOperators as SignedCall};
use assent_signer::{PartialSignature, SecretKey, aggregate_epoch_handover, aggregate_epoch_revocation};
use assent_verifier::{
    Epoch, EpochHandover, EpochId, EpochRevocation, EpochSignatureError, HandoverError, MAX_EPOCH_LIFETIME,
    MirrorState, NonSigners, Operator, OperatorSet, OperatorSetId, RevocationError, SignedByOperators,
    backend::{Backend, arkworks::Arkworks, blst::Blst},
    digest::{EPOCH_HANDOVER_TAG, SIGNATURE_TAG},
    verify_handover_using, verify_revocation_ahead_using, verify_revocation_using,
};
use proptest::{prelude::*, sample::Index};
use std::collections::{BTreeMap, BTreeSet};

/// The set that hands over, and one that the mirror holds as well.
const OPERATOR_SET: OperatorSetId = OperatorSetId(7);
const OTHER_OPERATOR_SET: OperatorSetId = OperatorSetId(8);
/// The epochs of the mirror: a superseded one, the set's latest, and the other set's.
const SUPERSEDED: EpochId = EpochId(3);
const LATEST: EpochId = EpochId(5);
const OTHERS: EpochId = EpochId(6);
/// What is handed over to, unless it is tampered with.
const NEXT: EpochId = EpochId(9);
/// Revoked before it is here, by the guardian.
const REVOKED_AHEAD: EpochId = EpochId(10);
const HOME_CHAIN: u64 = 1;
const HOME_REGISTRY: Address = Address::repeat_byte(0xb2);
const GRACE_PERIOD: u64 = 3_600;

/// A mirror with epochs. Each case leaves it as it was.
#[derive(Debug, Clone)]
pub struct MirrorPlan {
    /// How many operators each epoch has.
    pub operators: u16,
    /// How many operators the next epoch has.
    pub next_operators: u16,
    /// The share that hands over, in basis points.
    pub quorum: u16,
    /// The share that revokes, in basis points.
    pub halt_quorum: u16,
    /// The weight of operator i is 1 more than i times this modulo 97.
    pub weights: u8,
    /// How long the latest epoch lasts, in seconds.
    pub lifetime: u32,
    /// Whether the guardian has revoked it.
    pub is_revoked: bool,
}

impl MirrorPlan {
    /// Random mirrors. Of the next epochs, one in four needs a second table.
    pub fn strategy() -> impl Strategy<Value = Self> {
        let operators = prop_oneof![8 => 1..9u16, 2 => 9..24u16];
        let next_operators = prop_oneof![3 => 1..5u16, 1 => 101..104u16];
        (operators, next_operators, 5001..=10_000u16, 1..=10_000u16, any::<u8>(), 10_000..2_000_000u32, 0..8u8)
            .prop_map(|(operators, next_operators, quorum, halt_quorum, weights, lifetime, revoked)| Self {
                operators,
                next_operators,
                quorum,
                halt_quorum,
                weights,
                lifetime,
                is_revoked: revoked == 0,
            })
    }
}

/// A deployed mirror, and what it must know.
pub struct MirrorWorld {
    chain: EmbeddedChain,
    mirror: Address,
    state: MirrorState,
    keys: Vec<(Address, SecretKey)>,
    next_keys: Vec<(Address, SecretKey)>,
    next: OperatorSet,
    table: Vec<u8>,
}

/// A handover or a revocation, nearly always tampered with.
#[derive(Debug, Clone)]
pub struct Statement {
    /// What is asked of the mirror.
    pub request: Request,
    /// Which operators are absent: operator i if bit i % 64 is set.
    pub absent: u64,
    /// Which operators of the next epoch are absent when they revoke it.
    pub next_absent: u64,
    /// So many seconds after the mirror's time, or before (and after) the latest epoch's end.
    pub time: Moment,
    /// What is wrong with it.
    pub tampering: Vec<HandoverTampering>,
}

/// What is asked of the mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// To accept the next epoch.
    Accept,
    /// To revoke the latest epoch.
    Revoke,
    /// To revoke the next epoch before it is accepted.
    RevokeAhead,
}

/// When it is sent.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    /// So many seconds from now.
    Now(u16),
    /// So many seconds after a second before the signing epoch's end.
    AroundTheEnd(u8),
}

/// One way to make a handover or a revocation false.
#[derive(Debug, Clone)]
pub enum HandoverTampering {
    /// Another chain.
    HomeChain(u64),
    /// Another registry.
    HomeRegistry,
    /// Another operator set.
    OperatorSet(u32),
    /// Another epoch signs.
    SignedBy(u32),
    /// It hands over to another epoch.
    Epoch(u32),
    /// It was committed so many seconds after now, or after the latest time from which it can last until its end.
    Commit(bool, i8),
    /// It ends so many seconds after the latest time that it may, or before now.
    Expiry(bool, i8),
    /// A hash with another bit.
    ContentHash(Index),
    /// Signed under the tag of attestations.
    OtherTag,
    /// Signed for the next epoch's revocation.
    OtherStatement,
    /// Other bytes for the signature.
    Signature(Spelling),
    /// The signature has so many bytes.
    SignatureLength(u8),
    /// A bit of the bitmap is inverted.
    Bitmap(u16),
    /// Zero bytes follow the bitmap.
    BitmapZeros(u8),
    /// A bit of the table is inverted.
    Table(Index),
    /// A bit of the table's counts is inverted.
    TableCounts(u8),
    /// A bit of an earlier table's address is inverted, if the table names any.
    EarlierTable(u8),
    /// The table has so many bytes.
    TableLength(Index),
    /// The revocation names another epoch.
    OtherEpoch(u32),
    /// A bit of the bitmap of the next epoch's operators is inverted.
    NextBitmap(u16),
    /// Other bytes for the signature of the next epoch's operators.
    NextSignature(Spelling),
    /// The signature of the next epoch's operators has so many bytes.
    NextSignatureLength(u8),
}

impl Statement {
    /// Random statements. One in five is not tampered with.
    pub fn strategy() -> impl Strategy<Value = Self> {
        let few = (any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(one, other, third)| one & other & third);
        let absent = prop_oneof![3 => Just(0), 5 => few, 1 => any::<u64>()];
        let time = prop_oneof![
            4 => (1..600u16).prop_map(Moment::Now),
            1 => (0..3u8).prop_map(Moment::AroundTheEnd),
        ];
        let tampering = prop_oneof![
            1 => Just(Vec::new()),
            3 => proptest::collection::vec(any::<HandoverTampering>(), 1),
            1 => proptest::collection::vec(any::<HandoverTampering>(), 2..4),
        ];
        let request =
            prop_oneof![3 => Just(Request::Accept), 1 => Just(Request::Revoke), 1 => Just(Request::RevokeAhead)];
        (request, absent.clone(), absent, time, tampering).prop_map(
            |(request, absent, next_absent, time, tampering)| Self { request, absent, next_absent, time, tampering },
        )
    }
}

impl Arbitrary for HandoverTampering {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let epochs = || prop_oneof![Just(0), Just(3), Just(5), Just(6), Just(10), 0..12u32, any::<u32>()];
        prop_oneof![
            any::<u64>().prop_map(Self::HomeChain),
            Just(Self::HomeRegistry),
            prop_oneof![Just(8), Just(9), any::<u32>()].prop_map(Self::OperatorSet),
            epochs().prop_map(Self::SignedBy),
            epochs().prop_map(Self::Epoch),
            (any::<bool>(), -2..=2i8).prop_map(|(late, seconds)| Self::Commit(late, seconds)),
            (any::<bool>(), -2..=2i8).prop_map(|(late, seconds)| Self::Expiry(late, seconds)),
            any::<Index>().prop_map(Self::ContentHash),
            Just(Self::OtherTag),
            Just(Self::OtherStatement),
            any::<Spelling>().prop_map(Self::Signature),
            prop_oneof![Just(0), Just(95), Just(97), any::<u8>()].prop_map(Self::SignatureLength),
            prop_oneof![0..32u16, 0..2_100u16].prop_map(Self::Bitmap),
            any::<u8>().prop_map(Self::BitmapZeros),
            any::<Index>().prop_map(Self::Table),
            (0..24u8).prop_map(Self::TableCounts),
            any::<u8>().prop_map(Self::EarlierTable),
            any::<Index>().prop_map(Self::TableLength),
            epochs().prop_map(Self::OtherEpoch),
            (0..32u16).prop_map(Self::NextBitmap),
            any::<Spelling>().prop_map(Self::NextSignature),
            prop_oneof![Just(0), Just(95), Just(97), any::<u8>()].prop_map(Self::NextSignatureLength),
        ]
        .boxed()
    }
}

impl MirrorWorld {
    /// Deploys a mirror whose owner sets its epochs.
    pub fn new(plan: &MirrorPlan) -> Self {
        let chain = EmbeddedChain::new(10);
        let [owner, guardian, ..] = DEVELOPMENT_ACCOUNTS;
        let settings = MirrorSettings {
            homeChain: U256::from(HOME_CHAIN),
            homeRegistry: HOME_REGISTRY,
            quorum: plan.quorum,
            haltQuorum: plan.halt_quorum,
            gracePeriod: U48::from(GRACE_PERIOD),
            notice: U48::from(1),
            guardian,
        };
        let arguments = EpochMirror::constructorCall { owner, settings }.abi_encode();
        let code = [EpochMirror::BYTECODE.as_ref(), &arguments].concat();
        let mirror = chain.deploy(owner, code).expect("the mirror deploys");
        let (keys, operators) = operators(0, plan.operators, plan.weights);
        let (next_keys, next) = operators_of_next(plan);
        let state = MirrorState {
            home_chain: U256::from(HOME_CHAIN),
            home_registry: HOME_REGISTRY,
            quorum: plan.quorum,
            halt_quorum: plan.halt_quorum,
            timestamp: 0,
            epochs: Vec::new(),
            revoked_ahead: BTreeSet::from([REVOKED_AHEAD]),
            stored_tables: BTreeMap::new(),
        };
        let mut world = Self { chain, mirror, state, keys, next_keys, next, table: Vec::new() };
        world.set_epochs(plan, owner, guardian, operators);
        world.store_tables(owner);
        world
    }

    fn set_epochs(&mut self, plan: &MirrorPlan, owner: Address, guardian: Address, operators: OperatorSet) {
        let table: Bytes = operators.mirror_table(&[]).expect("one table").into();
        let lifetime = u64::from(plan.lifetime);
        let sets = [(OPERATOR_SET, SUPERSEDED), (OTHER_OPERATOR_SET, OTHERS), (OPERATOR_SET, LATEST)];
        for (operator_set, number) in sets {
            let valid_until = U48::from(self.chain.timestamp() + lifetime);
            let call = EpochMirror::setGenesisCall {
                operatorSet: operator_set.into(),
                epoch: number.into(),
                expiresAt: valid_until,
                table: table.clone(),
            };
            if number != SUPERSEDED {
                // Every epoch but the mirror's first needs notice.
                let propose = EpochMirror::proposeChangeCall { change: call.abi_encode().into() };
                self.transact(owner, &propose);
                self.chain.set_next_timestamp(self.chain.timestamp() + 2).expect("time moves forward");
            }
            self.transact(owner, &call);
            self.state.epochs.push(Epoch { number, operator_set, valid_until, operators: operators.clone() });
        }
        let superseded = U48::from(self.chain.timestamp() + GRACE_PERIOD);
        self.state.epochs[0].valid_until = superseded.min(self.state.epochs[0].valid_until);
        self.transact(guardian, &EpochMirror::guardianRevokeCall { revoked: vec![REVOKED_AHEAD.into()] });
        if plan.is_revoked {
            self.transact(guardian, &EpochMirror::guardianRevokeCall { revoked: vec![LATEST.into()] });
            self.state.epochs[2].valid_until = U48::ZERO;
        }
    }

    fn store_tables(&mut self, payer: Address) {
        let mut addresses = Vec::new();
        for entries in self.next.full_tables() {
            let call = EpochMirror::storeTableCall { entries: entries.clone().into() };
            let output = self.transact(payer, &call);
            let table = EpochMirror::storeTableCall::abi_decode_returns(&output).expect("an address");
            self.state.stored_tables.insert(table, keccak256(entries));
            addresses.push(table);
        }
        self.table = self.next.mirror_table(&addresses).expect("as many tables as the set needs");
    }

    fn transact(&self, from: Address, call: &impl SolCall) -> Bytes {
        let outcome = self.chain.transact(Message::new(from, self.mirror, call.abi_encode())).expect("a transaction");
        assert!(outcome.is_success(), "a call that must succeed ended with {:?} {}", outcome.status, outcome.output);
        outcome.output
    }

    /// Lets the mirror and the verifier decide. Returns the error's name, `None` if it is accepted.
    ///
    /// # Errors
    ///
    /// What they disagree on.
    pub fn compare(&self, statement: &Statement) -> Result<Option<String>, String> {
        let timestamp = self.timestamp(statement.time);
        let state = MirrorState { timestamp, ..self.state.clone() };
        let built = self.build(statement, timestamp);
        let expected = match statement.request {
            Request::Accept => agreed(built.accept::<Arkworks>(&state), built.accept::<Blst>(&state)),
            Request::Revoke => agreed(built.revoke::<Arkworks>(&state), built.revoke::<Blst>(&state)),
            Request::RevokeAhead => agreed(
                built.revoke_ahead::<Arkworks>(&state, &self.next),
                built.revoke_ahead::<Blst>(&state, &self.next),
            ),
        }?;
        let call = built.call(statement.request);
        let [caller, ..] = DEVELOPMENT_ACCOUNTS;
        let outcome = self.chain.call_at(Message::new(caller, self.mirror, call), timestamp).expect("a call");
        let actual = match outcome.revert_data() {
            None if outcome.is_success() => Ok(()),
            data => Err(data.cloned().unwrap_or_default()),
        };
        if expected != actual {
            let actual = actual.map_err(|data| EpochMirrorErrors::abi_decode(&data).map(|_| data));
            return Err(format!("verifier: {expected:?}; mirror: {actual:?}, {:?}", outcome.status));
        }
        Ok(actual.err().map(|data| name(&data)))
    }

    fn timestamp(&self, moment: Moment) -> u64 {
        let now = self.chain.timestamp();
        match moment {
            Moment::Now(seconds) => now + u64::from(seconds),
            // Later than the mirror's time: a lifetime is longer than the set-up.
            Moment::AroundTheEnd(seconds) => {
                (self.state.epochs[2].valid_until.to::<u64>() + u64::from(seconds)).saturating_sub(1).max(now + 1)
            }
        }
    }

    /// Signs what is to be signed, and then tampers with the rest.
    fn build(&self, statement: &Statement, timestamp: u64) -> Built {
        let mut handover = EpochHandover {
            home_chain: self.state.home_chain,
            home_registry: self.state.home_registry,
            operator_set: OPERATOR_SET,
            signed_by: LATEST,
            epoch: NEXT,
            committed_at: U48::from(timestamp - 1_000),
            expires_at: U48::from(timestamp + 500_000),
            content_hash: self.next.content_hash(),
        };
        let (mut tag, mut other_statement, mut epoch) = (EPOCH_HANDOVER_TAG, false, LATEST);
        for tampering in &statement.tampering {
            match tampering {
                HandoverTampering::HomeChain(chain) => handover.home_chain = U256::from(*chain),
                HandoverTampering::HomeRegistry => handover.home_registry = Address::repeat_byte(0xb3),
                HandoverTampering::OperatorSet(set) => handover.operator_set = OperatorSetId(*set),
                HandoverTampering::SignedBy(number) => handover.signed_by = EpochId(*number),
                HandoverTampering::Epoch(number) => handover.epoch = EpochId(*number),
                HandoverTampering::Commit(late, seconds) => {
                    let first = handover.expires_at.to::<u64>() - MAX_EPOCH_LIFETIME.to::<u64>();
                    let time = if *late { timestamp } else { first };
                    handover.committed_at = U48::from(time.saturating_add_signed((*seconds).into()));
                }
                HandoverTampering::Expiry(late, seconds) => {
                    let last = handover.committed_at.to::<u64>() + MAX_EPOCH_LIFETIME.to::<u64>();
                    let end = if *late { last } else { timestamp };
                    handover.expires_at = U48::from(end.saturating_add_signed((*seconds).into()));
                }
                HandoverTampering::ContentHash(bit) => flip(&mut handover.content_hash.0, bit.index(256)),
                HandoverTampering::OtherTag => tag = SIGNATURE_TAG,
                HandoverTampering::OtherStatement => other_statement = true,
                HandoverTampering::OtherEpoch(number) => epoch = EpochId(*number),
                _ => {}
            }
        }
        let revocation = EpochRevocation { home_chain: self.state.home_chain, home_registry: HOME_REGISTRY, epoch };
        let other = EpochRevocation { epoch: NEXT, ..revocation };
        let (latest, revokes) = (&self.state.epochs[2], statement.request == Request::Revoke);
        let signed = match (revokes, other_statement) {
            (_, true) => Signed::Revocation(other),
            (true, false) => Signed::Revocation(revocation),
            (false, false) => Signed::Handover(handover),
        };
        let (signature, bitmap) = sign(latest, &self.keys, &signed, tag, statement.absent);
        // Only for the one request: sets of a hundred sign for long.
        let (next_signature, next_bitmap) = if statement.request == Request::RevokeAhead {
            let number = if other_statement { LATEST } else { handover.epoch };
            let signed = Signed::Revocation(EpochRevocation { epoch: number, ..revocation });
            let next = Epoch { number, operators: self.next.clone(), ..latest.clone() };
            sign(&next, &self.next_keys, &signed, EPOCH_HANDOVER_TAG, statement.next_absent)
        } else {
            Default::default()
        };
        let table = self.table.clone();
        let mut built = Built { handover, epoch, table, bitmap, signature, next_bitmap, next_signature };
        statement.tampering.iter().for_each(|tampering| built.tamper(tampering));
        built
    }
}

/// Signs with the keys of operators that are not absent; of none, with those that the bitmap names. Returns the
/// signature and the bitmap.
fn sign(
    epoch: &Epoch,
    keys: &[(Address, SecretKey)],
    signed: &Signed,
    tag: &'static [u8],
    absent: u64,
) -> (Vec<u8>, Vec<u8>) {
    let is_present = |index: usize| absent >> (index % 64) & 1 == 0;
    let signers = keys.iter().enumerate().filter(|(index, _)| is_present(*index));
    let partials: Vec<_> = signers
        .map(|(_, (operator, key))| {
            let signature = match (signed, tag == SIGNATURE_TAG) {
                (_, true) => key.sign_root(signed.digest()),
                (Signed::Handover(handover), _) => key.hand_over_epoch(handover),
                (Signed::Revocation(revocation), _) => key.revoke_epoch(revocation),
            };
            PartialSignature::new(*operator, signature.0)
        })
        .collect();
    let aggregate = match (signed, tag == SIGNATURE_TAG) {
        (_, true) => assent_signer::aggregate(epoch, signed.digest(), &partials),
        (Signed::Handover(handover), _) => aggregate_epoch_handover(epoch, handover, &partials),
        (Signed::Revocation(revocation), _) => aggregate_epoch_revocation(epoch, revocation, &partials),
    };
    match aggregate {
        Ok(aggregate) => (aggregate.signature.0.to_vec(), aggregate.non_signers.as_bytes().to_vec()),
        Err(_) => {
            let all = (0u16..).take(keys.len());
            let bitmap = NonSigners::from_indices(all).expect("few operators").as_bytes().to_vec();
            (keys[0].1.sign_root(B256::ZERO).0.to_vec(), bitmap)
        }
    }
}

/// Returns what both backends decided, as the mirror's revert data.
fn agreed(arkworks: Decided, blst: Decided) -> Result<Result<(), Bytes>, String> {
    if arkworks == blst { Ok(arkworks) } else { Err(format!("arkworks: {arkworks:?}; blst: {blst:?}")) }
}

/// The mirror's revert data, if it refuses.
type Decided = Result<(), Bytes>;

enum Signed {
    Handover(EpochHandover),
    Revocation(EpochRevocation),
}

impl Signed {
    fn digest(&self) -> B256 {
        match self {
            Self::Handover(handover) => handover.digest(),
            Self::Revocation(revocation) => revocation.digest(),
        }
    }
}

/// What is sent.
struct Built {
    handover: EpochHandover,
    epoch: EpochId,
    table: Vec<u8>,
    bitmap: Vec<u8>,
    signature: Vec<u8>,
    next_bitmap: Vec<u8>,
    next_signature: Vec<u8>,
}

impl Built {
    fn accept<B: Backend>(&self, state: &MirrorState) -> Decided {
        let Self { handover, table, bitmap, signature, .. } = self;
        let verified = verify_handover_using::<B>(state, handover, table, bitmap, signature);
        verified.map(drop).map_err(|error| of_handover(&error))
    }

    fn revoke<B: Backend>(&self, state: &MirrorState) -> Decided {
        let verified = verify_revocation_using::<B>(state, self.epoch, &self.bitmap, &self.signature);
        verified.map(drop).map_err(|error| of_revocation(&error))
    }

    fn revoke_ahead<B: Backend>(&self, state: &MirrorState, next: &OperatorSet) -> Decided {
        let handed_over = SignedByOperators { non_signers: &self.bitmap, signature: &self.signature };
        let revoked = SignedByOperators { non_signers: &self.next_bitmap, signature: &self.next_signature };
        let Self { handover, table, .. } = self;
        let verified = verify_revocation_ahead_using::<B>(state, handover, table, next, handed_over, revoked);
        verified.map(drop).map_err(|error| of_revocation(&error))
    }

    fn call(self, request: Request) -> Vec<u8> {
        let Self { handover, epoch, table, bitmap, signature, next_bitmap, next_signature } = self;
        let (handover, table, non_signers, signature) =
            (handover.into(), table.into(), bitmap.into(), signature.into());
        match request {
            Request::Accept => {
                EpochMirror::acceptCall { handover, table, nonSigners: non_signers, signature }.abi_encode()
            }
            Request::Revoke => {
                EpochMirror::revokeCall { epoch: epoch.into(), nonSigners: non_signers, signature }.abi_encode()
            }
            Request::RevokeAhead => {
                let revoked = SignedCall { nonSigners: next_bitmap.into(), signature: next_signature.into() };
                let handed_over = SignedCall { nonSigners: non_signers, signature };
                EpochMirror::revokeAheadCall { handover, table, handedOver: handed_over, revoked }.abi_encode()
            }
        }
    }

    /// Changes what is not signed.
    fn tamper(&mut self, tampering: &HandoverTampering) {
        match tampering {
            HandoverTampering::Signature(spelling) if self.signature.len() == 96 => spelling.apply(&mut self.signature),
            HandoverTampering::SignatureLength(length) => self.signature.resize((*length).into(), 0),
            HandoverTampering::Bitmap(bit) => {
                let byte = usize::from(bit / 8);
                self.bitmap.resize(self.bitmap.len().max(byte + 1), 0);
                self.bitmap[byte] ^= 1 << (bit % 8);
            }
            HandoverTampering::BitmapZeros(zeros) => self.bitmap.extend(vec![0; (*zeros).into()]),
            HandoverTampering::Table(bit) if !self.table.is_empty() => {
                let bits = self.table.len() * 8;
                flip(&mut self.table, bit.index(bits));
            }
            HandoverTampering::TableCounts(bit) if self.table.len() > 206 => {
                flip(&mut self.table[204..207], index(u16::from(*bit), 24));
            }
            HandoverTampering::EarlierTable(bit) if self.table.len() > 227 && self.table[206] > 0 => {
                flip(&mut self.table[207..227], index(u16::from(*bit), 160));
            }
            HandoverTampering::TableLength(length) => {
                let length = length.index(self.table.len() + 2);
                self.table.resize(length, 0);
            }
            HandoverTampering::NextBitmap(bit) => {
                let byte = usize::from(bit / 8);
                self.next_bitmap.resize(self.next_bitmap.len().max(byte + 1), 0);
                self.next_bitmap[byte] ^= 1 << (bit % 8);
            }
            HandoverTampering::NextSignature(spelling) if self.next_signature.len() == 96 => {
                spelling.apply(&mut self.next_signature);
            }
            HandoverTampering::NextSignatureLength(length) => self.next_signature.resize((*length).into(), 0),
            _ => {}
        }
    }
}

fn flip(bytes: &mut [u8], bit: usize) {
    bytes[bit / 8] ^= 1 << (bit % 8);
}

fn operators_of_next(plan: &MirrorPlan) -> (Vec<(Address, SecretKey)>, OperatorSet) {
    operators(1_000, plan.next_operators, plan.weights.wrapping_add(1))
}

/// Operators with the keys of these numbers, in the order of their addresses.
fn operators(first: u64, count: u16, weights: u8) -> (Vec<(Address, SecretKey)>, OperatorSet) {
    let keys: Vec<_> = (0..u64::from(count))
        .map(|number| (Address::left_padding_from(&(number + 1).to_be_bytes()), secret_key(first + number)))
        .collect();
    let weight = |index: usize| U96::from(1 + index * usize::from(weights) % 97);
    let operators = keys.iter().enumerate().map(|(index, (address, key))| Operator {
        address: *address,
        public_key: key.public_key(),
        weight: weight(index),
    });
    let set = OperatorSet::new(operators.collect()).expect("the operators are a valid set");
    (keys, set)
}

/// The mirror's revert data.
fn of_handover(error: &HandoverError) -> Bytes {
    let data = match *error {
        HandoverError::WrongHome { home_chain, home_registry } => {
            EpochMirror::WrongHome { homeChain: home_chain, homeRegistry: home_registry }.abi_encode()
        }
        HandoverError::WrongSigner { signed_by, latest } => {
            EpochMirror::WrongSigner { signedBy: signed_by.into(), latest: latest.into() }.abi_encode()
        }
        HandoverError::SignerExpired { signed_by, valid_until } => {
            EpochMirror::SignerExpired { signedBy: signed_by.into(), validUntil: valid_until }.abi_encode()
        }
        HandoverError::NotLater { epoch, latest } => {
            EpochMirror::NotLater { epoch: epoch.into(), latest: latest.into() }.abi_encode()
        }
        HandoverError::EpochWasRevoked { epoch } => EpochMirror::EpochWasRevoked { epoch: epoch.into() }.abi_encode(),
        HandoverError::CommittedLater { epoch, committed_at } => {
            EpochMirror::CommittedLater { epoch: epoch.into(), committedAt: committed_at }.abi_encode()
        }
        HandoverError::InvalidExpiry { epoch, expires_at } => {
            EpochMirror::InvalidExpiry { epoch: epoch.into(), expiresAt: expires_at }.abi_encode()
        }
        HandoverError::Signature(error) => return of_signature(error),
        HandoverError::MalformedTable => EpochMirror::MalformedTable {}.abi_encode(),
        HandoverError::UnknownTable { table } => EpochMirror::UnknownTable { table }.abi_encode(),
        HandoverError::WrongContent { expected, actual } => EpochMirror::WrongContent { expected, actual }.abi_encode(),
        ref other => unreachable!("the mirror has no error for {other}"),
    };
    data.into()
}

fn of_revocation(error: &RevocationError) -> Bytes {
    match *error {
        RevocationError::NoSuchEpoch(epoch) => EpochMirror::NoSuchEpoch { epoch: epoch.into() }.abi_encode().into(),
        RevocationError::Signature(error) => of_signature(error),
        RevocationError::Handover(ref error) => of_handover(error),
        ref other => unreachable!("the mirror has no error for {other}"),
    }
}

fn of_signature(error: EpochSignatureError) -> Bytes {
    let data = match error {
        // OperatorTable reverts with it in assembly, so that the mirror's ABI does not declare it.
        EpochSignatureError::NonSignerOutOfRange => assent_verifier::Refusal::NonSignerOutOfRange.revert_data(),
        EpochSignatureError::QuorumNotReached { signed, required } => {
            EpochMirror::EpochQuorumNotReached { signed: U256::from(signed), required }.abi_encode()
        }
        EpochSignatureError::MalformedSignature => EpochMirror::MalformedEpochSignature {}.abi_encode(),
        EpochSignatureError::InvalidSignature => EpochMirror::InvalidEpochSignature {}.abi_encode(),
        other => unreachable!("the mirror has no error for {other}"),
    };
    data.into()
}

/// The name of the error of revert data.
fn name(revert_data: &[u8]) -> String {
    let described = assent_contracts::errors::describe(revert_data).unwrap_or_default();
    described.split('(').next().unwrap_or_default().to_owned()
}

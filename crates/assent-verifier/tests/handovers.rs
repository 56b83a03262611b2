//! Handovers and revocations: the mirror's checks, in its order.

mod fixture;

use alloy_primitives::{
    Address, B256, U256,
    aliases::{U48, U96},
    keccak256,
};
use assent_verifier::{
    Epoch, EpochHandover, EpochId, EpochRevocation, EpochSignatureError, HandoverError, MAX_EPOCH_LIFETIME,
    MirrorState, NonSigners, OperatorSet, OperatorSetId, OperatorTableError, RevocationError, SignedByOperators,
    VerifiedHandover,
    backend::{self, DefaultBackend},
    digest::{EPOCH_APPROVAL_TAG, EPOCH_HANDOVER_TAG, SIGNATURE_TAG},
    verify_handover, verify_handover_using, verify_revocation, verify_revocation_ahead, verify_revocation_ahead_using,
    verify_revocation_using,
};
use blst::min_sig::{AggregateSignature, SecretKey};
use fixture::{NOW, operators, secret};

const SET: OperatorSetId = OperatorSetId(5);
const SIGNER: EpochId = EpochId(9);
const COMMITTED: u64 = NOW - 5_000;
const END: u64 = NOW + 600_000;

/// A handover that is accepted, and everything around it.
struct Handing {
    state: MirrorState,
    secrets: Vec<SecretKey>,
    handover: EpochHandover,
    table: Vec<u8>,
    absent: Vec<u16>,
    tag: &'static [u8],
}

impl Handing {
    /// Epoch 9 of four operators of weight 10 each hands over to epoch 12, of other operators. Three of four must sign.
    fn new(next: &OperatorSet) -> Self {
        let secrets: Vec<_> = (0..4).map(secret).collect();
        let signer = Epoch {
            number: SIGNER,
            operator_set: SET,
            valid_until: U48::from(NOW + 1_000),
            operators: OperatorSet::new(operators(&secrets)).unwrap(),
        };
        let other = Epoch { number: EpochId(11), operator_set: OperatorSetId(6), ..signer.clone() };
        let older = Epoch { number: EpochId(3), valid_until: U48::from(NOW + 9_000), ..signer.clone() };
        let state = MirrorState {
            home_chain: U256::from(1),
            home_registry: Address::repeat_byte(0xb2),
            quorum: 6667,
            halt_quorum: 5000,
            timestamp: NOW,
            epochs: vec![older, signer, other],
            revoked_ahead: [EpochId(15)].into(),
            stored_tables: next
                .full_tables()
                .enumerate()
                .map(|(index, entries)| (table_address(index), keccak256(entries)))
                .collect(),
        };
        let addresses: Vec<_> = (0..state.stored_tables.len()).map(table_address).collect();
        let handover = EpochHandover {
            home_chain: state.home_chain,
            home_registry: state.home_registry,
            operator_set: SET,
            signed_by: SIGNER,
            epoch: EpochId(12),
            committed_at: U48::from(COMMITTED),
            expires_at: U48::from(END),
            content_hash: next.content_hash(),
        };
        let table = next.mirror_table(&addresses).unwrap();
        Self { state, secrets, handover, table, absent: vec![2], tag: EPOCH_HANDOVER_TAG }
    }

    fn sign(&self, digest: B256) -> Vec<u8> {
        let signers = (0u16..).zip(&self.secrets).filter(|(index, _)| !self.absent.contains(index));
        sign_by(signers.map(|(_, key)| key), digest, self.tag)
    }

    fn bitmap(&self) -> Vec<u8> {
        NonSigners::from_indices(self.absent.iter().copied()).unwrap().as_bytes().to_vec()
    }

    fn verify(&self) -> Result<VerifiedHandover, HandoverError> {
        self.verify_with(&self.bitmap(), &self.sign(self.handover.digest()))
    }

    fn verify_with(&self, bitmap: &[u8], signature: &[u8]) -> Result<VerifiedHandover, HandoverError> {
        let Self { state, handover, table, .. } = self;
        let verified = verify_handover(state, handover, table, bitmap, signature);
        #[cfg(feature = "arkworks")]
        assert_eq!(
            verified,
            verify_handover_using::<backend::arkworks::Arkworks>(state, handover, table, bitmap, signature)
        );
        #[cfg(feature = "blst")]
        assert_eq!(verified, verify_handover_using::<backend::blst::Blst>(state, handover, table, bitmap, signature));
        verified
    }

    /// Has the first `signers` of the next epoch's operators revoke it, before it is accepted.
    fn revoke_ahead(&self, next: &OperatorSet, signers: u16) -> Result<EpochId, RevocationError> {
        let (bitmap, handed_over) = (self.bitmap(), self.sign(self.handover.digest()));
        let MirrorState { home_chain, home_registry, .. } = self.state;
        let revocation = EpochRevocation { home_chain, home_registry, epoch: self.handover.epoch };
        let count = u16::try_from(next.operators().len()).unwrap();
        let non_signers = NonSigners::from_indices(signers..count).unwrap();
        let keys: Vec<_> = (20..20 + signers).map(secret).collect();
        let revoked = sign_by(&keys, revocation.digest(), self.tag);
        let handed_over = SignedByOperators { non_signers: &bitmap, signature: &handed_over };
        let revoked = SignedByOperators { non_signers: non_signers.as_bytes(), signature: &revoked };
        self.revoke_ahead_with(next, handed_over, revoked)
    }

    fn revoke_ahead_with(
        &self,
        next: &OperatorSet,
        handed_over: SignedByOperators<'_>,
        revoked: SignedByOperators<'_>,
    ) -> Result<EpochId, RevocationError> {
        let Self { state, handover, table, .. } = self;
        let verified = verify_revocation_ahead(state, handover, table, next, handed_over, revoked);
        #[cfg(feature = "arkworks")]
        assert_eq!(
            verified,
            verify_revocation_ahead_using::<backend::arkworks::Arkworks>(
                state,
                handover,
                table,
                next,
                handed_over,
                revoked
            )
        );
        #[cfg(feature = "blst")]
        assert_eq!(
            verified,
            verify_revocation_ahead_using::<backend::blst::Blst>(state, handover, table, next, handed_over, revoked)
        );
        verified.map(|revoked| revoked.epoch())
    }

    fn revoke(&self, epoch: EpochId) -> Result<EpochId, RevocationError> {
        let MirrorState { home_chain, home_registry, .. } = self.state;
        let signature = self.sign(EpochRevocation { home_chain, home_registry, epoch }.digest());
        let revoked = verify_revocation(&self.state, epoch, &self.bitmap(), &signature);
        #[cfg(feature = "arkworks")]
        assert_eq!(
            revoked,
            verify_revocation_using::<backend::arkworks::Arkworks>(&self.state, epoch, &self.bitmap(), &signature)
        );
        #[cfg(feature = "blst")]
        assert_eq!(
            revoked,
            verify_revocation_using::<backend::blst::Blst>(&self.state, epoch, &self.bitmap(), &signature)
        );
        let revoked = revoked?;
        let absent = U96::from(10 * self.absent.len());
        assert_eq!((revoked.signed_weight(), revoked.total_weight()), (U96::from(40) - absent, U96::from(40)));
        Ok(revoked.epoch())
    }
}

fn sign_by<'a>(keys: impl IntoIterator<Item = &'a SecretKey>, digest: B256, tag: &[u8]) -> Vec<u8> {
    let signed: Vec<_> = keys.into_iter().map(|key| key.sign(digest.as_slice(), tag, &[])).collect();
    let signed: Vec<_> = signed.iter().collect();
    AggregateSignature::aggregate(&signed, false).unwrap().to_signature().serialize().to_vec()
}

fn table_address(index: usize) -> Address {
    Address::with_last_byte(u8::try_from(index).unwrap() + 1)
}

fn next_operators(count: u16) -> OperatorSet {
    OperatorSet::new(operators(&(20..20 + count).map(secret).collect::<Vec<_>>())).unwrap()
}

#[test]
fn an_epoch_hands_over_to_a_later_one_whose_operators_then_sign() {
    let next = next_operators(3);
    let handing = Handing::new(&next);
    let verified = handing.verify().unwrap();
    assert_eq!(verified.handover(), &handing.handover);
    assert_eq!((verified.signed_weight(), verified.total_weight()), (U96::from(30), U96::from(40)));
    let epoch = verified.epoch(next.clone()).unwrap();
    assert_eq!((epoch.number, epoch.operator_set, epoch.valid_until), (EpochId(12), SET, U48::from(END)));
    assert_eq!(epoch.operators, next);

    let other = next_operators(2);
    let (expected, actual) = (next.content_hash(), other.content_hash());
    assert_eq!(verified.epoch(other), Err(HandoverError::WrongContent { expected, actual }));
}

#[test]
fn each_refusal_precedes_those_of_later_checks() {
    let next = next_operators(1);
    // From the last check to the first: each is made to fail while all later ones fail, too.
    let mut handing = Handing::new(&next);
    handing.table[0] ^= 1;
    assert!(matches!(handing.verify(), Err(HandoverError::WrongContent { .. })));
    handing.table.pop();
    assert_eq!(handing.verify(), Err(HandoverError::MalformedTable));
    let (bitmap, good) = (handing.bitmap(), handing.sign(handing.handover.digest()));
    let refused =
        |handing: &Handing, bitmap: &[u8], signature: &[u8]| handing.verify_with(bitmap, signature).unwrap_err();
    let other = handing.sign(B256::ZERO);
    assert_eq!(refused(&handing, &bitmap, &other), EpochSignatureError::InvalidSignature.into());
    for malformed in [&[0; 96][..], &good[1..], &[0xff; 96], &[]] {
        assert_eq!(refused(&handing, &bitmap, malformed), EpochSignatureError::MalformedSignature.into());
    }
    let (signed, required) = (U96::from(20), U256::from(27));
    let too_few = EpochSignatureError::QuorumNotReached { signed, required };
    assert_eq!(refused(&handing, &[0b0110], &[]), too_few.into());
    assert_eq!(refused(&handing, &[0b1_0110], &[]), EpochSignatureError::NonSignerOutOfRange.into());

    let next = handing.handover.epoch;
    for expires_at in [NOW, COMMITTED + MAX_EPOCH_LIFETIME.to::<u64>() + 1] {
        let expires_at = U48::from(expires_at);
        handing.handover.expires_at = expires_at;
        assert_eq!(handing.verify(), Err(HandoverError::InvalidExpiry { epoch: next, expires_at }));
    }
    let committed_at = U48::from(NOW + 1);
    handing.handover.committed_at = committed_at;
    assert_eq!(handing.verify(), Err(HandoverError::CommittedLater { epoch: next, committed_at }));
    handing.handover.epoch = EpochId(15);
    assert_eq!(handing.verify(), Err(HandoverError::EpochWasRevoked { epoch: EpochId(15) }));
    for epoch in [SIGNER, EpochId(8), EpochId(11)] {
        handing.handover.epoch = epoch;
        assert_eq!(handing.verify(), Err(HandoverError::NotLater { epoch, latest: SIGNER }), "epoch {epoch}");
    }
    handing.state.epochs[1].valid_until = U48::from(NOW);
    let expired = HandoverError::SignerExpired { signed_by: SIGNER, valid_until: U48::from(NOW) };
    assert_eq!(handing.verify(), Err(expired));
    handing.handover.signed_by = EpochId(3);
    assert_eq!(handing.verify(), Err(HandoverError::WrongSigner { signed_by: EpochId(3), latest: SIGNER }));
    handing.handover.operator_set = OperatorSetId(7);
    assert_eq!(handing.verify(), Err(HandoverError::WrongSigner { signed_by: EpochId(3), latest: EpochId(0) }));
    handing.handover.home_chain = U256::from(10);
    assert!(matches!(handing.verify(), Err(HandoverError::WrongHome { .. })));
    handing.handover.home_chain = U256::from(1);
    handing.handover.home_registry = Address::ZERO;
    assert!(matches!(handing.verify(), Err(HandoverError::WrongHome { .. })));
}

#[test]
fn both_ends_count_to_the_second() {
    let mut handing = Handing::new(&next_operators(1));
    let signer_end = handing.state.epochs[1].valid_until.to::<u64>();
    handing.state.timestamp = signer_end - 1;
    handing.verify().unwrap();
    handing.state.timestamp = signer_end;
    assert!(matches!(handing.verify(), Err(HandoverError::SignerExpired { .. })));
    handing.state.timestamp = NOW;
    let lifetime = MAX_EPOCH_LIFETIME.to::<u64>();
    for (committed_at, expires_at, is_valid) in [
        (NOW - 1, NOW + 1, true),
        (NOW, NOW + 1, true),
        (NOW + 1, NOW + 2, false),
        (NOW - 1, NOW, false),
        (NOW, NOW + lifetime, true),
        (NOW - 1, NOW + lifetime, false),
        (NOW + 1 - lifetime, NOW + 1, true),
        (NOW - lifetime, NOW + 1, false),
        (0, NOW + 1, false),
    ] {
        (handing.handover.committed_at, handing.handover.expires_at) = (U48::from(committed_at), U48::from(expires_at));
        assert_eq!(handing.verify().is_ok(), is_valid, "{committed_at} to {expires_at}");
    }
    (handing.handover.committed_at, handing.handover.expires_at) = (U48::from(COMMITTED), U48::from(END));
    // A revoked epoch hands over to none.
    handing.state.epochs[1].valid_until = U48::ZERO;
    assert!(matches!(handing.verify(), Err(HandoverError::SignerExpired { valid_until: U48::ZERO, .. })));
}

/// An attestation's root can be any 32 bytes, so that only the tag keeps handovers apart.
#[test]
fn a_signature_of_another_kind_hands_over_nothing() {
    for tag in [SIGNATURE_TAG, EPOCH_APPROVAL_TAG] {
        let handing = Handing { tag, ..Handing::new(&next_operators(1)) };
        assert_eq!(handing.verify(), Err(EpochSignatureError::InvalidSignature.into()));
        assert_eq!(handing.revoke(SIGNER), Err(EpochSignatureError::InvalidSignature.into()));
    }
    // A revocation is no handover, though both have one tag.
    let handing = Handing::new(&next_operators(1));
    let MirrorState { home_chain, home_registry, .. } = handing.state;
    let revocation = EpochRevocation { home_chain, home_registry, epoch: handing.handover.epoch };
    let refused = handing.verify_with(&handing.bitmap(), &handing.sign(revocation.digest()));
    assert_eq!(refused, Err(EpochSignatureError::InvalidSignature.into()));
}

#[test]
fn zero_bytes_at_the_end_of_the_bitmap_say_nothing() {
    let handing = Handing::new(&next_operators(1));
    let signature = handing.sign(handing.handover.digest());
    let long = [handing.bitmap(), vec![0; 300]].concat();
    handing.verify_with(&long, &signature).unwrap();
    let beyond = [long, vec![1]].concat();
    let refused = handing.verify_with(&beyond, &signature);
    assert_eq!(refused, Err(EpochSignatureError::NonSignerOutOfRange.into()));
}

#[test]
fn a_set_of_several_tables_needs_each_of_them_stored() {
    let next = next_operators(205);
    let mut handing = Handing::new(&next);
    assert_eq!(handing.state.stored_tables.len(), 2);
    assert_eq!(handing.verify().unwrap().epoch(next.clone()).unwrap().operators, next);
    let missing = table_address(1);
    let entries = handing.state.stored_tables.remove(&missing).unwrap();
    assert_eq!(handing.verify(), Err(HandoverError::UnknownTable { table: missing }));
    handing.state.stored_tables.insert(missing, !entries);
    assert!(matches!(handing.verify(), Err(HandoverError::WrongContent { .. })));

    let refused = next.mirror_table(&[missing]);
    assert_eq!(refused, Err(OperatorTableError::EarlierTables { table: 2, expected: 2, actual: 1 }));
}

#[test]
fn a_table_must_have_the_length_that_its_head_says() {
    let next = next_operators(2);
    let mut handing = Handing::new(&next);
    let signed = (handing.bitmap(), handing.sign(handing.handover.digest()));
    let whole = handing.table.clone();
    for length in [0, 1, 204, 206, 207, 208, 431, whole.len() - 1, whole.len() + 1] {
        handing.table.clone_from(&whole);
        handing.table.resize(length, 0);
        assert_eq!(handing.verify_with(&signed.0, &signed.1), Err(HandoverError::MalformedTable), "{length}");
    }
    for (counts, count_and_earlier) in [([0, 0], 0), ([0, 1], 0), ([0, 101], 0), ([0xff, 0xff], 19), ([7, 0xd1], 20)] {
        handing.table = whole.clone();
        handing.table[204..206].copy_from_slice(&counts);
        handing.table[206] = count_and_earlier;
        assert_eq!(handing.verify_with(&signed.0, &signed.1), Err(HandoverError::MalformedTable), "{counts:?}");
    }
}

#[test]
fn half_of_the_weight_revokes_whatever_the_time_is() {
    let mut handing = Handing::new(&next_operators(1));
    handing.state.timestamp = u64::MAX;
    handing.absent = vec![0, 3];
    assert_eq!(handing.revoke(SIGNER), Ok(SIGNER));
    handing.absent = vec![0, 1, 3];
    let (signed, required) = (U96::from(10), U256::from(20));
    let too_few = EpochSignatureError::QuorumNotReached { signed, required };
    assert_eq!(handing.revoke(SIGNER), Err(too_few.into()));
    assert_eq!(handing.revoke(EpochId(10)), Err(RevocationError::NoSuchEpoch(EpochId(10))));
    // Without a share, one operator is still needed.
    handing.state.halt_quorum = 0;
    assert_eq!(handing.revoke(SIGNER), Ok(SIGNER));
    let no_one = verify_revocation_using::<DefaultBackend>(&handing.state, SIGNER, &[0b1111], &[]);
    let (signed, required) = (U96::ZERO, U256::from(1));
    assert_eq!(no_one, Err(EpochSignatureError::QuorumNotReached { signed, required }.into()));
}

/// A handover proves whose epoch it is, and only its own operators revoke it.
#[test]
fn an_epoch_is_revoked_before_it_is_accepted_by_its_own_operators() {
    let next = next_operators(3);
    let mut handing = Handing::new(&next);
    let epoch = handing.handover.epoch;
    let (signed, required) = (U96::from(10), U256::from(15));
    let too_few = EpochSignatureError::QuorumNotReached { signed, required };
    assert_eq!(handing.revoke_ahead(&next, 1), Err(too_few.into()));
    assert_eq!(handing.revoke_ahead(&next, 2), Ok(epoch));
    assert_eq!(handing.revoke(epoch), Err(RevocationError::NoSuchEpoch(epoch)), "it is not here");

    // Those who hand over revoke nothing, nor do the epoch's operators hand over to themselves.
    let (bitmap, handed_over) = (handing.bitmap(), handing.sign(handing.handover.digest()));
    let signed = SignedByOperators { non_signers: &bitmap, signature: &handed_over };
    let refused = handing.revoke_ahead_with(&next, signed, signed);
    assert_eq!(refused, Err(EpochSignatureError::InvalidSignature.into()));
    let too_long = SignedByOperators { non_signers: &[0b1000], signature: &handed_over };
    let refused = handing.revoke_ahead_with(&next, signed, too_long);
    assert_eq!(refused, Err(EpochSignatureError::NonSignerOutOfRange.into()));
    let refused = handing.revoke_ahead_with(&next, too_long, signed);
    let invalid = HandoverError::Signature(EpochSignatureError::InvalidSignature);
    assert_eq!(refused, Err(RevocationError::Handover(invalid)));

    // Other operators than the table's.
    let other = next_operators(2);
    let (expected, actual) = (next.content_hash(), other.content_hash());
    let wrong = HandoverError::WrongContent { expected, actual };
    assert_eq!(handing.revoke_ahead(&other, 2), Err(RevocationError::Handover(wrong)));

    // Once told, the mirror takes neither the epoch nor its revocation again.
    handing.state.revoked_ahead.insert(epoch);
    let revoked = HandoverError::EpochWasRevoked { epoch };
    assert_eq!(handing.verify(), Err(revoked));
    assert_eq!(handing.revoke_ahead(&next, 2), Err(RevocationError::Handover(revoked)));
    // Its latest epoch hands over to a later one.
    handing.handover.epoch = EpochId(13);
    handing.verify().unwrap();
}

/// The hash that `setHashOf` compares leaves out the head, which this one has.
#[test]
fn the_content_hash_is_of_the_head_and_of_each_tables_entries() {
    for count in [1, 100, 101, 205] {
        let set = next_operators(count);
        let tables = u8::try_from(set.full_tables().count()).unwrap();
        let mut preimage = set.negated_aggregate_key().as_ref().to_vec();
        preimage.extend(set.total_weight().to_be_bytes::<12>());
        preimage.extend(count.to_be_bytes());
        preimage.push(tables);
        set.full_tables().for_each(|entries| preimage.extend(keccak256(entries)));
        let addresses: Vec<_> = (0..usize::from(tables)).map(table_address).collect();
        let table = set.mirror_table(&addresses).unwrap();
        assert_eq!(table[..207], preimage[..207]);
        preimage.extend(keccak256(&table[207 + 20 * usize::from(tables)..]));
        assert_eq!(set.content_hash(), keccak256(preimage), "{count} operators");
    }
}

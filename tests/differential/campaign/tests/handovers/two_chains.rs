//! A registry on one embedded chain, and its mirror with an unchanged TaskManager on another.

use alloy::{
    primitives::{Address, B256, Bytes, U256, aliases::U48},
    sol_types::{SolCall, SolConstructor, SolError},
};
use assent_chain::{DEVELOPMENT_ACCOUNTS, EmbeddedChain, Message};
use assent_contracts::{
    EpochKeeper::{self, KeeperSettings},
    EpochMirror::{self, MirrorSettings},
    OperatorRegistry, OwnerStakeSource, TaskManager,
};
use assent_differential::{Foundation, FoundationPlan};
use assent_examples::{ExampleToken, TreasuryVault};
use assent_signer::{
    Aggregate, AttestationBatch, PartialSignature, SecretKey, aggregate, aggregate_epoch_handover,
    aggregate_epoch_revocation,
};
use assent_verifier::{
    Attestation, Decision, Epoch, EpochHandover, EpochId, EpochRevocation, HandoverError, Intent, MirrorState,
    OperatorSet, OperatorSetId, Policy, Refusal, RevocationError, SignedByOperators, append_trailing,
    digest::{intent_hash, task_id},
    verify_handover, verify_revocation, verify_revocation_ahead,
};

const SET: OperatorSetId = OperatorSetId(1);
const DAY: u64 = 86_400;
const LIFETIME: u64 = 7 * DAY;
const NOTICE: u64 = 3 * DAY;
const AWAY_CHAIN: u64 = 10;

/// The registry's chain.
struct Home {
    foundation: Foundation,
}

/// The mirror's chain.
struct Away {
    chain: EmbeddedChain,
    owner: Address,
    agent: Address,
    mirror: Address,
    task_manager: Address,
    vault: Address,
    token: Address,
    policy: Policy,
}

impl Home {
    /// Five operators of weight 1 each, who are in every epoch but for those that are left out.
    fn new() -> Self {
        let foundation = Foundation::new(FoundationPlan { chain_id: 1, operators: 5 });
        let home = Self { foundation };
        home.transact(&OperatorRegistry::setEpochLifetimeCall { newEpochLifetime: U48::from(LIFETIME) });
        home
    }

    fn transact(&self, call: &impl SolCall) {
        self.foundation.transact(self.foundation.owner, self.foundation.registry, call);
    }

    /// Commits the operators from `first` on. The registry has no activation delay, so that it is in force at once.
    fn commit(&self, first: usize) -> Epoch {
        let Foundation { owner, owner_stake_source, keys, .. } = &self.foundation;
        let operators: Vec<_> = keys.iter().skip(first).map(|(address, _)| *address).collect();
        let weights = vec![alloy::primitives::aliases::U96::from(1); operators.len()];
        let set_weights =
            OwnerStakeSource::setWeightsCall { operatorSet: SET.into(), operators: operators.clone(), weights };
        self.foundation.transact(*owner, *owner_stake_source, &set_weights);
        self.transact(&OperatorRegistry::commitEpochCall { operatorSet: SET.into(), operators });
        self.read(self.newest())
    }

    fn newest(&self) -> EpochId {
        EpochId(ask(&self.foundation.chain, self.foundation.registry, &OperatorRegistry::epochCountCall {}))
    }

    fn read(&self, number: EpochId) -> Epoch {
        let query = OperatorRegistry::epochsCall { epoch: number.into() };
        let record = ask(&self.foundation.chain, self.foundation.registry, &query);
        let operators = OperatorSet::from_tables::<Bytes>(&self.foundation.chain.code_at(record.table), &[]).unwrap();
        Epoch { number, operator_set: SET, valid_until: record.validUntil, operators }
    }

    /// The end of an epoch, whatever happens.
    fn end(&self, number: EpochId) -> U48 {
        let query = OperatorRegistry::epochsCall { epoch: number.into() };
        ask(&self.foundation.chain, self.foundation.registry, &query).expiresAt
    }

    /// When the epoch's weights were read.
    fn committed_at(&self, number: EpochId) -> U48 {
        let query = OperatorRegistry::committedAtCall { epoch: number.into() };
        ask(&self.foundation.chain, self.foundation.registry, &query)
    }

    /// The epoch's table, as anyone reads it.
    fn table(&self, number: EpochId) -> Bytes {
        let query = OperatorRegistry::epochsCall { epoch: number.into() };
        let table = ask(&self.foundation.chain, self.foundation.registry, &query).table;
        self.foundation.chain.code_at(table).slice(1..)
    }

    fn handover(&self, signed_by: EpochId, epoch: EpochId) -> EpochHandover {
        EpochHandover {
            home_chain: U256::from(1),
            home_registry: self.foundation.registry,
            operator_set: SET,
            signed_by,
            epoch,
            committed_at: self.committed_at(epoch),
            expires_at: self.end(epoch),
            content_hash: self.read(epoch).operators.content_hash(),
        }
    }

    /// The partial signatures of an epoch's operators.
    fn sign(&self, epoch: &Epoch, sign: impl Fn(&SecretKey) -> assent_verifier::Signature) -> Vec<PartialSignature> {
        let members = epoch.operators.operators();
        let keys = self.foundation.keys.iter();
        let keys = keys.filter(|(address, _)| members.iter().any(|member| member.address == *address));
        keys.map(|(address, key)| PartialSignature::new(*address, sign(key))).collect()
    }

    fn sign_handover(&self, handover: &EpochHandover) -> Aggregate {
        let epoch = self.read(handover.signed_by);
        let partials = self.sign(&epoch, |key| key.hand_over_epoch(handover));
        aggregate_epoch_handover(&epoch, handover, &partials).unwrap()
    }

    /// Three of the epoch's operators: more than half of the weight, and no quorum.
    fn sign_revocation(&self, number: EpochId) -> Aggregate {
        let (home_chain, home_registry) = (U256::from(1), self.foundation.registry);
        let revocation = EpochRevocation { home_chain, home_registry, epoch: number };
        let epoch = self.read(number);
        let partials = self.sign(&epoch, |key| key.revoke_epoch(&revocation));
        aggregate_epoch_revocation(&epoch, &revocation, &partials[..3]).unwrap()
    }
}

impl Away {
    /// Begins with an epoch of the registry.
    fn new(home: &Home, genesis: EpochId) -> Self {
        let chain = EmbeddedChain::new(AWAY_CHAIN);
        let [owner, agent, guardian, ..] = DEVELOPMENT_ACCOUNTS;
        let deploy = |code: &Bytes, arguments: Vec<u8>| {
            chain.deploy(owner, [code.as_ref(), &arguments].concat()).expect("the contract deploys")
        };
        let settings = MirrorSettings {
            homeChain: U256::from(1),
            homeRegistry: home.foundation.registry,
            quorum: 6667,
            haltQuorum: 5000,
            gracePeriod: U48::from(DAY),
            notice: U48::from(NOTICE),
            guardian,
        };
        let mirror = deploy(&EpochMirror::BYTECODE, EpochMirror::constructorCall { owner, settings }.abi_encode());
        let arguments = TaskManager::constructorCall { operatorRegistry: mirror }.abi_encode();
        let task_manager = deploy(&TaskManager::BYTECODE, arguments);
        let supply = U256::from(1_000);
        let token = deploy(&ExampleToken::BYTECODE, ExampleToken::constructorCall { supply }.abi_encode());
        let policy = Policy {
            policyId: B256::repeat_byte(1),
            operatorSet: SET.into(),
            quorum: 6667,
            maxLifetime: U48::from(3_600),
        };
        let constructor = TreasuryVault::constructorCall {
            owner,
            initialAgent: agent,
            taskManager: task_manager,
            policy: policy.clone().into(),
        };
        let vault = deploy(&TreasuryVault::BYTECODE, constructor.abi_encode());
        let away = Self { chain, owner, agent, mirror, task_manager, vault, token, policy };
        away.follow(home);
        away.transact(token, &ExampleToken::transferCall { to: vault, value: supply }).unwrap();
        away.transact(mirror, &EpochMirror::addValidatorCall { validator: task_manager }).unwrap();
        away.transact(mirror, &away.genesis(home, genesis)).unwrap();
        away
    }

    /// Moves its clock to the home chain's, unless it is ahead.
    fn follow(&self, home: &Home) {
        let now = home.foundation.chain.timestamp();
        if now > self.chain.timestamp() {
            self.chain.set_timestamp(now).unwrap();
        }
    }

    fn genesis(&self, home: &Home, epoch: EpochId) -> EpochMirror::setGenesisCall {
        let (end, table) = (home.end(epoch), home.table(epoch));
        EpochMirror::setGenesisCall { operatorSet: SET.into(), epoch: epoch.into(), expiresAt: end, table }
    }

    /// As the owner. Returns revert data if it is refused.
    fn transact(&self, to: Address, call: &impl SolCall) -> Result<(), Bytes> {
        let outcome = self.chain.transact(Message::new(self.owner, to, call.abi_encode())).unwrap();
        if outcome.is_success() { Ok(()) } else { Err(outcome.output) }
    }

    /// What the mirror knows, for the verifier.
    fn state(&self, home: &Home, known: &[EpochId]) -> MirrorState {
        let epochs = known.iter().map(|number| {
            let record = ask(&self.chain, self.mirror, &EpochMirror::epochsCall { epoch: (*number).into() });
            let operators = OperatorSet::from_tables::<Bytes>(&self.chain.code_at(record.table), &[]).unwrap();
            Epoch { number: *number, operator_set: SET, valid_until: record.validUntil, operators }
        });
        MirrorState {
            home_chain: U256::from(1),
            home_registry: home.foundation.registry,
            quorum: 6667,
            halt_quorum: 5000,
            timestamp: self.chain.next_timestamp(),
            epochs: epochs.collect(),
            revoked_ahead: Default::default(),
            stored_tables: Default::default(),
        }
    }

    /// Has the mirror accept a handover, about which the verifier must decide the same.
    fn accept(
        &self,
        home: &Home,
        known: &[EpochId],
        handover: &EpochHandover,
        signed: &Aggregate,
    ) -> Result<(), HandoverError> {
        self.accept_in(home, &self.state(home, known), handover, signed)
    }

    /// As `accept`, with a state in which epochs were revoked ahead.
    fn accept_in(
        &self,
        home: &Home,
        state: &MirrorState,
        handover: &EpochHandover,
        signed: &Aggregate,
    ) -> Result<(), HandoverError> {
        let table = home.table(handover.epoch);
        let (bitmap, signature) = (signed.non_signers.as_bytes(), &signed.signature.0);
        let verified = verify_handover(state, handover, &table, bitmap, signature);
        let call = EpochMirror::acceptCall {
            handover: (*handover).into(),
            table,
            nonSigners: bitmap.to_vec().into(),
            signature: signature.to_vec().into(),
        };
        let accepted = self.transact(self.mirror, &call);
        assert_eq!(accepted.is_ok(), verified.is_ok(), "{accepted:?}, but the verifier: {verified:?}");
        verified.map(drop)
    }

    /// Has the mirror revoke an epoch that it does not have, about which the verifier must decide the same.
    fn revoke_ahead(
        &self,
        home: &Home,
        state: &MirrorState,
        handover: &EpochHandover,
        handed_over: &Aggregate,
        revoked: &Aggregate,
    ) -> Result<(), RevocationError> {
        let (table, operators) = (home.table(handover.epoch), home.read(handover.epoch).operators);
        let [by_signer, by_epoch] = [handed_over, revoked].map(|signed| SignedByOperators {
            non_signers: signed.non_signers.as_bytes(),
            signature: &signed.signature.0,
        });
        let verified = verify_revocation_ahead(state, handover, &table, &operators, by_signer, by_epoch);
        let [handed_over, revoked] = [by_signer, by_epoch].map(|signed| EpochMirror::SignedByOperators {
            nonSigners: signed.non_signers.to_vec().into(),
            signature: signed.signature.to_vec().into(),
        });
        let handover = (*handover).into();
        let call = EpochMirror::revokeAheadCall { handover, table, handedOver: handed_over, revoked };
        let told = self.transact(self.mirror, &call);
        assert_eq!(told.is_ok(), verified.is_ok(), "{told:?}, but the verifier: {verified:?}");
        verified.map(drop)
    }

    /// The agent pays one token with an attestation of an epoch's operators at a time, which is then undone.
    fn pay(&self, home: &Home, epoch: EpochId, timestamp: u64) -> Result<(), Refusal> {
        let (chain_id, nonce) = (U256::from(AWAY_CHAIN), U256::from(7));
        let recipient = Address::repeat_byte(0xbe);
        let pay = TreasuryVault::payCall { token: self.token, recipient, amount: U256::from(1) }.abi_encode();
        let Self { agent, vault, task_manager, policy, .. } = self;
        let intent = Intent { from: *agent, to: *vault, value: U256::ZERO, data: pay.into(), chainId: chain_id };
        let attestation = Attestation {
            taskId: task_id(chain_id, *task_manager, *vault, policy.policyId, intent_hash(&intent), nonce),
            policyId: policy.policyId,
            policyClient: *vault,
            nonce,
            issuedAt: U48::from(timestamp - 1),
            expiration: U48::from(timestamp + 600),
            decision: Decision::Allow.into(),
            evidence: B256::repeat_byte(3),
            intent: intent.clone(),
        };
        let batch = AttestationBatch::new(vec![attestation], chain_id, *task_manager).unwrap();
        let epoch = home.read(epoch);
        let partials = home.sign(&epoch, |key| key.sign_batch(&batch));
        let document = aggregate(&epoch, batch.root(), &partials).unwrap().document(&batch, 0).unwrap();
        let calldata = append_trailing(&intent.data, &document.authorization().unwrap()).unwrap();
        let outcome = self.chain.call_at(Message::new(*agent, *vault, calldata), timestamp).unwrap();
        match outcome.revert_data() {
            None if outcome.is_success() => Ok(()),
            data => Err(Refusal::decode(data.unwrap()).expect("a refusal")),
        }
    }
}

fn ask<C: SolCall>(chain: &EmbeddedChain, to: Address, call: &C) -> C::Return {
    let outcome = chain.call(Message::new(Address::ZERO, to, call.abi_encode())).unwrap();
    C::abi_decode_returns(&outcome.output).expect("a view answers")
}

#[test]
fn an_epoch_hands_over_to_a_later_one_and_others_are_skipped() {
    let home = Home::new();
    let first = home.commit(0).number;
    let away = Away::new(&home, first);
    let now = away.chain.next_timestamp();
    away.pay(&home, first, now).unwrap();

    home.commit(1);
    home.foundation.chain.set_timestamp(home.foundation.chain.timestamp() + DAY).unwrap();
    let third = home.commit(2).number;
    assert_eq!((first, third), (EpochId(1), EpochId(3)));
    away.follow(&home);
    assert_eq!(away.pay(&home, third, away.chain.next_timestamp()), Err(Refusal::UnknownEpoch { epoch: third }));
    let handover = home.handover(first, third);
    let signed = home.sign_handover(&handover);
    away.accept(&home, &[first], &handover, &signed).unwrap();
    away.pay(&home, third, away.chain.next_timestamp()).unwrap();
    // The hashes are the same on both chains.
    let query = EpochMirror::setHashOfCall { epoch: third.into() };
    assert_eq!(ask(&away.chain, away.mirror, &query), home.read(third).operators.set_hash());
    // The one before is still valid for the grace period.
    let grace_end = away.state(&home, &[first]).epochs[0].valid_until.to::<u64>();
    assert_eq!(grace_end, away.chain.timestamp() + DAY);
    away.pay(&home, first, grace_end - 1).unwrap();
    let valid_until = U48::from(grace_end);
    assert_eq!(away.pay(&home, first, grace_end), Err(Refusal::EpochExpired { epoch: first, validUntil: valid_until }));

    // Once more: the set's latest epoch did not sign it.
    let again = away.accept(&home, &[first, third], &handover, &signed);
    assert_eq!(again, Err(HandoverError::WrongSigner { signed_by: first, latest: third }));
}

#[test]
fn an_epoch_ends_on_both_chains_in_the_same_second() {
    let home = Home::new();
    let first = home.commit(0).number;
    let away = Away::new(&home, first);
    let end = home.end(first);
    let last = end.to::<u64>() - 1;
    away.pay(&home, first, last).unwrap();
    let expired = Refusal::EpochExpired { epoch: first, validUntil: end };
    assert_eq!(away.pay(&home, first, last + 1), Err(expired));

    let second = home.commit(1).number;
    let handover = home.handover(first, second);
    let signed = home.sign_handover(&handover);
    let before = away.chain.snapshot();
    away.chain.set_next_timestamp(last).unwrap();
    away.accept(&home, &[first], &handover, &signed).unwrap();
    assert!(away.chain.revert(before));
    away.chain.set_next_timestamp(last + 1).unwrap();
    let refused = away.accept(&home, &[first], &handover, &signed);
    assert_eq!(refused, Err(HandoverError::SignerExpired { signed_by: first, valid_until: end }));
}

#[test]
fn an_old_handover_is_nothing_on_a_younger_mirror() {
    let home = Home::new();
    let [first, second, third] = [0, 1, 2].map(|left_out| home.commit(left_out).number);
    let to_second = home.handover(first, second);
    let to_third = home.handover(first, third);
    let younger = Away::new(&home, second);
    for handover in [to_second, to_third] {
        let refused = younger.accept(&home, &[second], &handover, &home.sign_handover(&handover));
        assert_eq!(refused, Err(HandoverError::WrongSigner { signed_by: first, latest: second }));
    }
    let valid = home.handover(second, third);
    younger.accept(&home, &[second], &valid, &home.sign_handover(&valid)).unwrap();

    // Nor is another registry's handover, though its operators are the same.
    let elsewhere = EpochHandover { home_registry: Address::repeat_byte(1), ..home.handover(second, third) };
    assert_eq!(home.read(third).operators, younger.state(&home, &[third]).epochs[0].operators);
    let state = younger.state(&home, &[second, third]);
    let refused = verify_handover(&state, &elsewhere, &[], &[], &[]);
    assert!(matches!(refused, Err(HandoverError::WrongHome { .. })));
}

#[test]
fn one_signature_revokes_an_epoch_at_home_and_away() {
    let home = Home::new();
    let first = home.commit(0).number;
    let second = home.commit(1).number;
    let away = Away::new(&home, second);
    let keeper = deploy_keeper(&home);
    away.pay(&home, second, away.chain.next_timestamp()).unwrap();

    let signed = home.sign_revocation(second);
    let state = away.state(&home, &[second]);
    verify_revocation(&state, second, signed.non_signers.as_bytes(), &signed.signature.0).unwrap();
    let (non_signers, signature): (Bytes, Bytes) =
        (signed.non_signers.as_bytes().to_vec().into(), signed.signature.0.to_vec().into());
    let revoke =
        EpochKeeper::revokeCall { epoch: second.into(), nonSigners: non_signers.clone(), signature: signature.clone() };
    home.foundation.transact(home.foundation.agent, keeper, &revoke);
    assert!(home.read(second).is_revoked());
    // It reaches no other chain by itself.
    away.pay(&home, second, away.chain.next_timestamp()).unwrap();
    away.transact(
        away.mirror,
        &EpochMirror::revokeCall {
            epoch: second.into(),
            nonSigners: non_signers.clone(),
            signature: signature.clone(),
        },
    )
    .unwrap();
    let refused = away.pay(&home, second, away.chain.next_timestamp());
    assert_eq!(refused, Err(Refusal::EpochRevoked { epoch: second }));

    // It revokes no other epoch, and a revoked epoch hands over to none.
    let other = EpochMirror::revokeCall { epoch: first.into(), nonSigners: non_signers, signature };
    let unknown = EpochMirror::NoSuchEpoch { epoch: first.into() }.abi_encode();
    assert_eq!(away.transact(away.mirror, &other), Err(unknown.into()));
    let handover = EpochHandover { epoch: EpochId(3), ..home.handover(second, first) };
    let refused = away.accept_signed(&home, second, &handover);
    assert_eq!(refused, Err(HandoverError::SignerExpired { signed_by: second, valid_until: U48::ZERO }));
}

/// Who has stolen the epoch's keys has a handover to it as well, and is too late.
#[test]
fn a_mirror_that_is_behind_is_told_of_a_revocation_before_the_epoch_comes() {
    let home = Home::new();
    let [first, second, third] = [0, 1, 0].map(|left_out| home.commit(left_out).number);
    let away = Away::new(&home, first);
    let to_second = home.handover(first, second);
    let (handed_over, revoked) = (home.sign_handover(&to_second), home.sign_revocation(second));
    let revoke = EpochMirror::revokeCall {
        epoch: second.into(),
        nonSigners: revoked.non_signers.as_bytes().to_vec().into(),
        signature: revoked.signature.0.to_vec().into(),
    };
    let unknown = EpochMirror::NoSuchEpoch { epoch: second.into() }.abi_encode();
    assert_eq!(away.transact(away.mirror, &revoke), Err(unknown.into()), "it is not here");

    let mut state = away.state(&home, &[first]);
    away.revoke_ahead(&home, &state, &to_second, &handed_over, &revoked).unwrap();
    let record = ask(&away.chain, away.mirror, &EpochMirror::epochsCall { epoch: second.into() });
    assert_eq!((record.table, record.validUntil), (Address::ZERO, U48::from(1)));
    state.revoked_ahead.insert(second);
    state.timestamp = away.chain.next_timestamp();
    let was_revoked = HandoverError::EpochWasRevoked { epoch: second };
    assert_eq!(away.accept_in(&home, &state, &to_second, &handed_over), Err(was_revoked));
    let again = away.revoke_ahead(&home, &state, &to_second, &handed_over, &revoked);
    assert_eq!(again, Err(was_revoked.into()));
    let now = away.chain.next_timestamp();
    assert_eq!(away.pay(&home, second, now), Err(Refusal::UnknownEpoch { epoch: second }));

    // The latest epoch stays what it is, and hands over to a later one.
    away.pay(&home, first, now).unwrap();
    let to_third = home.handover(first, third);
    away.accept_in(&home, &state, &to_third, &home.sign_handover(&to_third)).unwrap();
    away.pay(&home, third, away.chain.next_timestamp()).unwrap();
}

#[test]
fn a_chain_that_was_dark_for_longer_than_an_epoch_begins_again_after_notice() {
    let home = Home::new();
    let first = home.commit(0).number;
    let away = Away::new(&home, first);
    home.foundation.chain.set_timestamp(home.end(first).to::<u64>() - DAY).unwrap();
    let second = home.commit(1).number;
    let handover = home.handover(first, second);
    let signed = home.sign_handover(&handover);

    // The chain stops, and lives on two days later.
    away.chain.set_timestamp(home.end(first).to::<u64>() + DAY).unwrap();
    let refused = away.accept(&home, &[first], &handover, &signed);
    let valid_until = home.end(first);
    assert_eq!(refused, Err(HandoverError::SignerExpired { signed_by: first, valid_until }));
    let genesis = away.genesis(&home, second);
    assert!(away.transact(away.mirror, &genesis).is_err(), "without notice");
    away.transact(away.mirror, &EpochMirror::proposeChangeCall { change: genesis.abi_encode().into() }).unwrap();
    away.chain.set_timestamp(away.chain.timestamp() + NOTICE - 2).unwrap();
    assert!(away.transact(away.mirror, &genesis).is_err(), "a second too early");
    away.chain.set_timestamp(away.chain.timestamp() + 1).unwrap();
    away.transact(away.mirror, &genesis).unwrap();
    away.pay(&home, second, away.chain.next_timestamp()).unwrap();
}

impl Away {
    /// As `accept`, for a handover to an epoch that the registry need not have.
    fn accept_signed(&self, home: &Home, signer: EpochId, handover: &EpochHandover) -> Result<(), HandoverError> {
        let epoch = home.read(signer);
        let partials = home.sign(&epoch, |key| key.hand_over_epoch(handover));
        let signed = aggregate_epoch_handover(&epoch, handover, &partials).unwrap();
        let (bitmap, signature) = (signed.non_signers.as_bytes(), &signed.signature.0);
        let verified = verify_handover(&self.state(home, &[signer]), handover, &[], bitmap, signature);
        let call = EpochMirror::acceptCall {
            handover: (*handover).into(),
            table: Bytes::new(),
            nonSigners: bitmap.to_vec().into(),
            signature: signature.to_vec().into(),
        };
        assert_eq!(self.transact(self.mirror, &call).is_ok(), verified.is_ok());
        verified.map(drop)
    }
}

/// A keeper owns the registry from then on.
fn deploy_keeper(home: &Home) -> Address {
    let Foundation { chain, owner, registry, .. } = &home.foundation;
    let settings = KeeperSettings {
        operatorRegistry: *registry,
        notice: U48::from(DAY),
        interval: U48::from(3_600),
        haltQuorum: 5000,
        minOperators: 1,
        guardian: Address::ZERO,
    };
    let arguments = EpochKeeper::constructorCall { owner: *owner, settings }.abi_encode();
    let keeper = chain.deploy(*owner, [EpochKeeper::BYTECODE.as_ref(), &arguments].concat()).unwrap();
    home.transact(&OperatorRegistry::transferOwnershipCall { newOwner: keeper });
    home.foundation.transact(*owner, keeper, &EpochKeeper::acceptRegistryCall {});
    keeper
}

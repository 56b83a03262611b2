//! Precompiles whose price rises, as a hardfork may raise it: docs/security.md, "Prices that rise".
//!
//! Each test calls the deployed contracts in an EVM in which one precompile costs more than today.

use alloy::{
    primitives::{Address, B256, Bytes, U256, hex},
    sol_types::{SolCall, SolError},
};
use assent_chain::{Execution, Message};
use assent_contracts::{OperatorRegistry, TaskManager};
use assent_differential::{
    Absent, Attempt, AttestedPlan, EntryPoint, EpochPlan, Foundation, Issued, PolicyPlan, UsePlan, Weights, World,
    WorldPlan,
};
use assent_signer::{PartialSignature, SecretKey, aggregate};
use assent_verifier::{EpochId, NonSigners};
use std::rc::Rc;

const SHA256: Address = Address::with_last_byte(0x02);
const G1ADD: Address = Address::with_last_byte(0x0b);
const G1MSM: Address = Address::with_last_byte(0x0c);
const G2ADD: Address = Address::with_last_byte(0x0d);
const PAIRING: Address = Address::with_last_byte(0x0f);
const MAP_FP_TO_G1: Address = Address::with_last_byte(0x10);

/// Those that no call of the tests uses. MODEXP, at 5, reduced field elements once.
const UNUSED: [u8; 11] = [0x01, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0e, 0x11];

/// The epoch in force, of operators with equal weights.
const EPOCH: EpochId = EpochId(3);
const OPERATORS: u16 = 7;

type Price = fn(u64) -> u64;

const TODAY: Price = |today| today;
const ONE_MORE: Price = |today| today + 1;
/// `CAP_MULTIPLE` times as much.
const AT_THE_CAP: Price = |today| 4 * today;
const ABOVE_THE_CAP: Price = |today| 4 * today + 1;
const HUNDREDFOLD: Price = |today| 100 * today;

/// A deployment, and calls that pass at today's prices.
struct Calls {
    world: World,
    attempt: Attempt,
}

impl Calls {
    fn new() -> Self {
        Self::on_chain(31_337)
    }

    fn on_chain(chain_id: u64) -> Self {
        let epoch = EpochPlan { left_out: 0, weights: Weights::Equal };
        let policy = PolicyPlan {
            policy_id: B256::with_last_byte(1),
            quorum: 6_667,
            max_lifetime: 600,
            floor: None,
            trusts_other_set: false,
        };
        let plan = WorldPlan {
            chain_id,
            operators: OPERATORS,
            epochs: [(); 4].map(|()| epoch.clone()),
            policies: [policy.clone(), policy],
            grace_period: 3_600,
            epoch_lifetime: 604_800,
        };
        let world = World::new(&plan, Rc::new(Foundation::new(plan.foundation())));
        let attested = AttestedPlan {
            client: 0,
            entry_point: EntryPoint::Trailing,
            epoch: 2,
            amount: 5,
            ether: false,
            nonce: U256::from(9),
            lifetime: 599,
            issued: Issued::Before(0),
            allow: true,
            evidence: B256::with_last_byte(7),
            absent: Absent::These(vec![0, 3]),
            batch: 1,
            index: 0,
        };
        let attempt = UsePlan { attested, recording: None, revoke: false, mutations: vec![] }.attempt(&world);
        Self { world, attempt }
    }

    fn set_price(&self, precompile: Address, price: Price) {
        self.world.chain.set_price(precompile, price);
    }

    /// A protected call with a direct authorization, two operators absent.
    fn direct_use(&self) -> Execution {
        self.call(self.attempt.call(&self.world))
    }

    /// The same call with another signature.
    fn use_with(&self, signature: &[u8; 96]) -> Execution {
        let mut attempt = self.attempt.clone();
        attempt.authorization[assent_verifier::offset::SIGNATURE..][..96].copy_from_slice(signature);
        self.call(attempt.call(&self.world))
    }

    fn record_root(&self) -> Execution {
        let signed_root = self.signed_root(B256::with_last_byte(1), &[]);
        self.ask(
            self.world.task_manager,
            &TaskManager::recordRootCall { number: EPOCH.into(), signedRoot: signed_root },
        )
    }

    /// Two roots with different signers.
    fn record_roots(&self) -> Execution {
        let signed_roots =
            vec![self.signed_root(B256::with_last_byte(1), &[]), self.signed_root(B256::with_last_byte(2), &[4])];
        self.ask(
            self.world.task_manager,
            &TaskManager::recordRootsCall { number: EPOCH.into(), signedRoots: signed_roots },
        )
    }

    fn register_operator(&self) -> Execution {
        let (operator, key) = (Address::repeat_byte(0xee), SecretKey::from_bytes(&[0x55; 32]).unwrap());
        let chain_id = U256::from(self.world.chain.chain_id());
        let proof = key.prove_possession(operator, chain_id, self.world.registry);
        let register = OperatorRegistry::registerOperatorCall {
            publicKey: key.public_key().0.into(),
            proofOfPossession: proof.0.into(),
        };
        self.call(Message::new(operator, self.world.registry, register.abi_encode()))
    }

    fn commit_epoch(&self) -> Execution {
        let operators = self.world.keys.iter().map(|(operator, _)| *operator).collect();
        let commit = OperatorRegistry::commitEpochCall { operatorSet: 7, operators };
        self.call(Message::new(self.world.owner, self.world.registry, commit.abi_encode()))
    }

    fn ask(&self, to: Address, call: &impl SolCall) -> Execution {
        self.call(Message::new(self.world.agent, to, call.abi_encode()))
    }

    fn call(&self, message: Message) -> Execution {
        self.world.chain.call_at(message, self.attempt.timestamp).unwrap()
    }

    fn signed_root(&self, root: B256, absent: &[usize]) -> TaskManager::SignedRoot {
        let epoch = self.world.epochs.iter().find(|epoch| epoch.number == EPOCH).unwrap();
        let present = self.world.signers(epoch).enumerate().filter(|(index, _)| !absent.contains(index));
        let partials = present.map(|(_, (operator, key))| PartialSignature::new(*operator, key.sign_root(root).0));
        let signed = aggregate(epoch, root, &partials.collect::<Vec<_>>()).unwrap();
        assert_eq!(signed.non_signers, NonSigners::from_indices(absent.iter().map(|index| *index as u16)).unwrap());
        TaskManager::SignedRoot {
            root,
            signature: signed.signature.0.into(),
            nonSigners: signed.non_signers.as_bytes().to_vec().into(),
        }
    }

    /// Gives the TaskManager other code.
    fn replace_in_code(&self, instruction: &[u8], by: &[u8]) {
        assert_eq!(instruction.len(), by.len());
        let mut code = self.world.chain.code_at(self.world.task_manager).to_vec();
        let found: Vec<_> = code.windows(by.len()).enumerate().filter(|(_, bytes)| *bytes == instruction).collect();
        let offsets: Vec<_> = found.into_iter().map(|(offset, _)| offset).collect();
        assert!(!offsets.is_empty(), "the code has no such cap");
        offsets.into_iter().for_each(|offset| code[offset..][..by.len()].copy_from_slice(by));
        self.world.chain.set_code(self.world.task_manager, code).unwrap();
    }
}

#[track_caller]
fn assert_passes(execution: &Execution) {
    assert!(execution.is_success(), "{:?} {}", execution.status, execution.output);
}

/// The refusal that docs/protocol.md promises for a price above the cap.
#[track_caller]
fn assert_insufficient_gas(execution: &Execution) {
    assert_refused(execution, TaskManager::InsufficientGas {}.abi_encode());
}

#[track_caller]
fn assert_refused(execution: &Execution, error: Vec<u8>) {
    assert_eq!(execution.revert_data(), Some(&Bytes::from(error)), "{:?}", execution.status);
}

/// Calls whose input cannot be rejected get all the gas left. Each number is that of a direct use's calls.
#[test]
fn a_use_pays_what_hashing_and_additions_cost_at_any_price() {
    let calls = Calls::new();
    let today = calls.direct_use().gas_used;
    // EIP-7904's draft: 643 instead of 375, and 765 instead of 600.
    let (dearer_g1add, dearer_g2add): (Price, Price) = (|_| 643, |_| 765);
    for (precompile, times, rises) in [
        (SHA256, 5, [(ONE_MORE, Some(1)), (ABOVE_THE_CAP, None)]),
        (MAP_FP_TO_G1, 2, [(ONE_MORE, Some(1)), (ABOVE_THE_CAP, Some(3 * 5_500 + 1))]),
        (G1ADD, 1, [(dearer_g1add, Some(643 - 375)), (ABOVE_THE_CAP, Some(3 * 375 + 1))]),
        (G2ADD, 2, [(dearer_g2add, Some(765 - 600)), (ABOVE_THE_CAP, Some(3 * 600 + 1))]),
    ] {
        for (price, rise) in rises.into_iter().chain([(HUNDREDFOLD, None)]) {
            calls.set_price(precompile, price);
            let execution = calls.direct_use();
            assert_passes(&execution);
            assert!(execution.gas_used > today, "{precompile} costs no more");
            assert!(rise.is_none_or(|rise| execution.gas_used == today + times * rise), "{precompile}");
            assert_passes(&calls.record_root());
            assert_passes(&calls.record_roots());
            assert_passes(&calls.register_operator());
        }
        calls.set_price(precompile, TODAY);
    }
    assert_eq!(calls.direct_use().gas_used, today);
}

#[test]
fn all_prices_rise_at_once_within_the_caps() {
    let calls = Calls::new();
    for precompile in (0x01..=0x11).map(Address::with_last_byte) {
        calls.set_price(precompile, AT_THE_CAP);
    }
    assert_passes(&calls.direct_use());
    assert_passes(&calls.record_root());
    assert_passes(&calls.record_roots());
    assert_passes(&calls.register_operator());
    assert_passes(&calls.commit_epoch());
}

#[test]
fn precompiles_that_are_not_used_may_cost_anything() {
    let calls = Calls::new();
    let all = |calls: &Calls| {
        [calls.direct_use(), calls.record_root(), calls.record_roots(), calls.register_operator(), calls.commit_epoch()]
            .map(|execution| (execution.is_success(), execution.gas_used))
    };
    let today = all(&calls);
    UNUSED.into_iter().for_each(|precompile| calls.set_price(Address::with_last_byte(precompile), |_| u64::MAX));
    assert_eq!(all(&calls), today);
    assert!(today.iter().all(|(passes, _)| *passes));
}

#[test]
fn a_pairing_above_its_cap_is_insufficient_gas_and_no_bad_signature() {
    let calls = Calls::new();
    for price in [ONE_MORE, AT_THE_CAP] {
        calls.set_price(PAIRING, price);
        assert_passes(&calls.direct_use());
        assert_passes(&calls.record_root());
        assert_passes(&calls.record_roots());
        assert_passes(&calls.register_operator());
    }
    for price in [ABOVE_THE_CAP, HUNDREDFOLD] {
        calls.set_price(PAIRING, price);
        assert_insufficient_gas(&calls.direct_use());
        assert_insufficient_gas(&calls.record_root());
        assert_insufficient_gas(&calls.record_roots());
        assert_insufficient_gas(&calls.register_operator());
    }
}

/// Only roots recorded together use G1MSM.
#[test]
fn a_multiplication_above_its_cap_is_insufficient_gas_and_no_bad_signature() {
    let calls = Calls::new();
    for price in [ONE_MORE, AT_THE_CAP] {
        calls.set_price(G1MSM, price);
        assert_passes(&calls.record_roots());
    }
    for price in [ABOVE_THE_CAP, HUNDREDFOLD] {
        calls.set_price(G1MSM, price);
        assert_insufficient_gas(&calls.record_roots());
        assert_passes(&calls.record_root());
        assert_passes(&calls.direct_use());
        assert_passes(&calls.register_operator());
    }
}

/// The registry caps the additions of a commit too.
#[test]
fn an_addition_above_its_cap_stops_commits_and_no_use() {
    let calls = Calls::new();
    calls.set_price(G2ADD, AT_THE_CAP);
    assert_passes(&calls.commit_epoch());
    calls.set_price(G2ADD, ABOVE_THE_CAP);
    assert_insufficient_gas(&calls.commit_epoch());
    assert_passes(&calls.direct_use());
}

/// A signature that is refused at today's prices is refused for the same reason within the caps, and never passes.
#[test]
fn no_price_lets_a_bad_signature_pass() {
    let calls = Calls::new();
    let mut off_the_curve = [0; 96];
    off_the_curve[95] = 1;
    let malformed = TaskManager::MalformedSignature {}.abi_encode();
    let others = calls.world.keys[0].1.sign_root(B256::with_last_byte(1)).0;
    let invalid = TaskManager::InvalidSignature {}.abi_encode();
    for price in [TODAY, ONE_MORE, AT_THE_CAP] {
        for precompile in [SHA256, G1ADD, G1MSM, G2ADD, PAIRING, MAP_FP_TO_G1] {
            calls.set_price(precompile, price);
        }
        assert_refused(&calls.use_with(&off_the_curve), malformed.clone());
        assert_refused(&calls.use_with(&others), invalid.clone());
    }
    for price in [ABOVE_THE_CAP, HUNDREDFOLD] {
        calls.set_price(PAIRING, price);
        assert_insufficient_gas(&calls.use_with(&off_the_curve));
        assert_insufficient_gas(&calls.use_with(&others));
    }
}

/// With each cap lowered to today's price in the bytecode, one gas more is too much. So the rises of the other tests do
/// reach the contracts, and each cap is the one that decides.
#[test]
fn a_cap_without_its_multiple_refuses_what_costs_one_gas_more() {
    // PAIRING of two: 411,600 becomes 102,900.
    let calls = Calls::new();
    calls.replace_in_code(&hex!("620647d0"), &hex!("620191f4"));
    assert_passes(&calls.direct_use());
    assert_passes(&calls.record_root());
    calls.set_price(PAIRING, ONE_MORE);
    assert_insufficient_gas(&calls.direct_use());
    assert_insufficient_gas(&calls.record_root());
    assert_passes(&calls.record_roots());

    // PAIRING of any number: 37,700 and 32,600 a pair become a quarter, before they are multiplied.
    let calls = Calls::new();
    calls.replace_in_code(&hex!("617f58"), &hex!("611fd6"));
    calls.replace_in_code(&hex!("619344"), &hex!("6124d1"));
    assert_passes(&calls.record_roots());
    calls.set_price(PAIRING, ONE_MORE);
    assert_insufficient_gas(&calls.record_roots());
    assert_passes(&calls.record_root());

    // G1MSM: 48,000 a point becomes 12,000.
    let calls = Calls::new();
    calls.replace_in_code(&hex!("61bb80"), &hex!("612ee0"));
    assert_passes(&calls.record_roots());
    calls.set_price(G1MSM, ONE_MORE);
    assert_insufficient_gas(&calls.record_roots());
    assert_passes(&calls.record_root());
}

/// The gas that hashing and additions get is what decides too: given only the price of today, they refuse one gas more.
///
/// The code has room for an instruction of one byte where it has GAS: CHAINID, on a chain whose id is the price.
#[test]
fn a_call_with_gas_for_the_price_of_today_refuses_what_costs_one_gas_more() {
    for (precompile, price) in [(MAP_FP_TO_G1, 5_500), (G1ADD, 375), (G2ADD, 600)] {
        let calls = Calls::on_chain(price);
        let [.., address] = precompile.into_array();
        // PUSH1 address, GAS, STATICCALL.
        calls.replace_in_code(&[0x60, address, 0x5a, 0xfa], &[0x60, address, 0x46, 0xfa]);
        assert_passes(&calls.direct_use());
        calls.set_price(precompile, ONE_MORE);
        assert_insufficient_gas(&calls.direct_use());
    }
}

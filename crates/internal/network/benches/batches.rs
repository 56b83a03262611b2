//! What a gateway's signatures cost for each decision, in batches of several sizes. Aggregation of the operators'
//! signatures and every check of the clients' contracts are included.
//!
//! `cargo bench --package assent-network`.

use std::time::Instant;

use alloy_primitives::{
    Address, B256, U256,
    aliases::{U48, U96},
};
use assent_network::{Bls, ContractCall, Domain, Scheme, Task};
use assent_signer::{AttestationBatch, PartialSignature, SecretKey};
use assent_types::{Decision, Intent};
use assent_verifier::{Context, Epoch, EpochId, Operator, OperatorSet, OperatorSetId, Policy, SpentNonces};

const OPERATORS: u8 = 7;
/// Five of seven are more than two thirds.
const SIGNERS: usize = 5;
const TIMES: u32 = 10;

fn main() {
    let keys: Vec<SecretKey> = (1..=OPERATORS).map(|seed| SecretKey::from_key_material(&[seed; 32]).unwrap()).collect();
    let epoch = epoch(&keys);
    println!(
        "{:>6} {:>14} {:>14} {:>18} {:>22}",
        "tasks", "sum ms", "checks ms", "ms a decision", "find one invalid, ms"
    );
    for size in [1, 16, 64, 256] {
        let tasks: Vec<Task> = (0..size).map(task).collect();
        let attestations = tasks.iter().map(|task| task.attestation(domain(), Decision::Allow, B256::repeat_byte(7)));
        let batch = AttestationBatch::new(attestations.collect(), domain().chain_id, domain().task_manager).unwrap();
        let operators = epoch.operators.operators().iter().zip(&keys).take(SIGNERS);
        let mut partials: Vec<_> =
            operators.map(|(operator, key)| PartialSignature::new(operator.address, key.sign_batch(&batch))).collect();
        let (aggregate, aggregation) = timed(|| Bls.sum(&epoch, batch.root(), &partials).unwrap());
        let (results, checks) = timed(|| {
            let calls = tasks.iter().enumerate().map(|(index, task)| {
                call(task, &aggregate.document(&batch, index).unwrap().authorization().unwrap().encode(), &epoch)
            });
            Bls.verify_all(&calls.collect::<Vec<_>>())
        });
        assert!(results.iter().all(Result::is_ok), "{:?}", results[0]);
        partials[0] = PartialSignature::new(partials[0].operator, keys[6].sign_batch(&batch));
        let (aggregate, with_one_bad) = timed(|| Bls.aggregate(&epoch, batch.root(), &partials).unwrap());
        assert_eq!(aggregate.rejected[0].operator, partials[0].operator);
        let each = (aggregation + checks) / f64::from(u32::try_from(size).unwrap());
        println!("{size:>6} {aggregation:>14.2} {checks:>14.2} {each:>18.3} {with_one_bad:>22.2}");
    }
}

/// Returns a result and the mean time in milliseconds.
fn timed<T>(run: impl Fn() -> T) -> (T, f64) {
    let result = run();
    let start = Instant::now();
    for _ in 0..TIMES {
        run();
    }
    (result, start.elapsed().as_secs_f64() * 1e3 / f64::from(TIMES))
}

fn domain() -> Domain {
    Domain { chain_id: U256::from(31337), task_manager: Address::repeat_byte(0x11) }
}

fn epoch(keys: &[SecretKey]) -> Epoch {
    let operators = (1_u8..).zip(keys).map(|(seed, key)| Operator {
        address: Address::repeat_byte(seed),
        public_key: key.public_key(),
        weight: U96::from(1),
    });
    let operators = OperatorSet::new(operators.collect()).unwrap();
    Epoch { number: EpochId(5), operator_set: OperatorSetId(1), valid_until: U48::MAX, operators }
}

fn policy() -> Policy {
    Policy { policyId: B256::repeat_byte(0x33), operatorSet: 1, quorum: 6667, maxLifetime: U48::from(3600) }
}

fn task(nonce: u64) -> Task {
    Task {
        policy_client: Address::repeat_byte(0x22),
        policy_id: policy().policyId,
        nonce: U256::from(nonce),
        intent: Intent {
            from: Address::repeat_byte(0x44),
            to: Address::repeat_byte(0x22),
            value: U256::from(3),
            data: Vec::new().into(),
            chainId: domain().chain_id,
        },
        expiration: 1_800_000_600,
        epoch: EpochId(5),
        block_number: 20,
        block_hash: B256::repeat_byte(0x20),
        block_timestamp: 1_800_000_000,
    }
}

fn call(task: &Task, authorization: &[u8], epoch: &Epoch) -> ContractCall {
    let context = Context::builder(SpentNonces::default())
        .chain_id(domain().chain_id)
        .task_manager(domain().task_manager)
        .policy_client(task.policy_client)
        .policy(policy())
        .issuance_floor(U48::ZERO)
        .caller(task.intent.from)
        .timestamp(task.block_timestamp)
        .epochs([epoch.clone()])
        .build();
    ContractCall { context, intent: task.intent.clone(), authorization: authorization.to_vec() }
}

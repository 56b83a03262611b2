//! The worked example of docs/protocol.md holds.

use alloy::primitives::{Address, B256, U256, address, aliases::U48, aliases::U96, bytes, hex, keccak256};
use assent_signer::{AttestationBatch, PartialSignature, SecretKey, aggregate};
use assent_verifier::{
    Attestation, Authorization, Context, Decision, Epoch, EpochId, Intent, Operator, OperatorSet, OperatorSetId,
    Policy, QuorumProof, RecordedRoot, RecordedRoots, SpentNonces, append_trailing, digest, verify, verify_trailing,
};

const CHAIN_ID: u64 = 1;
const TASK_MANAGER: Address = address!("0x1111111111111111111111111111111111111111");
const POLICY_CLIENT: Address = address!("0x2222222222222222222222222222222222222222");
const REGISTRY: Address = address!("0x3333333333333333333333333333333333333333");
const ISSUED_AT: u64 = 1_800_000_000;
const EXPIRATION: u64 = 1_800_000_600;

#[test]
fn the_worked_example_in_the_protocol_page_is_what_the_code_computes() {
    let page = include_str!("../../../../docs/protocol.md");
    let (_, example) = page.split_once("## Worked example").expect("the page has a worked example");
    let documented: Vec<_> = example.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let computed = worked_example();
    assert_eq!(
        documented.join("\n"),
        computed.join("\n"),
        "the page should read:\n\n    {}\n",
        computed.join("\n    ")
    );
}

/// Name and value, a line each.
fn worked_example() -> Vec<String> {
    let keys = [1u8, 2, 3].map(|index| SecretKey::from_bytes(&[index; 32]).expect("below the order"));
    let addresses = [1, 2, 3].map(Address::with_last_byte);
    let operators = keys.iter().zip(addresses).zip([10u8, 20, 30]).map(|((key, address), weight)| Operator {
        address,
        public_key: key.public_key(),
        weight: U96::from(weight),
    });
    let operators = OperatorSet::new(operators.collect()).expect("a valid set");
    let epoch = Epoch { number: EpochId(5), operator_set: OperatorSetId(1), valid_until: U48::MAX, operators };

    let intent = Intent {
        from: address!("0x4444444444444444444444444444444444444444"),
        to: POLICY_CLIENT,
        value: U256::ZERO,
        data: bytes!(
            "a9059cbb"
            "0000000000000000000000005555555555555555555555555555555555555555"
            "0000000000000000000000000000000000000000000000000000000000000064"
        ),
        chainId: U256::from(CHAIN_ID),
    };
    let policy =
        Policy { policyId: keccak256("example policy"), operatorSet: 1, quorum: 6667, maxLifetime: U48::from(3600) };
    let (chain_id, nonce) = (U256::from(CHAIN_ID), U256::from(258));
    let intent_hash = digest::intent_hash(&intent);
    let task_id = digest::task_id(chain_id, TASK_MANAGER, POLICY_CLIENT, policy.policyId, intent_hash, nonce);
    let attestation = Attestation {
        taskId: task_id,
        policyId: policy.policyId,
        policyClient: POLICY_CLIENT,
        nonce,
        issuedAt: U48::from(ISSUED_AT),
        expiration: U48::from(EXPIRATION),
        decision: 1,
        evidence: keccak256("example evidence"),
        intent: intent.clone(),
    };
    let batch = AttestationBatch::new(vec![attestation.clone()], chain_id, TASK_MANAGER).expect("a sound batch");
    let partials: Vec<_> = keys
        .iter()
        .zip(addresses)
        .skip(1)
        .map(|(key, address)| PartialSignature::new(address, key.sign_root(batch.root()).0))
        .collect();
    let aggregate = aggregate(&epoch, batch.root(), &partials).expect("sound signatures");
    let authorization = Authorization {
        task_id,
        nonce,
        issued_at: attestation.issuedAt,
        expiration: attestation.expiration,
        decision: Decision::Allow,
        evidence: attestation.evidence,
        epoch: epoch.number,
        quorum_proof: QuorumProof::Direct {
            signature: aggregate.signature,
            non_signers: aggregate.non_signers.clone(),
        },
        merkle_proof: batch.merkle_proof(0).expect("the only place"),
    };
    let recorded = Authorization { quorum_proof: QuorumProof::Recorded, ..authorization.clone() };
    let trailing = append_trailing(&intent.data, &authorization).expect("a selector and more");
    let proof = keys[0].prove_possession(addresses[0], chain_id, REGISTRY);

    let mut context = Context {
        chain_id,
        task_manager: TASK_MANAGER,
        policy_client: POLICY_CLIENT,
        policy: Some(policy.clone()),
        issuance_floor: U48::from(ISSUED_AT),
        caller: intent.from,
        timestamp: ISSUED_AT,
        epochs: vec![epoch.clone()],
        recorded_roots: RecordedRoots::default(),
        spent: SpentNonces::default(),
    };
    verify_trailing(&context, U256::ZERO, &trailing).expect("the example verifies");
    let weight = RecordedRoot {
        signed_weight: aggregate.signed_weight,
        total_weight: U96::from(60),
        epoch_end: U48::from(EXPIRATION),
    };
    context.recorded_roots.record(epoch.number, batch.root(), weight);
    verify(&context, &intent, &recorded.encode()).expect("the example verifies under its root, recorded");

    let domain = digest::domain(chain_id, TASK_MANAGER).separator();
    let possession = digest::proof_of_possession_digest(addresses[0], &keys[0].public_key(), chain_id, REGISTRY);
    let line = |name: &str, value: String| format!("{name:<24}{value}");
    let hash = |name: &str, value: B256| line(name, value.to_string());
    let bytes = |name: &str, value: &[u8]| line(name, hex::encode_prefixed(value));
    vec![
        line("chainId", CHAIN_ID.to_string()),
        line("taskManager", TASK_MANAGER.to_string()),
        line("policyClient", POLICY_CLIENT.to_string()),
        line("operatorRegistry", REGISTRY.to_string()),
        hash("policyId", policy.policyId),
        line("intent.from", intent.from.to_string()),
        line("intent.value", intent.value.to_string()),
        bytes("intent.data", &intent.data),
        hash("intentHash", intent_hash),
        line("nonce", nonce.to_string()),
        hash("taskId", task_id),
        line("issuedAt", ISSUED_AT.to_string()),
        line("expiration", EXPIRATION.to_string()),
        hash("evidence", attestation.evidence),
        hash("domain separator", domain),
        hash("digest = root", batch.root()),
        bytes("public key of 1", &keys[0].public_key().0),
        bytes("negated aggregate", &epoch.operators.negated_aggregate_key().0),
        bytes("aggregate signature", &aggregate.signature.0),
        bytes("authorization", &authorization.encode()),
        bytes("recorded authorization", &recorded.encode()),
        bytes("trailing calldata", &trailing),
        hash("possession digest of 1", possession),
        bytes("possession proof of 1", &proof.0),
    ]
}

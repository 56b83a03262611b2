// Shared set-up of the documentation's examples, in lines that it does not show: a call that two of three operators
// have attested, signed as it runs. Each example includes this file as a module.

use alloy_primitives::{
    Address, B256, U256,
    aliases::{U48, U96},
};
use assent_verifier::*;
use blst::min_sig::{AggregateSignature, SecretKey};

/// Everything valid: `verify(&context, &intent, &document.authorization()?.encode())` passes.
pub fn example() -> (Context, Intent, AttestationDocument) {
    let (context, intent) = (context(), intent());
    let document = attest(&context, &intent, U256::from(7));
    (context, intent, document)
}

/// The client demands 60 % of the weight, and a lifetime of at most an hour.
pub fn context() -> Context {
    Context {
        chain_id: U256::from(31337),
        task_manager: Address::repeat_byte(3),
        policy_client: Address::repeat_byte(4),
        policy: Some(Policy {
            policyId: B256::repeat_byte(2),
            operatorSet: 1,
            quorum: 6000,
            maxLifetime: U48::from(3600),
        }),
        issuance_floor: U48::ZERO,
        caller: Address::repeat_byte(5),
        timestamp: 1_700_000_000,
        epochs: vec![Epoch {
            number: EpochId(1),
            operator_set: OperatorSetId(1),
            valid_until: U48::MAX,
            operators: OperatorSet::new(operators()).unwrap(),
        }],
        recorded_roots: RecordedRoots::default(),
        spent: SpentNonces::default(),
    }
}

/// A call of four bytes, without value.
pub fn intent() -> Intent {
    let Context { caller: from, chain_id: chainId, policy_client: to, .. } = context();
    Intent { from, to, value: U256::ZERO, data: vec![0xa9, 0x05, 0x9c, 0xbb].into(), chainId }
}

/// Three of weight 100.
pub fn operators() -> Vec<Operator> {
    let operator = |(secret, place): (&SecretKey, u8)| Operator {
        address: Address::repeat_byte(place),
        public_key: public_key(secret),
        weight: U96::from(100),
    };
    secrets().iter().zip(1..).map(operator).collect()
}

/// The operators' secret keys.
pub fn secrets() -> [SecretKey; 3] {
    [1, 2, 3].map(|seed| SecretKey::key_gen(&[seed; 32], &[]).unwrap())
}

/// blst writes the halves of a coordinate the other way round.
pub fn public_key(secret: &SecretKey) -> PublicKey {
    let mut key = secret.sk_to_pk().serialize();
    key.chunks_exact_mut(96).for_each(|coordinate| coordinate.rotate_left(48));
    PublicKey(key)
}

/// The operators allow an intent for ten minutes; the second of them is absent.
pub fn attest(context: &Context, intent: &Intent, nonce: U256) -> AttestationDocument {
    let attestation = attestation(context, intent, nonce);
    let root = digest::attestation_digest(&attestation, context.chain_id, context.task_manager);
    AttestationDocument {
        chain_id: context.chain_id,
        task_manager: context.task_manager,
        attestation,
        epoch: EpochId(1),
        signature: sign(root),
        non_signers: NonSigners::from_indices([1]).unwrap(),
        merkle_proof: MerkleProof::EMPTY,
    }
}

/// What they attest.
pub fn attestation(context: &Context, intent: &Intent, nonce: U256) -> Attestation {
    let Context { chain_id, task_manager, policy_client, ref policy, timestamp, .. } = *context;
    let policy_id = policy.as_ref().unwrap().policyId;
    let intent_hash = digest::intent_hash(intent);
    Attestation {
        taskId: digest::task_id(chain_id, task_manager, policy_client, policy_id, intent_hash, nonce),
        policyId: policy_id,
        policyClient: policy_client,
        nonce,
        issuedAt: U48::from(timestamp),
        expiration: U48::from(timestamp + 600),
        decision: Decision::Allow.into(),
        evidence: B256::repeat_byte(8),
        intent: intent.clone(),
    }
}

/// The first and the third operator's signature.
pub fn sign(root: B256) -> Signature {
    let [first, _, third] = secrets().map(|secret| secret.sign(root.as_slice(), digest::SIGNATURE_TAG, &[]));
    Signature(AggregateSignature::aggregate(&[&first, &third], false).unwrap().to_signature().serialize())
}

//! The worked example of docs/protocol.md, and changes for which it must be refused.

#![allow(dead_code, reason = "each test program uses a part")]

use alloy_primitives::{
    Address, B256, U256, address,
    aliases::{U48, U96},
    bytes, hex, keccak256,
};
use assent_inspection::text::{Example, Texts};
use assent_signer::{AttestationBatch, PartialSignature, SecretKey, aggregate};
use assent_verifier::{
    Attestation, AttestationDocument, Authorization, Context, Decision, Epoch, EpochId, Intent, MerkleProof,
    NonSigners, Operator, OperatorSet, OperatorSetId, Policy, QuorumProof, RecordedRoot, RecordedRoots, SpentNonces,
    append_trailing, digest,
};
use serde::Serialize;

const CHAIN_ID: U256 = U256::ONE;
const TASK_MANAGER: Address = address!("0x1111111111111111111111111111111111111111");
const POLICY_CLIENT: Address = address!("0x2222222222222222222222222222222222222222");
const ISSUED_AT: u64 = 1_800_000_000;
const EXPIRATION: u64 = 1_800_000_600;
const EPOCH_END: u64 = 1_800_600_000;
const STRANGER: Address = address!("0x9999999999999999999999999999999999999999");

/// What is handed in: a change of it makes a tampered example.
#[derive(Clone)]
pub struct World {
    pub context: Context,
    pub intent: Intent,
    pub document: AttestationDocument,
    pub authorization: Authorization,
}

impl World {
    /// Operators 2 and 3 of three signed one attestation.
    pub fn new(decision: Decision) -> Self {
        let keys = [1_u8, 2, 3].map(|byte| SecretKey::from_bytes(&[byte; 32]).expect("below the order"));
        let addresses = [1, 2, 3].map(Address::with_last_byte);
        let operators = keys.iter().zip(addresses).zip([10_u8, 20, 30]).map(|((key, address), weight)| Operator {
            address,
            public_key: key.public_key(),
            weight: U96::from(weight),
        });
        let operators = OperatorSet::new(operators.collect()).expect("a sound set");
        let epoch = Epoch { number: EpochId(5), operator_set: OperatorSetId(1), valid_until: U48::MAX, operators };
        let policy = Policy {
            policyId: keccak256("example policy"),
            operatorSet: 1,
            quorum: 6667,
            maxLifetime: U48::from(3600),
        };
        let intent = Intent {
            from: address!("0x4444444444444444444444444444444444444444"),
            to: POLICY_CLIENT,
            value: U256::ZERO,
            data: bytes!(
                "a9059cbb"
                "0000000000000000000000005555555555555555555555555555555555555555"
                "0000000000000000000000000000000000000000000000000000000000000064"
            ),
            chainId: CHAIN_ID,
        };
        let nonce = U256::from(258);
        let intent_hash = digest::intent_hash(&intent);
        let attestation = Attestation {
            taskId: digest::task_id(CHAIN_ID, TASK_MANAGER, POLICY_CLIENT, policy.policyId, intent_hash, nonce),
            policyId: policy.policyId,
            policyClient: POLICY_CLIENT,
            nonce,
            issuedAt: U48::from(ISSUED_AT),
            expiration: U48::from(EXPIRATION),
            decision: decision.into(),
            evidence: keccak256("example evidence"),
            intent: intent.clone(),
        };
        let batch = AttestationBatch::new(vec![attestation], CHAIN_ID, TASK_MANAGER).expect("a sound batch");
        let partials = keys.iter().zip(addresses).skip(1);
        let partials = partials.map(|(key, address)| PartialSignature::new(address, key.sign_root(batch.root()).0));
        let aggregate = aggregate(&epoch, batch.root(), &partials.collect::<Vec<_>>()).expect("sound signatures");
        let document = aggregate.document(&batch, 0).expect("the only place");
        let context = Context {
            chain_id: CHAIN_ID,
            task_manager: TASK_MANAGER,
            policy_client: POLICY_CLIENT,
            policy: Some(policy),
            issuance_floor: U48::ZERO,
            caller: intent.from,
            timestamp: EXPIRATION - 600,
            epochs: vec![epoch],
            recorded_roots: RecordedRoots::default(),
            spent: SpentNonces::default(),
        };
        let authorization = document.authorization().expect("allow or deny");
        Self { context, intent, document, authorization }
    }

    pub fn texts(&self) -> Texts {
        Texts {
            authorization: hex::encode_prefixed(self.authorization.encode()),
            document: json(&self.document),
            intent: json(&self.intent),
            context: json(&self.context),
            ..Texts::default()
        }
    }

    fn record(&mut self) {
        let (signed_weight, total_weight) = (U96::from(50), U96::from(60));
        let recorded = RecordedRoot { signed_weight, total_weight, epoch_end: U48::from(EPOCH_END) };
        self.context.recorded_roots.record(EpochId(5), self.document.root(), recorded);
    }

    fn policy(&mut self) -> &mut Policy {
        self.context.policy.as_mut().expect("a policy")
    }
}

/// The valid ways, and then one example of every refusal, in the order of the checks.
pub fn examples() -> Vec<Example> {
    let world = World::new(Decision::Allow);
    let mut examples = vec![
        valid("valid: 2 of 3 operators signed", world.texts()),
        valid(
            "valid: the root is recorded, without a signature",
            changed(&world, |world| {
                world.record();
                world.authorization.quorum_proof = QuorumProof::Recorded;
            }),
        ),
        valid("valid: the authorization is appended to the calldata", trailing(&world)),
        valid("valid: only an operator set is known", without_context(&world)),
    ];
    let mut refused = |check, error: &str, name: &str, texts| {
        examples.push(Example { name: name.to_owned(), refused: Some((check, error.to_owned())), texts });
    };
    refused(1, "PolicyNotSet", "a client without a policy", changed(&world, |world| world.context.policy = None));
    refused(2, "MalformedAuthorization", "one byte too many", {
        let texts = world.texts();
        Texts { authorization: format!("{}00", texts.authorization), ..texts }
    });
    refused(3, "WrongChain", "another chain", changed(&world, |world| world.intent.chainId = U256::from(10)));
    refused(3, "WrongSender", "another caller", changed(&world, |world| world.context.caller = STRANGER));
    refused(
        4,
        "WrongTask",
        "another amount in the calldata",
        Texts {
            abi: "transfer(address to, uint256 amount)".to_owned(),
            ..changed(&world, |world| {
                let mut data = world.intent.data.to_vec();
                data[67] = 0x65;
                world.intent.data = data.into();
            })
        },
    );
    refused(
        5,
        "AttestationNotYetValid",
        "issued ahead of the chain's time",
        changed(&world, |world| world.context.timestamp = ISSUED_AT - 1),
    );
    refused(5, "AttestationExpired", "too late", changed(&world, |world| world.context.timestamp = EXPIRATION));
    refused(
        6,
        "LifetimeTooLong",
        "valid for longer than the policy allows",
        changed(&world, |world| {
            world.policy().maxLifetime = U48::from(599);
        }),
    );
    refused(
        6,
        "AttestationVoided",
        "issued before the client's floor",
        changed(&world, |world| {
            world.context.issuance_floor = U48::from(ISSUED_AT + 1);
        }),
    );
    refused(
        7,
        "AttestationAlreadySpent",
        "used before",
        changed(&world, |world| {
            assert!(world.context.spent.spend(POLICY_CLIENT, U256::from(258)), "a nonce is spent once");
        }),
    );
    refused(8, "UnknownEpoch", "an unknown epoch", changed(&world, |world| world.context.epochs.clear()));
    refused(
        8,
        "EpochExpired",
        "an epoch whose grace period is over",
        changed(&world, |world| {
            world.context.epochs[0].valid_until = U48::from(world.context.timestamp);
        }),
    );
    refused(
        8,
        "EpochRevoked",
        "a revoked epoch",
        changed(&world, |world| {
            world.context.epochs[0].valid_until = U48::ZERO;
        }),
    );
    refused(
        9,
        "RootNotRecorded",
        "a root that is not recorded",
        changed(&world, |world| {
            world.authorization.quorum_proof = QuorumProof::Recorded;
        }),
    );
    refused(
        9,
        "ExpirationBeyondEpoch",
        "a recorded root whose epoch ends before the attestation",
        changed(&world, |world| {
            let (signed_weight, total_weight) = (U96::from(50), U96::from(60));
            let recorded = RecordedRoot { signed_weight, total_weight, epoch_end: U48::from(EXPIRATION - 1) };
            world.context.recorded_roots.record(EpochId(5), world.document.root(), recorded);
            world.authorization.quorum_proof = QuorumProof::Recorded;
        }),
    );
    refused(
        9,
        "NonSignerOutOfRange",
        "a non-signer that is not in the epoch",
        changed(&world, |world| {
            let non_signers = NonSigners::from_indices([0, 3]).expect("low indices");
            world.authorization.quorum_proof = QuorumProof::Direct { signature: *direct(world), non_signers };
        }),
    );
    refused(9, "QuorumNotReached", "a higher quorum", changed(&world, |world| world.policy().quorum = 9000));
    refused(
        10,
        "MalformedSignature",
        "a signature that is not a point",
        changed(&world, |world| {
            direct(world).0[95] ^= 1;
        }),
    );
    refused(
        11,
        "InvalidSignature",
        "other evidence than attested",
        changed(&world, |world| {
            world.authorization.evidence = B256::repeat_byte(0xee);
        }),
    );
    refused(
        11,
        "InvalidSignature",
        "a hash too many in the Merkle proof",
        changed(&world, |world| {
            world.authorization.merkle_proof = MerkleProof::try_from(vec![B256::repeat_byte(0x77)]).expect("one hash");
        }),
    );
    refused(
        11,
        "InvalidSignature",
        "a non-signer named as a signer",
        changed(&world, |world| {
            world.authorization.quorum_proof =
                QuorumProof::Direct { signature: *direct(world), non_signers: NonSigners::NONE };
        }),
    );
    refused(12, "PolicyDenied", "a denial", World::new(Decision::Deny).texts());
    examples
}

fn valid(name: &str, texts: Texts) -> Example {
    Example { name: name.to_owned(), refused: None, texts }
}

fn changed(world: &World, change: impl FnOnce(&mut World)) -> Texts {
    let mut world = world.clone();
    change(&mut world);
    world.texts()
}

fn trailing(world: &World) -> Texts {
    let calldata = append_trailing(&world.intent.data, &world.authorization).expect("a selector and more");
    let texts = world.texts();
    Texts {
        authorization: String::new(),
        intent: String::new(),
        calldata: hex::encode_prefixed(calldata),
        value: "0".to_owned(),
        ..texts
    }
}

fn without_context(world: &World) -> Texts {
    Texts {
        document: json(&world.document),
        epochs: json(&world.context.epochs[0]),
        timestamp: (EXPIRATION - 600).to_string(),
        ..Texts::default()
    }
}

fn direct(world: &mut World) -> &mut assent_verifier::Signature {
    match &mut world.authorization.quorum_proof {
        QuorumProof::Direct { signature, .. } => signature,
        QuorumProof::Recorded => panic!("the signature travels along"),
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("JSON")
}

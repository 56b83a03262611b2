//! Bytes and hashes, compared with the words of docs/protocol.md.

mod document;

use alloy_primitives::{Address, B256, U256, aliases::U48, keccak256};
use alloy_sol_types::{SolStruct, SolValue};
use assent_types::{
    Attestation, AttestationDocument, Authorization, AuthorizationError, Connection, Decision, EpochApproval,
    EpochHandover, EpochId, EpochRevocation, Intent, MAX_EPOCH_LIFETIME, MerkleProof, MerkleTree, NonSigners,
    NonSignersError, Observation, OperatorSetId, PublicKey, QuorumProof, Signature, UnknownDecision, append_trailing,
    digest::{
        CONNECTION_TAG, EPOCH_APPROVAL_TAG, EPOCH_HANDOVER_TAG, OBSERVATION_TAG, PROOF_OF_POSSESSION_TAG,
        SIGNATURE_TAG, attestation_digest, epoch_domain, intent_hash, proof_of_possession_digest,
    },
    offset, split_trailing,
};
use document::document;
use proptest::prelude::*;

#[test]
fn an_authorization_is_laid_out_as_the_protocol_says() {
    let authorization = Authorization {
        task_id: B256::repeat_byte(0x01),
        nonce: U256::from(0x0203),
        issued_at: U48::from(0x1213_1415_1617u64),
        expiration: U48::from(0x0405_0607_0809u64),
        decision: Decision::Allow,
        evidence: B256::repeat_byte(0x0a),
        epoch: EpochId(0x0b0c_0d0e),
        quorum_proof: QuorumProof::Direct {
            signature: Signature([0x0f; 96]),
            non_signers: NonSigners::from_indices([0, 9]).unwrap(),
        },
        merkle_proof: vec![B256::repeat_byte(0x10), B256::repeat_byte(0x11)].try_into().unwrap(),
    };
    let bytes = authorization.encode();
    assert_eq!(bytes.len(), 212 + 2 + 64);
    assert_eq!(bytes[0..32], [0x01; 32]);
    assert_eq!(bytes[32..64], U256::from(0x0203).to_be_bytes::<32>());
    assert_eq!(bytes[64..70], [0x12, 0x13, 0x14, 0x15, 0x16, 0x17]);
    assert_eq!(bytes[70..76], [4, 5, 6, 7, 8, 9]);
    assert_eq!(bytes[76], 1);
    assert_eq!(bytes[77..109], [0x0a; 32]);
    assert_eq!(bytes[109..113], [0x0b, 0x0c, 0x0d, 0x0e]);
    assert_eq!(bytes[113], 0);
    assert_eq!(bytes[114..210], [0x0f; 96]);
    assert_eq!(bytes[210..213], [2, 0b1, 0b10]);
    assert_eq!(bytes[213], 2);
    assert_eq!(bytes[214..246], [0x10; 32]);
    assert_eq!(bytes[246..], [0x11; 32]);
    assert_eq!(Authorization::parse(&bytes), Ok(authorization.clone()));

    let recorded = Authorization { quorum_proof: QuorumProof::Recorded, ..authorization };
    let short = recorded.encode();
    assert_eq!(short.len(), 115 + 64);
    assert_eq!(short[..113], bytes[..113]);
    assert_eq!(short[113..115], [1, 2]);
    assert_eq!(short[115..], bytes[214..]);
    assert_eq!(Authorization::parse(&short), Ok(recorded));
}

/// Solidity's library has the same table; each of its constants is compared by name.
#[test]
fn every_offset_is_the_one_in_the_solidity_library() {
    const LIBRARY: &str = include_str!("../../../contracts/libraries/Authorization.sol");
    let offsets = [
        ("TASK_ID", offset::TASK_ID),
        ("NONCE", offset::NONCE),
        ("ISSUED_AT", offset::ISSUED_AT),
        ("EXPIRATION", offset::EXPIRATION),
        ("DECISION", offset::DECISION),
        ("EVIDENCE", offset::EVIDENCE),
        ("EPOCH", offset::EPOCH),
        ("KIND", offset::KIND),
        ("SIGNATURE", offset::SIGNATURE),
        ("BITMAP_LENGTH", offset::BITMAP_LENGTH),
        ("BITMAP", offset::BITMAP),
    ];
    for (name, value) in offsets {
        let declaration = format!(" {name}_OFFSET = {value};");
        assert!(LIBRARY.contains(&declaration), "the Solidity library does not have{declaration}");
    }
    let declared = LIBRARY.lines().filter(|line| line.contains(" constant ") && line.contains("_OFFSET =")).count();
    assert_eq!(declared, offsets.len());
    assert_eq!(offset::RECORDED_PROOF_LENGTH, offset::KIND + 1);
}

#[test]
fn the_longest_epoch_lifetime_is_the_one_in_the_solidity_file() {
    const PROTOCOL: &str = include_str!("../Protocol.sol");
    assert!(PROTOCOL.contains("\nuint48 constant MAX_EPOCH_LIFETIME = 30 days;\n"));
    assert_eq!(MAX_EPOCH_LIFETIME, U48::from(30 * 86_400));
}

#[test]
fn the_longest_authorization_has_the_longest_bitmap_and_the_longest_proof() {
    let mut authorization = document().authorization().unwrap();
    let QuorumProof::Direct { non_signers, .. } = &mut authorization.quorum_proof else { panic!("not direct") };
    *non_signers = NonSigners::from_indices([2039]).unwrap();
    authorization.merkle_proof = vec![B256::ZERO; MerkleProof::MAX_LENGTH].try_into().unwrap();
    assert_eq!((authorization.encode().len(), Authorization::MAX_LENGTH), (1491, 1491));
}

#[test]
fn a_document_gives_both_kinds_of_authorization() {
    let document = AttestationDocument { merkle_proof: vec![B256::ZERO].try_into().unwrap(), ..document() };
    let (direct, recorded) = (document.authorization().unwrap(), document.recorded_authorization().unwrap());
    let QuorumProof::Direct { signature, ref non_signers } = direct.quorum_proof else { panic!("not direct") };
    assert_eq!((signature, non_signers), (document.signature, &document.non_signers));
    assert_eq!(recorded, Authorization { quorum_proof: QuorumProof::Recorded, ..direct });
    assert_eq!(recorded.encode().len(), 115 + 32);
}

#[test]
fn names_what_is_wrong_with_bytes_that_do_not_parse() {
    let valid = document().authorization().unwrap().encode();
    let altered = |change: fn(&mut Vec<u8>)| {
        let mut bytes = valid.clone();
        change(&mut bytes);
        Authorization::parse(&bytes)
    };
    assert_eq!(altered(|bytes| bytes.truncate(31)), Err(AuthorizationError::TooShort { field: "taskId" }));
    assert_eq!(altered(|bytes| bytes.push(0)), Err(AuthorizationError::LeftOver(1)));
    assert_eq!(altered(|bytes| bytes[offset::DECISION] = 2), Err(UnknownDecision(2).into()));
    assert_eq!(altered(|bytes| bytes[offset::KIND] = 2), Err(AuthorizationError::UnknownKind(2)));
    assert_eq!(altered(|bytes| bytes[offset::BITMAP] = 0), Err(NonSignersError::TrailingZero.into()));
    let deep_proof = altered(|bytes| {
        bytes[offset::BITMAP + 1] = 33;
        bytes.extend([0; 33 * 32]);
    });
    assert_eq!(deep_proof, Err(AuthorizationError::MerkleProofTooLong(33)));
    let deepest_proof = altered(|bytes| {
        bytes[offset::BITMAP + 1] = 32;
        bytes.extend([0; 32 * 32]);
    });
    assert_eq!(deepest_proof.unwrap().merkle_proof.as_slice().len(), 32);
}

#[test]
fn names_what_is_wrong_with_bytes_under_a_recorded_root() {
    let valid = document().recorded_authorization().unwrap().encode();
    let with_proof = |length: u8, hashes: usize| {
        let mut bytes = valid.clone();
        bytes[offset::RECORDED_PROOF_LENGTH] = length;
        bytes.extend(vec![0; 32 * hashes]);
        Authorization::parse(&bytes)
    };
    assert_eq!(with_proof(32, 32).unwrap().merkle_proof.as_slice().len(), 32);
    assert_eq!(with_proof(33, 33), Err(AuthorizationError::MerkleProofTooLong(33)));
    assert_eq!(with_proof(1, 0), Err(AuthorizationError::TooShort { field: "Merkle proof" }));
    assert_eq!(with_proof(0, 1), Err(AuthorizationError::LeftOver(32)));
    let cut = |length| Authorization::parse(&valid[..length]);
    assert_eq!(
        cut(offset::RECORDED_PROOF_LENGTH),
        Err(AuthorizationError::TooShort { field: "Merkle proof's length" })
    );
    assert_eq!(cut(offset::KIND), Err(AuthorizationError::TooShort { field: "kind" }));
}

#[test]
fn a_trailing_authorization_leaves_at_least_a_selector() {
    let authorization = document().authorization().unwrap();
    let calldata = append_trailing(&[1, 2, 3, 4], &authorization).unwrap();
    assert_eq!(split_trailing(&calldata), Ok((&[1, 2, 3, 4][..], authorization.encode().as_slice())));
    let missing = |length| AuthorizationError::NoTrailingAuthorization { length };
    assert_eq!(append_trailing(&[1, 2, 3], &authorization), Err(missing(3)));
    assert_eq!(split_trailing(&calldata[1..]), Err(missing(calldata.len() - 1)));
    for short in [&[][..], &[0], &[0, 0], &[1, 2, 3, 0, 0], &[1, 2, 3, 4, 0, 1]] {
        assert_eq!(split_trailing(short), Err(missing(short.len())));
    }
    assert_eq!(split_trailing(&[1, 2, 3, 4, 0, 0]), Ok((&[1, 2, 3, 4][..], &[][..])));
}

#[test]
fn digests_are_those_of_the_typed_data_in_the_protocol() {
    let AttestationDocument { chain_id, task_manager, attestation, .. } = document();
    let intent = &attestation.intent;
    let intent_type = "Intent(address from,address to,uint256 value,bytes data,uint256 chainId)";
    let attestation_type = "Attestation(bytes32 taskId,bytes32 policyId,address policyClient,uint256 nonce,\
        uint48 issuedAt,uint48 expiration,uint8 decision,bytes32 evidence,Intent intent)";
    let hash_words = |words: &[B256]| keccak256(words.concat());
    let number = |number: U256| B256::from(number);

    let expected_intent_hash = hash_words(&[
        keccak256(intent_type),
        intent.from.into_word(),
        intent.to.into_word(),
        number(intent.value),
        keccak256(&intent.data),
        number(intent.chainId),
    ]);
    assert_eq!(intent_hash(intent), expected_intent_hash);

    let expected_task_id = hash_words(&[
        number(chain_id),
        task_manager.into_word(),
        attestation.policyClient.into_word(),
        attestation.policyId,
        expected_intent_hash,
        number(attestation.nonce),
    ]);
    assert_eq!(attestation.taskId, expected_task_id);

    let struct_hash = hash_words(&[
        keccak256([attestation_type, intent_type].concat()),
        attestation.taskId,
        attestation.policyId,
        attestation.policyClient.into_word(),
        number(attestation.nonce),
        number(U256::from(attestation.issuedAt)),
        number(U256::from(attestation.expiration)),
        number(U256::from(1)),
        attestation.evidence,
        expected_intent_hash,
    ]);
    let in_domain = |contract: Address, struct_hash: B256| {
        let domain_type = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";
        let domain = hash_words(&[
            keccak256(domain_type),
            keccak256("Assent"),
            keccak256("1"),
            number(chain_id),
            contract.into_word(),
        ]);
        keccak256([&b"\x19\x01"[..], domain.as_slice(), struct_hash.as_slice()].concat())
    };
    let expected = in_domain(task_manager, struct_hash);
    assert_eq!(attestation_digest(&attestation, chain_id, task_manager), expected);

    let (operator, registry, key) = (Address::repeat_byte(7), Address::repeat_byte(8), PublicKey([9; 192]));
    let struct_hash = hash_words(&[
        keccak256("ProofOfPossession(address operator,bytes publicKey)"),
        operator.into_word(),
        keccak256(key.0),
    ]);
    let digest = proof_of_possession_digest(operator, &key, chain_id, registry);
    assert_eq!(digest, in_domain(registry, struct_hash));

    let set_hash = B256::repeat_byte(5);
    let approval = EpochApproval {
        registry,
        operator_set: OperatorSetId(1),
        signed_by: EpochId(4),
        set_hash,
        deadline: U48::from(1_800_000_000),
    };
    let approval_type =
        "EpochApproval(address registry,uint32 operatorSet,uint32 signedBy,bytes32 setHash,uint48 deadline)";
    let struct_hash = hash_words(&[
        keccak256(approval_type),
        registry.into_word(),
        number(U256::from(1)),
        number(U256::from(4)),
        set_hash,
        number(U256::from(1_800_000_000)),
    ]);
    assert_eq!(approval.digest(chain_id), in_domain(registry, struct_hash));

    let [task_id, block] = [B256::repeat_byte(1), B256::repeat_byte(2)];
    let observation = Observation::new(task_id, "price", block, br#"{"usd":"1"}"#);
    let struct_hash = hash_words(&[
        keccak256("Observation(bytes32 taskId,bytes32 source,bytes32 referenceBlock,bytes32 output)"),
        task_id,
        keccak256("price"),
        block,
        keccak256(r#"{"usd":"1"}"#),
    ]);
    assert_eq!(observation.digest(chain_id, task_manager), in_domain(task_manager, struct_hash));

    let challenge = B256::repeat_byte(3);
    let connection = Connection { challenge, operator, gateway: "gateway.example:443".into() };
    let struct_hash = hash_words(&[
        keccak256("Connection(bytes32 challenge,address operator,string gateway)"),
        challenge,
        operator.into_word(),
        keccak256("gateway.example:443"),
    ]);
    assert_eq!(connection.digest(chain_id, task_manager), in_domain(task_manager, struct_hash));
}

#[test]
fn what_is_signed_about_epochs_names_no_chain_but_the_home_chain() {
    let number = |number: u64| B256::from(U256::from(number));
    let (home_registry, content_hash) = (Address::repeat_byte(8), B256::repeat_byte(5));
    let handover = EpochHandover {
        home_chain: U256::from(10),
        home_registry,
        operator_set: OperatorSetId(1),
        signed_by: EpochId(4),
        epoch: EpochId(6),
        committed_at: U48::from(1_799_400_000),
        expires_at: U48::from(1_800_000_000),
        content_hash,
    };
    let in_domain = |struct_words: &[B256]| {
        let domain = [keccak256("EIP712Domain(string name,string version)"), keccak256("Assent"), keccak256("1")];
        let (domain, fields) = (keccak256(domain.concat()), keccak256(struct_words.concat()));
        keccak256([&b"\x19\x01"[..], domain.as_slice(), fields.as_slice()].concat())
    };
    let handover_type = "EpochHandover(uint256 homeChain,address homeRegistry,uint32 operatorSet,uint32 signedBy,\
        uint32 epoch,uint48 committedAt,uint48 expiresAt,bytes32 contentHash)";
    let words = |signed_by: u64| {
        [
            keccak256(handover_type),
            number(10),
            home_registry.into_word(),
            number(1),
            number(signed_by),
            number(6),
            number(1_799_400_000),
            number(1_800_000_000),
            content_hash,
        ]
    };
    assert_eq!(handover.digest(), in_domain(&words(4)));
    assert_eq!(handover.content_digest(), in_domain(&words(0)));

    let revocation = EpochRevocation { home_chain: U256::from(10), home_registry, epoch: EpochId(4) };
    let revocation_type = "EpochRevocation(uint256 homeChain,address homeRegistry,uint32 epoch)";
    let expected = in_domain(&[keccak256(revocation_type), number(10), home_registry.into_word(), number(4)]);
    assert_eq!(revocation.digest(), expected);
}

/// The contracts compute them again: what differs would be signed in vain.
#[test]
fn what_is_signed_about_epochs_is_what_the_contracts_declare() {
    const SIGNATURE: &str = include_str!("../../../contracts/crosschain/EpochSignature.sol");
    const HANDOVER: &str = include_str!("../../../contracts/crosschain/EpochHandover.sol");
    let tag = std::str::from_utf8(EPOCH_HANDOVER_TAG).unwrap();
    assert!(SIGNATURE.contains(&format!("TAG = \"{tag}\";")));
    assert!(SIGNATURE.contains("\"EpochRevocation(uint256 homeChain,address homeRegistry,uint32 epoch)\""));
    // The type string is in two literals.
    assert!(HANDOVER.contains("\"EpochHandover(uint256 homeChain,address homeRegistry,uint32 operatorSet,"));
    assert!(HANDOVER.contains("\"uint48 committedAt,uint48 expiresAt,bytes32 contentHash)\""));
    let domain = [keccak256("EIP712Domain(string name,string version)"), keccak256("Assent"), keccak256("1")];
    let separator = keccak256(domain.concat());
    assert_eq!(epoch_domain().separator(), separator);
    assert!(SIGNATURE.contains(&format!("DOMAIN_SEPARATOR = {separator};")));
}

/// With one tag for two kinds, a signature of one would be a signature of the other.
#[test]
fn every_kind_of_signature_has_its_own_tag() {
    let tags = [
        SIGNATURE_TAG,
        PROOF_OF_POSSESSION_TAG,
        EPOCH_APPROVAL_TAG,
        OBSERVATION_TAG,
        CONNECTION_TAG,
        EPOCH_HANDOVER_TAG,
    ];
    for (index, tag) in tags.iter().enumerate() {
        for other in &tags[index + 1..] {
            assert_ne!(tag, other);
            // A tag that starts with another would leave the rest of it to the message.
            assert!(!tag.starts_with(other) && !other.starts_with(tag));
        }
        // A longer tag is hashed, which a contract would have to do as well.
        assert!(tag.len() <= 255);
    }
}

#[test]
fn bitmaps_name_operators_up_to_2039() {
    let highest = NonSigners::from_indices([2039]).unwrap();
    assert_eq!(highest.as_bytes().len(), 255);
    assert!(highest.indices().eq([2039]));
    assert_eq!(NonSigners::from_indices([2040]), Err(NonSignersError::IndexTooHigh(2040)));
    assert_eq!(NonSigners::from_bytes(&[1; 256]), Err(NonSignersError::TooLong(256)));
    assert_eq!(NonSigners::from_bytes(&[1; 255]).map(|absent| absent.count()), Ok(255));
}

#[test]
fn an_operator_named_twice_as_a_non_signer_is_one_non_signer() {
    let absent = NonSigners::from_indices([9, 3, 9, 3, 3]).unwrap();
    assert_eq!(absent.as_bytes(), [0b1000, 0b10]);
    assert_eq!((absent.count(), absent.is_empty()), (2, false));
    assert!(absent.indices().eq([3, 9]));
    assert_eq!((NonSigners::NONE.count(), NonSigners::NONE.is_empty()), (0, true));
}

#[test]
fn there_is_no_tree_without_leaves_and_no_proof_without_a_leaf() {
    assert!(MerkleTree::new(vec![]).is_none());
    let tree = MerkleTree::new(vec![B256::ZERO]).unwrap();
    assert_eq!(tree.proof(0), Some(MerkleProof::EMPTY));
    assert_eq!(tree.proof(1), None);
}

prop_compose! {
    fn authorizations()(
        fixed: ([u8; 32], [u8; 32], [u8; 32], [[u8; 32]; 3]),
        times in [0..1u64 << 48, 0..1u64 << 48],
        epoch: u32,
        allow: bool,
        absent in prop::collection::vec(0..2040u16, 0..20),
        proof in prop::collection::vec(any::<[u8; 32]>(), 0..=32),
        recorded: bool,
    ) -> Authorization {
        let signature = Signature(fixed.3.concat().try_into().unwrap());
        let direct = QuorumProof::Direct { signature, non_signers: NonSigners::from_indices(absent).unwrap() };
        Authorization {
            task_id: fixed.0.into(),
            nonce: U256::from_be_bytes(fixed.1),
            issued_at: U48::from(times[0]),
            expiration: U48::from(times[1]),
            decision: if allow { Decision::Allow } else { Decision::Deny },
            evidence: fixed.2.into(),
            epoch: EpochId(epoch),
            quorum_proof: if recorded { QuorumProof::Recorded } else { direct },
            merkle_proof: proof.into_iter().map(B256::from).collect::<Vec<_>>().try_into().unwrap(),
        }
    }
}

proptest! {
    /// alloy's implementation of EIP-712, on the structs that `sol!` makes of the Solidity sources.
    #[test]
    fn digests_are_those_that_alloy_makes_of_the_solidity_structs(
        words: [[u8; 32]; 5],
        addresses: [[u8; 20]; 4],
        numbers: [u64; 3],
        decision: u8,
        data: Vec<u8>,
    ) {
        let [task_id, policy_id, nonce, evidence, value] = words.map(B256::from);
        let [policy_client, from, to, task_manager] = addresses.map(Address::from);
        let intent =
            Intent { from, to, value: value.into(), data: data.into(), chainId: U256::from(numbers[0]) };
        let attestation = Attestation {
            taskId: task_id,
            policyId: policy_id,
            policyClient: policy_client,
            nonce: nonce.into(),
            issuedAt: U48::from(numbers[2] >> 16),
            expiration: U48::from(numbers[1] >> 16),
            decision,
            evidence,
            intent,
        };
        prop_assert_eq!(intent_hash(&attestation.intent), attestation.intent.eip712_hash_struct());
        let chain_id = U256::from(numbers[0]);
        let domain = assent_types::digest::domain(chain_id, task_manager);
        let expected = attestation.eip712_signing_hash(&domain);
        prop_assert_eq!(attestation_digest(&attestation, chain_id, task_manager), expected);
        let encoded = (chain_id, task_manager, policy_client, policy_id, evidence, nonce).abi_encode();
        let task = assent_types::digest::task_id(
            chain_id, task_manager, policy_client, policy_id, evidence, nonce.into(),
        );
        prop_assert_eq!(task, keccak256(encoded));
    }

    #[test]
    fn parsing_undoes_encoding(authorization in authorizations()) {
        prop_assert_eq!(Authorization::parse(&authorization.encode()), Ok(authorization));
    }

    /// Whatever parses has one spelling, and nothing panics.
    #[test]
    fn encoding_undoes_parsing(authorization in authorizations(), at: prop::sample::Index, byte: u8, extra: Vec<u8>) {
        let mut bytes = authorization.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.extend(extra);
        if let Ok(parsed) = Authorization::parse(&bytes) {
            prop_assert_eq!(parsed.encode(), bytes);
        }
    }

    #[test]
    fn any_bytes_parse_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..1500)) {
        if let Ok(parsed) = Authorization::parse(&bytes) {
            prop_assert_eq!(parsed.encode(), bytes.clone());
        }
        if let Ok((data, authorization)) = split_trailing(&bytes) {
            prop_assert!(data.len() >= 4);
            prop_assert_eq!(data.len() + authorization.len() + 2, bytes.len());
        }
    }

    #[test]
    fn every_leaf_of_a_tree_proves_its_root(count in 1..70usize) {
        let leaves: Vec<_> = (0..count).map(|leaf| keccak256([u8::try_from(leaf).unwrap()])).collect();
        let tree = MerkleTree::new(leaves.clone()).unwrap();
        for (place, leaf) in leaves.into_iter().enumerate() {
            let proof = tree.proof(place).unwrap();
            prop_assert_eq!(proof.root(leaf), tree.root());
            prop_assert!(count == 1 || proof.root(B256::ZERO) != tree.root());
        }
    }
}

//! Images side by side: the committed ones, and others that are built here as a later version would be.

use alloy_primitives::{Address, B256, U256};
use assent_machine::Image;
use assent_policy::{
    EvaluationError, EvidenceFile, ExecutablePolicy, PolicyFolder, PolicyInput, ReferenceBlock, Replay, UnknownImage,
    evaluate, evaluator, evaluator_with_root, known_images,
};
use assent_types::{Decision, Intent};

/// The committed evaluator with one more instruction (addi zero, zero, 0) at its end: it decides the same, and is
/// another image.
fn later_evaluator() -> Image {
    Image::new(&[evaluator().unwrap().bytes(), &0x0000_0013_u32.to_le_bytes()].concat()).unwrap()
}

/// A program of six instructions that denies everything: `lui a0, 0x3ff0; addi a1, zero, 0; sb a1, 4(a0); addi a1,
/// zero, 1; sw a1, 0(a0); ecall`.
fn strict_evaluator() -> Image {
    let words = [0x03ff_0537, 0x0000_0593, 0x00b5_0223, 0x0010_0593, 0x00b5_2023, 0x0000_0073_u32];
    Image::new(&words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>()).unwrap()
}

/// The evidence of an image that is no longer the current one, as it was written then.
const EARLIER: [&str; 2] = [
    include_str!("images/0xc19b84690d4cb3ab7a3f10b25d0d1ed23d1af8bd76539d7dcad7d3fb29ed9b22.json"),
    include_str!("images/0xb4a4e6e71927351ac8bf45faf9b7f308acddf105ecd3ecf54dca41e7c885df3f.json"),
];

fn policy(image: B256) -> ExecutablePolicy {
    let files = [
        ("policy.json", r#"{"name": "a", "version": "1", "entrypoint": "a", "functions": ["receive()"]}"#),
        ("a.rego", "package a\n\nallow if input.intent.value <= 5\n"),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    PolicyFolder::read(&files.into()).unwrap().policy(image).unwrap()
}

fn input() -> PolicyInput {
    let client = Address::repeat_byte(2);
    PolicyInput {
        intent: Intent {
            from: Address::repeat_byte(1),
            to: client,
            value: U256::from(5),
            data: Default::default(),
            chainId: U256::ONE,
        },
        policy_client: client,
        nonce: U256::from(7),
        block: ReferenceBlock { number: U256::from(9), hash: B256::repeat_byte(3), timestamp: U256::from(8) },
    }
}

/// The evidence of a decision by an image, read back from its text.
fn evidence(image: &Image) -> EvidenceFile {
    let policy = policy(image.root());
    let evaluation = evaluate(image, &policy, &input(), "").unwrap();
    let file = EvidenceFile::new(policy, &input(), String::new(), &evaluation);
    EvidenceFile::parse(file.to_json().as_bytes()).unwrap()
}

#[test]
fn the_same_rules_for_another_image_are_another_policy() {
    let images = [evaluator().unwrap().clone(), later_evaluator(), strict_evaluator()];
    let policies = images.map(|image| policy(image.root()));
    for (index, policy) in policies.iter().enumerate() {
        for other in &policies[index + 1..] {
            assert_eq!((policy.rules(), policy.parameters()), (other.rules(), other.parameters()));
            assert_ne!(policy.id(), other.id());
            assert_ne!(policy.rules_hash(), other.rules_hash());
        }
    }
}

#[test]
fn each_evidence_follows_with_its_own_image_and_no_other() {
    let images = [evaluator().unwrap().clone(), later_evaluator(), strict_evaluator()];
    let files = images.each_ref().map(evidence);
    let decisions = files.each_ref().map(EvidenceFile::claimed_decision);
    assert_eq!(decisions, [Decision::Allow, Decision::Allow, Decision::Deny]);
    for (own, file) in images.iter().zip(&files) {
        for image in &images {
            let replay = file.replay(image);
            if image.root() == own.root() {
                assert!(matches!(replay, Ok(Replay::Follows(_))), "{replay:?}");
            } else {
                let (expected, actual) = (own.root(), image.root());
                assert_eq!(replay, Err(EvaluationError::WrongImage { expected, actual }));
            }
        }
    }
}

#[test]
fn evidence_of_one_image_does_not_follow_under_the_name_of_another() {
    let (old, new) = (evaluator().unwrap(), later_evaluator());
    let text = evidence(old).to_json().replace(&old.root().to_string(), &new.root().to_string());
    let renamed = EvidenceFile::parse(text.as_bytes()).unwrap();
    let replay = renamed.replay(&new).unwrap();
    assert!(matches!(replay, Replay::Differs(assent_policy::ReplayDifference::PolicyId { .. })), "{replay:?}");
}

#[test]
fn an_image_that_this_version_does_not_have_is_named_with_those_that_it_has() {
    let later = later_evaluator().root();
    let error = evaluator_with_root(later).unwrap_err();
    let known: Vec<_> = known_images().collect();
    assert_eq!(error, UnknownImage { root: later, known: known.clone() });
    let known = known.iter().map(B256::to_string).collect::<Vec<_>>().join(", ");
    assert_eq!(error.to_string(), format!("the evaluator's image {later} is unknown; this version has {known}"));
}

#[test]
fn evidence_of_every_earlier_image_follows_with_that_image_and_not_with_the_current_one() {
    let earlier: Vec<_> = EARLIER.iter().map(|text| EvidenceFile::parse(text.as_bytes()).unwrap()).collect();
    let roots = known_images().skip(1).collect::<Vec<_>>();
    assert_eq!(earlier.iter().map(|file| file.policy.image()).collect::<Vec<_>>(), roots, "one of each image");
    let current = evaluator().unwrap();
    for file in &earlier {
        let own = evaluator_with_root(file.policy.image()).unwrap();
        assert!(matches!(file.replay(own), Ok(Replay::Follows(_))), "{}", own.root());
        assert!(matches!(file.replay(current), Err(EvaluationError::WrongImage { .. })));
    }
}

#[test]
fn every_known_image_has_the_root_by_which_it_is_found() {
    let described = include_str!("../image/evaluator.txt");
    let current = known_images().next().unwrap();
    assert!(described.starts_with(&format!("root {current}\n")), "the current image is the one that is built");
    for root in known_images() {
        assert_eq!(evaluator_with_root(root).unwrap().root(), root);
    }
    let mut roots: Vec<_> = known_images().collect();
    roots.sort();
    roots.dedup();
    assert_eq!(roots.len(), known_images().count());
}

use assent_machine::Image;
use assent_policy::{EvaluationError, EvidenceFile, Replay, ReplayDifference};
use assent_types::Decision;
use std::sync::LazyLock;

/// Allows, and copies the first word of the input into its result: `lui a0, 0x3ff0; lui a1, 0x600; lw a2, 4(a1); addi
/// a3, zero, 1; sb a3, 4(a0); sw a2, 8(a0); addi a3, zero, 8; sw a3, 0(a0); ecall`.
pub(crate) static IMAGE: LazyLock<Image> = LazyLock::new(|| {
    let words: [u32; 9] = [
        0x03ff_0537,
        0x0060_05b7,
        0x0045_a603,
        0x0010_0693,
        0x00d5_0223,
        0x00c5_2423,
        0x0080_0693,
        0x00d5_2023,
        0x0000_0073,
    ];
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    Image::new(&bytes).expect("the program fits")
});

/// An evidence file: what is read is written so that the same is read again. A replay says that the decision follows or
/// names a difference, and what follows no longer does when a claim is changed.
pub fn evidence_file(input: &[u8]) {
    let file = match EvidenceFile::parse(input) {
        Ok(file) => file,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let text = file.to_json();
    assert_eq!(EvidenceFile::parse(text.as_bytes()).as_ref(), Ok(&file));
    assert!(file.policy_input().is_err() || file.policy_input().is_ok_and(|input| input.encode() == file.input));
    let roots = file.roots();
    assert!(roots.is_none_or(|roots| roots.policy_id() == file.policy.id()));
    match file.replay(&IMAGE) {
        Err(error) => {
            let expected = file.policy.image();
            let wrong_image = EvaluationError::WrongImage { expected, actual: IMAGE.root() };
            assert_eq!(error == wrong_image, expected != IMAGE.root());
        }
        Ok(Replay::Differs(difference)) => assert!(!difference.to_string().is_empty()),
        Ok(Replay::Follows(evaluation)) => {
            assert_eq!(evaluation.decision, Decision::Allow);
            assert_eq!(roots, Some(evaluation.evidence));
            assert_eq!(roots.map(|roots| roots.hash()), Some(file.evidence));
            refuses_other_claims(&file);
        }
    }
}

fn refuses_other_claims(file: &EvidenceFile) {
    let replay = |change: fn(&mut EvidenceFile)| {
        let mut changed = file.clone();
        change(&mut changed);
        changed.replay(&IMAGE)
    };
    let differs = |result: Result<Replay, _>, is: fn(&ReplayDifference) -> bool| {
        assert!(matches!(&result, Ok(Replay::Differs(difference)) if is(difference)), "{result:?}");
    };
    differs(replay(|file| file.policy_id.0[0] ^= 1), |it| matches!(it, ReplayDifference::PolicyId { .. }));
    differs(replay(|file| file.evidence.0[0] ^= 1), |it| matches!(it, ReplayDifference::Evidence { .. }));
    differs(replay(|file| file.result[0] ^= 1), |it| matches!(it, ReplayDifference::Decision { .. }));
    differs(replay(|file| file.result.push(0)), |it| matches!(it, ReplayDifference::Result { .. }));
    differs(replay(|file| file.data.push(' ')), |it| matches!(it, ReplayDifference::Evidence { .. }));
}

//! The hashes that name rules, policies and evidence, and the opening of an evidence.

use alloy_primitives::{B256, keccak256};
use alloy_sol_types::SolStruct;
use assent_machine::{Region, content_root, initial_state_hash};
use assent_types::Decision;

mod solidity {
    #![allow(missing_docs)]
    #![allow(clippy::all, clippy::as_conversions, clippy::indexing_slicing, clippy::unwrap_used)]
    alloy_sol_types::sol!("Evidence.sol");
    alloy_sol_types::sol! {
        struct Rules {
            bytes32 image;
            bytes32 content;
            uint64 stepLimit;
        }

        struct Policy {
            bytes32 rules;
            bytes32 parameters;
        }
    } // sol!
}

/// The number of siblings of the result region's first leaf.
pub const RESULT_SIBLINGS: usize = 11;

/// What one decision was computed from, and its result: the roots of the machine's regions.
// Complete: the fields are those of the Solidity struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// The evaluator's image.
    pub image: B256,
    /// The rules.
    pub rules: B256,
    /// The most steps that the evaluator may take.
    pub step_limit: u64,
    /// The parameters.
    pub parameters: B256,
    /// The input.
    pub input: B256,
    /// The observations of the policy's sources.
    pub data: B256,
    /// The result.
    pub result: B256,
}

/// The first leaf of the result region, which holds the decision byte, with its siblings from the leaf up.
// Complete: another proof would be another format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultProof {
    /// The region's first 32 bytes.
    pub first_leaf: B256,
    /// The siblings.
    pub siblings: [B256; RESULT_SIBLINGS],
}

/// What an evidence says. It shows what was claimed, not that the decision follows from it.
// Complete: the fields are those of the Solidity struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The hash that the attestation carries.
    pub evidence: B256,
    /// The policy that was evaluated.
    pub policy_id: B256,
    /// The hash of the machine's state before the first step.
    pub initial_state: B256,
    /// The decision.
    pub decision: Decision,
}

/// The leaf and its siblings do not lead to the result's root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the leaf leads to the root {actual}, but the evidence names the result {expected}")]
pub struct WrongResultLeaf {
    /// The root that the evidence names.
    pub expected: B256,
    /// The root that leaf and siblings lead to.
    pub actual: B256,
}

impl Evidence {
    /// Returns the hash that an attestation carries as its evidence.
    pub fn hash(&self) -> B256 {
        let Self { image, rules, step_limit, parameters, input, data, result } = *self;
        solidity::Evidence { image, rules, stepLimit: step_limit, parameters, input, data, result }.eip712_hash_struct()
    }

    /// Returns the hash of the rules: of the image that evaluates them, their region and the step limit.
    pub fn rules_hash(&self) -> B256 {
        rules_hash(self.image, self.rules, self.step_limit)
    }

    /// Returns the id of the policy.
    pub fn policy_id(&self) -> B256 {
        policy_id(self.rules_hash(), self.parameters)
    }

    /// Returns the hash of the machine's state before the first step.
    pub fn initial_state(&self) -> B256 {
        initial_state_hash(self.image, self.rules, self.parameters, self.input, self.data)
    }

    /// Returns what the evidence says, as `PolicyEvidence.open` does on chain.
    ///
    /// # Errors
    ///
    /// [`WrongResultLeaf`] if the proof is not of this evidence's result.
    pub fn open(&self, proof: &ResultProof) -> Result<Opening, WrongResultLeaf> {
        let actual = proof.root();
        if actual != self.result {
            return Err(WrongResultLeaf { expected: self.result, actual });
        }
        Ok(Opening {
            evidence: self.hash(),
            policy_id: self.policy_id(),
            initial_state: self.initial_state(),
            decision: proof.decision(),
        })
    }
}

impl ResultProof {
    /// Returns the proof for the content of a result region. Returns nothing if the content does not fit.
    pub fn new(result: &[u8]) -> Option<Self> {
        let length = u32::try_from(result.len()).ok().filter(|length| *length <= Region::Result.capacity())?;
        let bytes = [&length.to_le_bytes(), result].concat();
        let leaves: Vec<B256> = bytes.chunks(32).map(|chunk| B256::right_padding_from(chunk)).collect();
        let siblings = core::array::from_fn(|height| {
            let width = 1_usize.checked_shl(u32::try_from(height).unwrap_or(u32::MAX)).unwrap_or(usize::MAX);
            subtree_root(leaves.get(width..).unwrap_or_default(), height)
        });
        Some(Self { first_leaf: leaves.first().copied().unwrap_or_default(), siblings })
    }

    /// Returns the root that leaf and siblings lead to.
    pub fn root(&self) -> B256 {
        self.siblings.iter().fold(self.first_leaf, |node, sibling| parent(&node, sibling))
    }

    /// Returns the decision: allow if the decision byte is 1, otherwise deny.
    pub fn decision(&self) -> Decision {
        // The decision byte follows the four bytes of the length.
        if self.first_leaf.get(4) == Some(&1) { Decision::Allow } else { Decision::Deny }
    }
}

/// Returns the hash of rules: of the image that evaluates them, their region's root, and the step limit.
pub(crate) fn rules_hash(image: B256, content: B256, step_limit: u64) -> B256 {
    solidity::Rules { image, content, stepLimit: step_limit }.eip712_hash_struct()
}

/// Returns the id of the policy with these rules and parameters.
pub(crate) fn policy_id(rules: B256, parameters: B256) -> B256 {
    solidity::Policy { rules, parameters }.eip712_hash_struct()
}

/// Returns the root of a region other than the image. Content that does not fit has none.
pub(crate) fn region_root(region: Region, content: &[u8]) -> Option<B256> {
    content_root(region, content)
}

/// Returns the root of the subtree of `height` over the first leaves, with zeros for those that are missing.
fn subtree_root(leaves: &[B256], height: usize) -> B256 {
    let Some(below) = height.checked_sub(1) else { return leaves.first().copied().unwrap_or_default() };
    if leaves.is_empty() {
        // Both halves are the same zeros: a hash for each level, not for each node.
        let half = subtree_root(leaves, below);
        return parent(&half, &half);
    }
    let half = 1_usize.checked_shl(u32::try_from(below).unwrap_or(u32::MAX)).unwrap_or(usize::MAX);
    let left = subtree_root(leaves, below);
    let right = subtree_root(leaves.get(half..).unwrap_or_default(), below);
    parent(&left, &right)
}

fn parent(left: &B256, right: &B256) -> B256 {
    keccak256([left.as_slice(), right.as_slice()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn evidence(result: &[u8]) -> Evidence {
        let [image, rules, parameters, input, data] = [1, 2, 3, 4, 5].map(B256::repeat_byte);
        let result = content_root(Region::Result, result).unwrap();
        Evidence { image, rules, step_limit: 1 << 20, parameters, input, data, result }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_result_is_opened_to_its_decision(
            mut result in prop::collection::vec(any::<u8>(), 1..5_000),
            allowed: bool,
        ) {
            result[0] = u8::from(allowed);
            let proof = ResultProof::new(&result).unwrap();
            let evidence = evidence(&result);
            let opening = evidence.open(&proof).unwrap();
            prop_assert_eq!(opening.decision == Decision::Allow, allowed);
            prop_assert_eq!(opening.evidence, evidence.hash());
        }
    }

    #[test]
    fn an_empty_result_denies() {
        let proof = ResultProof::new(b"").unwrap();
        assert_eq!(evidence(b"").open(&proof).map(|opening| opening.decision), Ok(Decision::Deny));
    }

    #[test]
    fn another_result_does_not_open() {
        let (evidence, proof) = (evidence(&[0, 1]), ResultProof::new(&[1, 1]).unwrap());
        assert_eq!(evidence.open(&proof), Err(WrongResultLeaf { expected: evidence.result, actual: proof.root() }));
    }

    #[test]
    fn every_field_changes_the_hash() {
        let original = evidence(b"");
        let flipped = |byte: u8| B256::repeat_byte(byte);
        let others = [
            Evidence { image: flipped(9), ..original },
            Evidence { rules: flipped(9), ..original },
            Evidence { step_limit: 9, ..original },
            Evidence { parameters: flipped(9), ..original },
            Evidence { input: flipped(9), ..original },
            Evidence { data: flipped(9), ..original },
            Evidence { result: flipped(9), ..original },
        ];
        for other in others {
            assert_ne!(other.hash(), original.hash(), "{other:?}");
        }
        // What is decided about, and the decision, do not change the policy.
        let same = Evidence { input: flipped(9), data: flipped(8), result: flipped(7), ..original };
        assert_eq!(same.policy_id(), original.policy_id());
        for other in &others[..4] {
            assert_ne!(other.policy_id(), original.policy_id(), "{other:?}");
        }
    }
}

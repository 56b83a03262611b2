//! What operators declared when an allowlist admitted them. Nothing verifies it, and no decision depends on it.

use std::collections::BTreeMap;

use alloy::primitives::Address;
use assent_contracts::{EigenLayerStake, OperatorAllowlist, OperatorRegistry};
use assent_verifier::OperatorSetId;

use crate::{at_block::BlockView, error::ChainViewError};

/// The most characters of a declared text that are kept.
const LONGEST: usize = 64;

/// Where and with whom an operator declared to run, as text for people.
///
/// It has at most 64 characters of each, and `…` after those of a longer one. They are letters, digits, spaces and
/// ASCII punctuation; others are replaced by `�`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorDeclaration {
    /// The region.
    pub region: String,
    /// The provider.
    pub provider: String,
}

impl BlockView {
    /// Reads what operators of a set declared, of those that the allowlist of the registry's stake source admitted.
    ///
    /// It is empty if the stake source has no allowlist.
    ///
    /// # Errors
    /// [`ChainViewError::WrongContract`], [`ChainViewError::Node`].
    pub async fn declarations(
        &self,
        operator_set: OperatorSetId,
        operators: impl IntoIterator<Item = Address>,
    ) -> Result<BTreeMap<Address, OperatorDeclaration>, ChainViewError> {
        let mut declarations = BTreeMap::new();
        let Some(allowlist) = self.allowlist().await? else { return Ok(declarations) };
        let contract = OperatorAllowlist::new(allowlist, self.provider());
        for operator in operators {
            let declared = contract.declarationOf(operator_set.into(), operator).block(self.id()).call().await;
            // Another kind of admission need not know declarations.
            let declared = answered(declared, allowlist)?.filter(|declared| !declared.region.is_empty());
            if let Some(declared) = declared {
                let (region, provider) = (readable(&declared.region), readable(&declared.provider));
                declarations.insert(operator, OperatorDeclaration { region, provider });
            }
        }
        Ok(declarations)
    }

    /// Reads who admits operators to the sets of the registry's stake source, if someone does.
    async fn allowlist(&self) -> Result<Option<Address>, ChainViewError> {
        let registry = self.operator_registry().await?;
        let source = OperatorRegistry::new(registry, self.provider()).stakeSource().block(self.id()).call().await;
        // A mirror of another chain's registry has no stake source.
        let Some(source) = answered(source, registry)? else { return Ok(None) };
        // Each stake source with members says so in the same way.
        let admission = EigenLayerStake::new(source, self.provider()).ADMISSION().block(self.id()).call().await;
        Ok(answered(admission, source)?.filter(|admission| !admission.is_zero()))
    }
}

/// Returns a contract's answer, or nothing if it does not answer as such a contract does.
fn answered<T>(result: Result<T, alloy::contract::Error>, address: Address) -> Result<Option<T>, ChainViewError> {
    match result.map_err(|error| ChainViewError::of_call(address, "with members", &error)) {
        Ok(answer) => Ok(Some(answer)),
        Err(ChainViewError::WrongContract { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns a text of the chain, which anyone may have written, as one that can be shown.
fn readable(text: &str) -> String {
    let is_shown =
        |character: char| character.is_alphanumeric() || character == ' ' || character.is_ascii_punctuation();
    let mut characters = text.chars();
    let shown = characters.by_ref().take(LONGEST);
    let mut readable: String =
        shown.map(|character| if is_shown(character) { character } else { char::REPLACEMENT_CHARACTER }).collect();
    if characters.next().is_some() {
        readable.push('…');
    }
    readable
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn hostile_texts_are_short_and_of_ordinary_characters() {
        for (text, expected) in [
            ("eu-central-1 (Zürich)", "eu-central-1 (Zürich)"),
            ("日本", "日本"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
            ("a\u{202e}b\n\u{1b}[31m\0\u{200b}", "a\u{fffd}b\u{fffd}\u{fffd}[31m\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(readable(text), expected);
        }
        assert_eq!(readable(&"é".repeat(64)), "é".repeat(64));
        assert_eq!(readable(&"é".repeat(100_000)), "é".repeat(64) + "…");
    }
}

//! Reductions: how the observations of a source become one value.

use alloc::{collections::BTreeMap, string::String};
use core::fmt;

/// How the operators' answers become one: by one rule, or by a rule for each field of the output.
// Complete: another way would be another evaluator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reduction {
    /// The whole output, by one rule.
    Whole(ReductionRule),
    /// Each field, by its rule. Fields without a rule must be the same.
    Fields(BTreeMap<String, ReductionRule>),
}

/// How values become one.
///
/// The list is complete: another rule would be another evaluator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ReductionRule {
    /// The value that observers of the required weight saw identically.
    #[default]
    Same,
    /// The weighted lower median: the least value that half of the weight does not exceed.
    Median,
    /// The least value that observers of the required weight do not exceed.
    Quorum,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The elements of all arrays.
    Union,
}

impl ReductionRule {
    /// Every rule.
    pub const ALL: [Self; 6] = [Self::Same, Self::Median, Self::Quorum, Self::Min, Self::Max, Self::Union];

    /// Returns the name, as manifests and rules have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Median => "median",
            Self::Quorum => "quorum",
            Self::Min => "min",
            Self::Max => "max",
            Self::Union => "union",
        }
    }

    /// Returns the rule with a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

impl fmt::Display for ReductionRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_found_by_its_name_and_no_other_name_is_one() {
        for rule in ReductionRule::ALL {
            assert_eq!(ReductionRule::from_name(rule.name()), Some(rule));
        }
        for name in ["", "Same", "mean", "quorum "] {
            assert_eq!(ReductionRule::from_name(name), None, "{name}");
        }
    }
}

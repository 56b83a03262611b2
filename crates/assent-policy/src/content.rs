//! Contents of the regions for rules and parameters.

use crate::json::JsonError;
use assent_machine::MAX_STEPS;

/// Rules or parameters cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// They are not what they must be.
    #[error("the {what} are invalid: {error}")]
    Json {
        /// "rules" or "parameters".
        what: &'static str,
        /// The reason.
        error: JsonError,
    },
    /// They are too long.
    #[error("the {what} have {length} bytes in canonical form, more than {max}")]
    TooLong {
        /// "rules" or "parameters".
        what: &'static str,
        /// Their length.
        length: usize,
        /// The greatest length.
        max: usize,
    },
    /// The parameters are not an object; for a conjunction, an array with an object for each policy.
    #[error("the parameters must be {0}")]
    WrongParameters(String),
    /// The step limit is zero or more than 2^28.
    #[error("the step limit {0} is not between 1 and {MAX_STEPS} (2^28)")]
    WrongStepLimit(u64),
}

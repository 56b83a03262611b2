//! Policies that decide whether a call is allowed, and evidence of each decision that anyone can repeat.
//!
//! A policy is rules in Rego with parameters. It is decided by one program, the evaluator, on a deterministic machine
//! (`assent-machine`). The same rules, parameters, input and data give the same decision, reasons and evidence on every
//! computer. An [`EvidenceFile`] holds all of them, and [`EvidenceFile::replay`] tells whether the decision follows.
//!
//! - [`Manifest`] and [`PolicyFolder`]: what an author writes.
//! - [`Conjunction`]: several policies that must all allow.
//! - [`Bundle`]: the built policy, one file that is reproducible to the byte.
//! - [`ExecutablePolicy`]: rules with parameters; its [`id`](ExecutablePolicy::id) is what a client's contract names.
//! - [`check`]: refuses rules that evaluate, but not to what their author means.
//! - [`evaluate`]: the decision about a [`PolicyInput`].
//! - [`Suggestion`]: the narrowest policy that allows recorded calls, with tests.
//!
//! The crate reads no file, clock or network: all that it knows is in its arguments.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

mod builtin;
mod bundle;
mod check;
mod conjunction;
mod content;
mod data;
mod evaluation;
mod evidence;
mod evidence_file;
mod fit;
mod folder;
mod image;
mod input;
mod json;
mod manifest;
mod policy;
mod rules;
mod suggestion;
mod testing;

pub use assent_rules::{
    AbiType, BasisPoints, Function, FunctionError, Parameter, Reduction, ReductionError, ReductionRule, Tolerance,
    ToleranceError,
};
pub use builtin::Builtin;
pub use bundle::{Bundle, BundleError};
pub use check::{Denial, Finding, check, denials, known_builtins};
pub use conjunction::{Conjunction, ConjunctionManifest, Member, MemberManifest, check_conjunction};
pub use content::ContentError;
pub use data::{DataError, Observations, ReducedSources, WithinError};
pub use evaluation::{Evaluation, EvaluationError, EvaluationRun, Reason, evaluate};
pub use evidence::{Evidence, Opening, RESULT_SIBLINGS, ResultProof, WrongResultLeaf};
pub use evidence_file::{EvidenceFile, EvidenceFileError, Replay, ReplayDifference};
pub use fit::FitError;
pub use folder::{BuildError, FolderError, MemberError, PolicyFolder};
pub use image::{UnknownImage, evaluator, evaluator_with_root, known_images};
pub use input::{InputError, PolicyInput, ReferenceBlock};
pub use json::JsonError;
pub use manifest::{Manifest, ManifestError, SourceManifest, is_host};
pub use policy::ExecutablePolicy;
pub use rules::{KeyedSource, Observer, Rules, SingleRules, Source};
pub use suggestion::{NearMiss, SuggestedLimit, Suggestion, SuggestionError, SuggestionOptions};
pub use testing::{
    FileCoverage, TestError, TestOptions, TestOutcome, TestReport, TestResult, run_conjunction_tests, run_tests,
};

/// The most content bytes of rules and of parameters: 64 KiB each.
pub const MAX_CONTENT: usize = 64 * 1024;
/// The most bytes of one source's output: 16 KiB.
pub const MAX_OUTPUT: usize = 16 * 1024;
/// The most bytes of all observations together: 128 KiB.
pub const MAX_DATA: usize = 128 * 1024;
/// The most bytes of a source's component: 32 MiB.
pub const MAX_COMPONENT: usize = 32 * 1024 * 1024;
/// The most bytes of a bundle: 130 MiB.
pub const MAX_BUNDLE: usize = 130 * 1024 * 1024;
/// The most sources of a policy.
pub const MAX_SOURCES: usize = 4;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! What the coverage-guided fuzzer asserts of the verifier and of policies.
//!
//! Each target takes any bytes and panics when a promise does not hold. The fuzzer calls them by `fuzz_targets/`. The
//! test `replay` calls them with every input that is committed in `corpus/`, and with what the fuzzer found
//! (`artifacts/`).

mod authorization;
mod bundle;
mod canonical_json;
mod evidence_file;
#[path = "../../../../crates/assent-verifier/tests/fixture/mod.rs"]
mod fixture;
mod json;
mod machine;
mod machine_seeds;
mod manifest;
mod operator_table;
mod point;
mod points;
mod policy_seeds;
mod revert_data;
pub mod seeds;
mod verification;

pub use authorization::authorization;
pub use bundle::bundle;
pub use canonical_json::canonical_json;
pub use evidence_file::evidence_file;
pub use json::json;
pub use machine::machine;
pub use manifest::manifest;
pub use operator_table::operator_table;
pub use points::points;
pub use revert_data::revert_data;
pub use verification::{outcomes, verification};

//! What `cargo xtask test`, `lint` and `coverage` check.

pub mod components;
mod conformance;
pub mod coverage;
pub mod cross_compilation;
pub mod foundry_fuzz;
pub mod image;
pub mod inspector;
pub mod lint;
pub mod npm_package;
pub mod replay;
pub mod semver;
pub mod slither;
mod sources;
mod storage_layout;
pub mod suite;
mod workspace;

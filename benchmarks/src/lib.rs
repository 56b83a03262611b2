//! What Assent costs: measured, and told in docs/performance.md.
//!
//! Gas comes from forge's snapshots (`snapshots/*.json`), times from the verifier's benchmarks, whose results are kept in
//! `docs/performance/times.json`. From these two alone the page's tables and plots are made, so that a test can tell whether
//! the page is up to date.

pub mod figures;
pub mod gas;
pub mod measure;
pub mod page;
pub mod peers;
pub mod plots;
pub mod tables;
pub mod times;

//! Measures gas and time, and writes docs/performance.md.
//!
//! Gas comes from forge's snapshots (`snapshots/*.json`), times from the verifier's benchmarks, whose results are in
//! `docs/performance/times.json`. The page's tables and plots are made only from these files, so that a test can check
//! whether the page is up to date. Each part of the report is a module in [`sections`].

pub mod gas;
pub mod measure;
pub mod page;
pub mod peers;
pub mod plots;
pub mod section;
pub mod sections;
pub mod tables;
pub mod times;

//! Programs that are installed, started, or both.

pub mod bytecode;
pub mod coverage_guided;
pub mod eigenlayer;
pub mod programs;
pub mod python;
pub mod setup;
pub mod symbiotic;

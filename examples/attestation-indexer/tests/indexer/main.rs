//! The indexer on the embedded chain, which keeps only the latest state and gives no traces, and on anvil, which does
//! both.

mod anvil;
mod embedded;
mod fixture;

//! What the network's programs share. It has options that a file, a flag or a variable sets, the errors about them, and
//! the signal that ends a program.

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod options;
mod signal;

pub use options::{at_least_one, missing, required};
pub use signal::stop_signal;

//! What the network's programs share. It has options that a file, a flag or a variable sets, and the errors about them.
//! It has the signal that ends a program, and traces for OpenTelemetry (feature `traces`).

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod configuration;
mod options;
mod signal;
#[cfg(feature = "traces")]
mod traces;

pub use configuration::read_configuration;
pub use options::{at_least_one, missing, required};
pub use signal::stop_signal;
#[cfg(feature = "traces")]
pub use traces::{OpenSpan, Span, Tracer, check_otlp_endpoint};

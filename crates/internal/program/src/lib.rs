//! What the network's programs share: options, the server of HTTP, and the signal that ends a program.
//!
//! An option is set by a file, a flag or a variable. With the feature `traces` there are traces for OpenTelemetry.

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod configuration;
mod options;
mod secret_url;
#[cfg(feature = "server")]
mod server;
mod shares;
mod signal;
#[cfg(feature = "traces")]
mod traces;

pub use configuration::read_configuration;
pub use options::{at_least_one, missing, required};
pub use secret_url::SecretUrl;
#[cfg(feature = "server")]
pub use server::{ConnectionPermit, Connections, Peer, counted_address, serve};
pub use shares::{Share, Shares, SharesError};
pub use signal::stop_signal;
#[cfg(feature = "traces")]
pub use traces::{Span, Tracer, check_otlp_endpoint};

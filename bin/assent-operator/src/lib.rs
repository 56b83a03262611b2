//! An operator of the decision network: it evaluates policies on the tasks that gateways offer, and signs each decision
//! once.
//!
//! [`start`] runs an operator inside a tokio runtime, as the program `assent-operator` does. Several can run in one
//! process, each with its own key, journal and evidence. `docs/operate.md` is the page for those who run one.
//!
//! - One thread owns the state machine of `assent-network`. Everything that waits or computes is done elsewhere, with
//!   bounds, and its result comes back as an event.
//! - The key signs only in `assent-journal`, after the statement is on disk.
//! - Text that gateways get contains nothing of the operator's configuration.

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod capacity;
mod config;
mod driver;
mod examination;
mod fair_queue;
mod gateway;
mod gateway_address;
mod health;
mod http;
mod inputs;
mod journal;
mod link_sender;
mod log_function;
mod metrics;
mod observing;
mod outstanding;
mod pending_actions;
mod policies;
mod program;
mod run;
mod tls;
mod traces;
mod work;

pub use config::{KeySource, OperatorConfig, OperatorOptions};
pub use gateway_address::{GatewayAddress, InvalidGateway};
pub use journal::open_journal;
pub use log_function::LogFunction;
pub use program::main;
pub use run::{RunningOperator, check, start, start_with_web};

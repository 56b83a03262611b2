//! Runs PolicyData components, which observe the chain and the web for a policy, and records every answer.
//!
//! A component is WebAssembly with the world of `wit/policy-data.wit`. It has no clock, no random numbers and no files.
//! What it returns follows from its request and from the answers of two imports, `chain` and `http`. A [`Recording`] of
//! those repeats the observation offline, to the byte.
//!
//! `docs/policy-data.md` is the page for authors of components.
//!
//! ```no_run
//! # fn example(
//! #     bytes: &[u8],
//! #     request: &assent_policy_data::ObservationRequest,
//! #     world: &assent_policy_data::World,
//! # ) -> Result<(), Box<dyn std::error::Error>> {
//! use assent_policy_data::Host;
//!
//! let host = Host::new()?;
//! let component = host.load(bytes)?;
//! let observation = host.observe(&component, request, world)?;
//! let repeated = host.replay(&component, &observation.recording)?;
//! assert_eq!(observation.output, repeated.output);
//! # Ok(())
//! # }
//! ```

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

pub mod chain;
mod component;
mod error;
pub mod exchange;
pub mod history;
mod host;
pub mod http;
mod imports;
pub mod limits;
mod policy;
mod query;
mod recording;
mod request;
mod state;
mod world;

pub use component::Component;
pub use error::{LoadError, ObserveError, PlaybackError, StartError};
pub use host::Host;
pub use policy::{PolicySource, PolicySources, Senses, SourceError, check_builtin};
pub use recording::{RecordedSource, Recording, SourceRun};
pub use request::{BlockReference, ObservationRequest};
pub use world::World;

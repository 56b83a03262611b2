//! Finds built policies by id, address or URI, in folders, on web servers and in S3, and verifies them.
//!
//! - [`PolicyStore`]: a folder, the URL below which a web server has files, or a bucket of S3.
//!   [`put`](PolicyStore::put) uploads a policy, and [`fetch`](PolicyStore::fetch) finds it by its id.
//! - [`fetch`](fn@fetch): the policy at a URI.
//! - [`fetch_published`]: the first of several publications that is the policy.
//!
//! A policy is the file `<CID>.policy`. The file `<policyId>.cid` has the address of the policy with an id. So a web
//! server without a list of files can be asked for it. Neither file is trusted: a [`FetchedPolicy`] has the id and the
//! address that were asked for. A built conjunction has the rules and components of all its policies.
//!
//! Every function needs a tokio runtime. What reads files or hashes runs where blocking is allowed.

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

mod cid;
mod error;
mod fetched;
mod folder;
mod location;
mod published;
mod store;
mod web;

pub use cid::Cid;
pub use error::StoreError;
pub use fetched::{FetchedPolicy, fetch};
pub use published::{NotPublished, fetch_published};
pub use store::PolicyStore;

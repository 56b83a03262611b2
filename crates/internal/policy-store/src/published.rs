//! Publications of a policy, of which any can be of anything.

use std::{error::Error, fmt};

use alloy_primitives::B256;

use crate::{Cid, FetchedPolicy, PolicyStore, StoreError, location::Location};

/// Returns the first of several publications that is the policy with an id.
///
/// `mirror` is asked instead of the published servers, by the addresses that the URIs end with.
///
/// Warning: anyone can publish any URI, and without a mirror each of these servers is asked, inside networks too. A
/// program that runs unattended should have a store instead.
///
/// # Errors
/// [`NotPublished`] with the reason for each publication.
pub async fn fetch_published(
    uris: &[String],
    policy_id: B256,
    mirror: Option<&PolicyStore>,
) -> Result<FetchedPolicy, NotPublished> {
    let mut failures = Vec::new();
    for uri in uris {
        match fetch_publication(uri, policy_id, mirror).await {
            Ok(policy) => return Ok(policy),
            Err(error) => failures.push((uri.clone(), error)),
        }
    }
    Err(NotPublished { policy_id, failures })
}

async fn fetch_publication(
    uri: &str,
    policy_id: B256,
    mirror: Option<&PolicyStore>,
) -> Result<FetchedPolicy, StoreError> {
    match (mirror, Cid::of_uri(uri), Location::parse(uri)?) {
        (Some(store), Some(cid), _) => store.fetch_address(&cid, Some(policy_id)).await,
        (Some(store), None, _) => Err(StoreError::NoAddress { uri: uri.into(), store: store.to_string() }),
        // A file of another machine.
        (None, _, Location::Path(_)) => Err(StoreError::NotPublic { uri: uri.into() }),
        // A bucket that the publisher chose would see with which account it is asked.
        #[cfg(feature = "s3")]
        (None, _, Location::S3(_)) => Err(StoreError::NotPublic { uri: uri.into() }),
        (None, cid, location) => FetchedPolicy::read(&location, cid.as_ref(), Some(policy_id)).await,
    }
}

/// No publication of a policy is the policy.
#[derive(Debug)]
#[non_exhaustive]
pub struct NotPublished {
    /// The policy's id.
    pub policy_id: B256,
    /// The publications' URIs, each with the reason why it is not the policy. Empty if there was none.
    pub failures: Vec<(String, StoreError)>,
}

impl fmt::Display for NotPublished {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no publication of {} could be fetched:", self.policy_id)?;
        for (uri, error) in &self.failures {
            write!(formatter, "\n{uri}: {error}")?;
            let mut cause = error.source();
            while let Some(reason) = cause {
                write!(formatter, ": {reason}")?;
                cause = reason.source();
            }
        }
        Ok(())
    }
}

impl Error for NotPublished {}

//! Policies that were fetched and verified.

use alloy_primitives::B256;
use assent_policy::{Bundle, MAX_BUNDLE};

use crate::{
    Cid, StoreError,
    location::{Location, blocking},
};

/// A policy that was fetched. It has the id and the address that were asked for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FetchedPolicy {
    /// The policy with its components; of a conjunction those of all its policies.
    pub bundle: Bundle,
    /// The file that it was read from.
    pub bytes: Vec<u8>,
    /// Where it was read from.
    pub uri: String,
}

/// Returns the policy at a URI, which must have the id if one is given.
///
/// If the URI ends with an address, the file must have that address.
///
/// # Errors
/// [`StoreError::NotFound`]; [`StoreError::NotAPolicy`], [`StoreError::WrongAddress`] or [`StoreError::WrongPolicy`] if
/// the file is another; [`StoreError::Io`] and what a server can answer.
pub async fn fetch(uri: &str, policy_id: Option<B256>) -> Result<FetchedPolicy, StoreError> {
    FetchedPolicy::read(&Location::parse(uri)?, Cid::of_uri(uri).as_ref(), policy_id).await
}

impl FetchedPolicy {
    /// Reads a file, and verifies its address and its id if they are given.
    pub(crate) async fn read(
        location: &Location,
        cid: Option<&Cid>,
        policy_id: Option<B256>,
    ) -> Result<Self, StoreError> {
        let bytes = location.read(MAX_BUNDLE).await?;
        let (uri, cid) = (location.uri(), cid.cloned());
        blocking(move || Self::verified(uri, bytes, cid, policy_id)).await
    }

    fn verified(uri: String, bytes: Vec<u8>, cid: Option<Cid>, policy_id: Option<B256>) -> Result<Self, StoreError> {
        if let Some(expected) = cid {
            let actual = Cid::of(&bytes);
            if actual != expected {
                return Err(StoreError::WrongAddress { uri, expected, actual });
            }
        }
        let bundle = match Bundle::parse(&bytes) {
            Ok(bundle) => bundle,
            Err(error) => return Err(StoreError::NotAPolicy { uri, source: Box::new(error) }),
        };
        let actual = bundle.policy().id();
        match policy_id {
            Some(expected) if expected != actual => Err(StoreError::WrongPolicy { uri, expected, actual }),
            _ => Ok(Self { bundle, bytes, uri }),
        }
    }
}

//! Requests to hosts that a policy's manifest names.

mod address;
mod client;
mod permissions;
mod secrets;

pub use client::{WebClient, WebClientError};
pub use permissions::{HostError, Permissions, PermittedRequest};
pub use secrets::{SecretError, Secrets, SecretsFileError};

use crate::exchange::{HttpFailure, HttpResponse};
use std::net::IpAddr;

/// Sends permitted requests.
pub trait HttpClient: Send + Sync {
    /// Sends a request, and follows no redirect. The inner error is an outcome that a component may see.
    ///
    /// # Errors
    /// If the host has an address that is not public.
    fn send(&self, request: &PermittedRequest) -> Result<Result<HttpResponse, HttpFailure>, HttpRefusal>;
}

/// The web of a past block: every request ends the observation, since only a recording has its answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct PastWeb;

impl HttpClient for PastWeb {
    fn send(&self, request: &PermittedRequest) -> Result<Result<HttpResponse, HttpFailure>, HttpRefusal> {
        Err(HttpRefusal::Past { host: request.host().to_owned() })
    }
}

/// Why an HTTP request or its answer is refused. It ends the observation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpRefusal {
    /// The block is a past one, and the answer is not recorded.
    #[error("what {host} would have answered at a past block is not known")]
    Past {
        /// The host, with a port that is not 443.
        host: String,
    },
    /// The source may not use the web.
    #[error("the source sent an HTTP request, but its manifest names no hosts")]
    NoHosts,
    /// The URL is malformed.
    #[error("the URL {url:?} is invalid: {detail}")]
    Url {
        /// The URL.
        url: String,
        /// What is wrong.
        detail: String,
    },
    /// The URL is not one of https.
    #[error("the URL {url:?} is not one of https")]
    NotHttps {
        /// The URL.
        url: String,
    },
    /// The URL names an address in place of a host.
    #[error("the URL names the address {address}; only hosts are permitted, by name")]
    AddressInUrl {
        /// The address.
        address: IpAddr,
    },
    /// The manifest does not name the host.
    #[error("the manifest does not permit the host {host}")]
    HostNotAllowed {
        /// The host, with a port that is not 443.
        host: String,
    },
    /// The host has an address that is not public.
    #[error("{host} has the address {address}, which is not public")]
    AddressNotPublic {
        /// The host.
        host: String,
        /// The first such address.
        address: IpAddr,
    },
    /// A header is not permitted.
    #[error("the header {name:?} is not permitted: {detail}")]
    Header {
        /// The header's name.
        name: String,
        /// Why.
        detail: &'static str,
    },
    /// The host redirects to another host.
    #[error("{host} redirects to {location:?}; redirects to other hosts are refused")]
    Redirect {
        /// The host of the request.
        host: String,
        /// The target.
        location: String,
    },
    /// A name of a secret is malformed.
    #[error("{{{{secret:NAME}}}} is malformed in the header {header:?}: a name has A-Z, 0-9 and _")]
    MalformedSecret {
        /// The header's name.
        header: String,
    },
    /// A secret is named outside of the headers' values.
    #[error("a secret is named in the {part}; it may be only in a header's value")]
    SecretOutsideHeader {
        /// URL or body.
        part: &'static str,
    },
    /// The operator has no such secret.
    #[error("the operator has no secret {name}")]
    UnknownSecret {
        /// The secret's name.
        name: String,
    },
    /// The secret is bound to another host or policy.
    #[error("the operator did not bind the secret {name} to the host {host} and this policy")]
    SecretNotBound {
        /// The secret's name.
        name: String,
        /// The host of the request.
        host: String,
    },
    /// The answer echoes a secret.
    #[error("the answer of {host} contains the secret {name}; it is not recorded")]
    SecretEchoed {
        /// The secret's name.
        name: String,
        /// The host of the request.
        host: String,
    },
}

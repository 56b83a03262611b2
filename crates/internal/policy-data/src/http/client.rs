//! The client for the web.

#[cfg(test)]
mod tests;

use super::{HttpClient, HttpRefusal, PermittedRequest, address::is_public};
use crate::{
    exchange::{HttpFailure, HttpHeader, HttpMethod, HttpResponse},
    limits,
};
use reqwest::{
    Client, Method, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, SET_COOKIE},
    redirect::Policy,
};
use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use tokio::{net::lookup_host, runtime::Handle, time::timeout};

/// A client that connects only to public addresses, and follows no redirect.
///
/// Names are resolved once for a connection, and the connection is made to the addresses that were checked.
///
/// [`send`](HttpClient::send) blocks its thread.
/// In an asynchronous program, call it from `tokio::task::spawn_blocking`.
#[derive(Debug, Clone)]
pub struct WebClient {
    client: Client,
    runtime: Handle,
}

/// Why there is no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot make an HTTP client: {detail}")]
#[non_exhaustive]
pub struct WebClientError {
    /// The library's words.
    pub detail: String,
}

impl WebClient {
    /// Returns a client, whose requests a tokio runtime sends.
    ///
    /// # Errors
    /// If the system has no root certificates.
    pub fn new(runtime: Handle) -> Result<Self, WebClientError> {
        Self::build(runtime, Resolver::System, Client::builder())
    }

    fn build(runtime: Handle, resolver: Resolver, builder: reqwest::ClientBuilder) -> Result<Self, WebClientError> {
        let client = builder
            .https_only(true)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .dns_resolver(CheckedResolver(Arc::new(resolver)))
            .timeout(limits::ANSWER_TIME)
            .user_agent("assent-policy-data/1")
            .build();
        let client = client.map_err(|error| WebClientError { detail: chain(&error) })?;
        Ok(Self { client, runtime })
    }
}

impl HttpClient for WebClient {
    fn send(&self, request: &PermittedRequest) -> Result<Result<HttpResponse, HttpFailure>, HttpRefusal> {
        let exchange = exchange(&self.client, request);
        let outcome = self.runtime.block_on(async { timeout(limits::ANSWER_TIME, exchange).await });
        match outcome {
            Ok(Ok(response)) => Ok(Ok(response)),
            Ok(Err(Ending::Failure(failure))) => Ok(Err(failure)),
            Ok(Err(Ending::NotPublic(NotPublic { address }))) => {
                Err(HttpRefusal::AddressNotPublic { host: request.host().to_owned(), address })
            }
            Err(_elapsed) => Ok(Err(HttpFailure::Timeout)),
        }
    }
}

enum Ending {
    Failure(HttpFailure),
    NotPublic(NotPublic),
}

/// An address that is not public.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the address {address} is not public")]
struct NotPublic {
    address: IpAddr,
}

async fn exchange(client: &Client, request: &PermittedRequest) -> Result<HttpResponse, Ending> {
    let method = match request.method() {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
    };
    let mut building = client.request(method, request.url().clone()).header(ACCEPT_ENCODING, "identity");
    for (name, value) in request.headers() {
        let Ok(mut value) = HeaderValue::from_str(value) else { return Err(Ending::Failure(HttpFailure::Unreachable)) };
        value.set_sensitive(true);
        building = building.header(name, value);
    }
    if let Some(body) = request.body() {
        building = building.body(body.to_owned());
    }
    let mut response = building.send().await?;
    let status = response.status().as_u16();
    let headers = text_of(response.headers());
    let length = headers.iter().map(|header| header.name.len() + header.value.len()).fold(0, usize::saturating_add);
    let body = read_body(&mut response, limits::ANSWER_BYTES.saturating_sub(length)).await?;
    let body = String::from_utf8(body).map_err(|_invalid| Ending::Failure(HttpFailure::NotText))?;
    Ok(HttpResponse { status, headers, body })
}

/// Returns the headers of an answer, sorted. Cookies are left out: no later request would carry them.
fn text_of(headers: &HeaderMap) -> Vec<HttpHeader> {
    let text = |(name, value): (&reqwest::header::HeaderName, &HeaderValue)| {
        let value = value.to_str().ok()?;
        Some(HttpHeader { name: name.as_str().to_owned(), value: value.to_owned() })
    };
    let mut headers: Vec<_> = headers.iter().filter(|(name, _)| *name != SET_COOKIE).filter_map(text).collect();
    headers.sort();
    headers
}

async fn read_body(response: &mut Response, most: usize) -> Result<Vec<u8>, Ending> {
    let mut body = vec![];
    while let Some(chunk) = response.chunk().await? {
        if body.len().saturating_add(chunk.len()) > most {
            return Err(Ending::Failure(HttpFailure::TooLarge));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl From<reqwest::Error> for Ending {
    fn from(error: reqwest::Error) -> Self {
        let mut source: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(cause) = source {
            if let Some(not_public) = cause.downcast_ref::<NotPublic>() {
                return Self::NotPublic(*not_public);
            }
            source = cause.source();
        }
        Self::Failure(if error.is_timeout() { HttpFailure::Timeout } else { HttpFailure::Unreachable })
    }
}

/// Resolves names, and fails if any of the addresses is not public.
#[derive(Debug, Clone)]
struct CheckedResolver(Arc<Resolver>);

#[derive(Debug)]
enum Resolver {
    /// The system's.
    System,
    /// Fixed addresses, of which those of the server in a test count as public.
    #[cfg(test)]
    Fixed { addresses: std::collections::BTreeMap<String, Vec<SocketAddr>>, server: Option<SocketAddr> },
}

impl Resolve for CheckedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = Arc::clone(&self.0);
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str()).await?;
            if let Some(address) = addresses.iter().find(|address| !resolver.is_permitted(address)) {
                return Err(NotPublic { address: address.ip() }.into());
            }
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}

impl Resolver {
    async fn addresses(&self, name: &str) -> std::io::Result<Vec<SocketAddr>> {
        match self {
            // The URL's port takes the place of 0.
            Self::System => Ok(lookup_host((name, 0)).await?.collect()),
            #[cfg(test)]
            Self::Fixed { addresses, .. } => Ok(addresses.get(name).cloned().unwrap_or_default()),
        }
    }

    fn is_permitted(&self, address: &SocketAddr) -> bool {
        match self {
            Self::System => is_public(address.ip()),
            #[cfg(test)]
            Self::Fixed { server, .. } => is_public(address.ip()) || *server == Some(*address),
        }
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

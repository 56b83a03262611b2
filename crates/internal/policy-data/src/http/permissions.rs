//! What a source may send, and where.

use super::{
    HttpRefusal,
    secrets::{Missing, Secrets, is_name},
};
use crate::exchange::{HttpHeader, HttpMethod, HttpRequest, HttpResponse};
use alloy_primitives::B256;
use std::{fmt, net::IpAddr, sync::Arc};
use url::{Host, Url};
use zeroize::Zeroizing;

const HTTPS_PORT: u16 = 443;
const PLACEHOLDER: &str = "{{secret:";
const PLACEHOLDER_END: &str = "}}";

/// Headers that belong to the connection, which the client makes.
const CONNECTION_HEADERS: [&str; 12] = [
    "accept-encoding",
    "connection",
    "content-length",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
];

/// The hosts of a source, and the secrets of its policy.
#[derive(Debug)]
pub struct Permissions {
    hosts: Vec<AllowedHost>,
    policy_id: B256,
    secrets: Arc<Secrets>,
}

#[derive(Debug, PartialEq, Eq)]
struct AllowedHost {
    name: String,
    port: u16,
}

/// A host in a manifest that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{host:?} is not a host: write a DNS name in lower case, such as api.example or api.example:8443")]
#[non_exhaustive]
pub struct HostError {
    /// The host.
    pub host: String,
}

/// A request that is permitted, with secrets' values in place of their names.
///
/// Only [`Permissions`] makes one.
pub struct PermittedRequest {
    method: HttpMethod,
    url: Url,
    host: String,
    headers: Vec<(String, Zeroizing<String>)>,
    body: Option<String>,
}

impl Permissions {
    /// Returns permissions for the hosts that a policy's manifest names.
    ///
    /// # Errors
    /// If a host is not a DNS name in lower case, with a port that is not 443 or none.
    pub fn new<'a>(
        hosts: impl IntoIterator<Item = &'a str>,
        policy_id: B256,
        secrets: Arc<Secrets>,
    ) -> Result<Self, HostError> {
        let hosts = hosts.into_iter().map(AllowedHost::parse).collect::<Result<_, _>>()?;
        Ok(Self { hosts, policy_id, secrets })
    }

    /// Permits a request, and puts secrets in place of their names.
    ///
    /// # Errors
    /// If the manifest does not permit the request, or the operator does not permit a secret.
    pub fn permit(&self, request: &HttpRequest) -> Result<PermittedRequest, HttpRefusal> {
        if request.url.contains(PLACEHOLDER) {
            return Err(HttpRefusal::SecretOutsideHeader { part: "URL" });
        }
        if request.body.as_ref().is_some_and(|body| body.contains(PLACEHOLDER)) {
            return Err(HttpRefusal::SecretOutsideHeader { part: "body" });
        }
        let url = parse_url(&request.url)?;
        let host = AllowedHost::of(&url)?;
        if !self.hosts.contains(&host) {
            return Err(HttpRefusal::HostNotAllowed { host: host.to_string() });
        }
        let host = host.to_string();
        let headers = request.headers.iter().map(|header| self.permit_header(header, &host));
        let headers = headers.collect::<Result<_, _>>()?;
        Ok(PermittedRequest { method: request.method, url, host, headers, body: request.body.clone() })
    }

    /// Checks that an answer redirects to no other host, and echoes no secret.
    ///
    /// # Errors
    /// If it does.
    pub fn check_response(&self, request: &PermittedRequest, response: &HttpResponse) -> Result<(), HttpRefusal> {
        let headers = response.headers.iter().flat_map(|header| [&header.name, &header.value]);
        for text in headers.chain([&response.body]) {
            if let Some(name) = self.secrets.find(text, self.policy_id) {
                return Err(HttpRefusal::SecretEchoed { name: name.to_owned(), host: request.host.clone() });
            }
        }
        if !(300..400).contains(&response.status) {
            return Ok(());
        }
        let locations = response.headers.iter().filter(|header| header.name == "location");
        for HttpHeader { value, .. } in locations {
            let target = request.url.join(value).ok();
            let is_same = target.as_ref().is_some_and(|target| target.origin() == request.url.origin());
            if !is_same {
                return Err(HttpRefusal::Redirect { host: request.host.clone(), location: value.clone() });
            }
        }
        Ok(())
    }

    fn permit_header(&self, header: &HttpHeader, host: &str) -> Result<(String, Zeroizing<String>), HttpRefusal> {
        let HttpHeader { name, value } = header;
        let refused = |detail| Err(HttpRefusal::Header { name: name.clone(), detail });
        let is_lower_token =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_lower_token) {
            return refused("a name has lower-case letters, digits and hyphens");
        }
        if CONNECTION_HEADERS.contains(&name.as_str()) || name.starts_with("proxy-") {
            return refused("it belongs to the connection");
        }
        if !value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return refused("a value has visible ASCII characters and spaces");
        }
        Ok((name.clone(), self.with_secrets(header, host)?))
    }

    fn with_secrets(&self, header: &HttpHeader, host: &str) -> Result<Zeroizing<String>, HttpRefusal> {
        let mut rest = header.value.as_str();
        let mut value = Zeroizing::new(String::new());
        while let Some((before, after)) = rest.split_once(PLACEHOLDER) {
            let named = after.split_once(PLACEHOLDER_END).filter(|(name, _)| is_name(name));
            let Some((name, after)) = named else {
                return Err(HttpRefusal::MalformedSecret { header: header.name.clone() });
            };
            let secret = self.secrets.get(name, host, self.policy_id).map_err(|missing| match missing {
                Missing::Unknown => HttpRefusal::UnknownSecret { name: name.to_owned() },
                Missing::NotBound => HttpRefusal::SecretNotBound { name: name.to_owned(), host: host.to_owned() },
            })?;
            value.push_str(before);
            value.push_str(secret);
            rest = after;
        }
        value.push_str(rest);
        Ok(value)
    }
}

impl PermittedRequest {
    /// Returns the method.
    pub const fn method(&self) -> HttpMethod {
        self.method
    }

    /// Returns the URL.
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the host, with a port that is not 443.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the headers. Warning: their values may contain secrets.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the body.
    pub fn body(&self) -> Option<&str> {
        self.body.as_deref()
    }
}

/// Leaves out headers, which may contain secrets.
impl fmt::Debug for PermittedRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("PermittedRequest").field("method", &self.method).field("url", &self.url.as_str()).finish()
    }
}

impl AllowedHost {
    /// Parses a host as the manifest has it, by the manifest's grammar.
    fn parse(text: &str) -> Result<Self, HostError> {
        let error = || HostError { host: text.to_owned() };
        if !assent_policy::is_host(text) {
            return Err(error());
        }
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, port.parse().map_err(|_malformed| error())?),
            None => (text, HTTPS_PORT),
        };
        Ok(Self { name: name.to_owned(), port })
    }

    fn of(url: &Url) -> Result<Self, HttpRefusal> {
        let name = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => return Err(HttpRefusal::AddressInUrl { address: IpAddr::V4(address) }),
            Some(Host::Ipv6(address)) => return Err(HttpRefusal::AddressInUrl { address: IpAddr::V6(address) }),
            None => return Err(HttpRefusal::Url { url: url.to_string(), detail: "it has no host".to_owned() }),
        };
        Ok(Self { name, port: url.port().unwrap_or(HTTPS_PORT) })
    }
}

impl fmt::Display for AllowedHost {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name)?;
        if self.port == HTTPS_PORT { Ok(()) } else { write!(out, ":{}", self.port) }
    }
}

fn parse_url(text: &str) -> Result<Url, HttpRefusal> {
    let invalid = |detail: &str| HttpRefusal::Url { url: text.to_owned(), detail: detail.to_owned() };
    let url = Url::parse(text).map_err(|error| invalid(&error.to_string()))?;
    if url.scheme() != "https" {
        return Err(HttpRefusal::NotHttps { url: text.to_owned() });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("it has a user"));
    }
    if url.fragment().is_some() {
        return Err(invalid("it has a fragment"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::Permissions;
    use alloy_primitives::B256;
    use std::sync::Arc;

    fn is_host(host: &str) -> bool {
        Permissions::new([host], B256::ZERO, Arc::default()).is_ok()
    }

    /// What a URL is parsed to is compared with what the manifest has.
    #[test]
    fn a_url_of_a_host_is_of_that_host() {
        for host in ["api.example", "a-b.c.example", "api.example:8443", "xn--bcher-kva.example", "1.example:1"] {
            let url = super::parse_url(&format!("https://{host}/")).unwrap();
            let parsed = super::AllowedHost::parse(host).unwrap();
            assert_eq!(super::AllowedHost::of(&url).unwrap(), parsed);
            assert_eq!(parsed.to_string(), host);
        }
    }

    #[test]
    fn hosts_have_one_spelling() {
        for host in ["api.example", "a-b.c.example", "api.example:8443", "xn--bcher-kva.example"] {
            assert!(is_host(host), "{host}");
        }
        for host in [
            "",
            "localhost",
            "API.example",
            "api.example.",
            "api.example:443",
            "api.example:0443",
            "api.example/",
            "*.example",
            "https://api.example",
            "user@api.example",
            "api.example/path",
            "api.example?x",
            "bücher.example",
            "1.2.3.4",
            "169.254.169.254",
            "0x7f.1",
            "2130706433",
            "[::1]",
            "api.example ",
            "api.example:99999",
            ".example",
            "a..b",
            "a_b.example",
            "-a.example",
            "api.example:",
            "api.example:0",
            "api.example:+8443",
            "api.example:8443:1",
            "api.1example",
        ] {
            assert!(!is_host(host), "{host}");
        }
    }
}

//! What every connection shares, and what is known of one.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use assent_program::Shares;
use tokio::sync::watch;

use crate::{callers::Callers, links::LinkLimits, page::GatewayPage, rate::RateLimiter, service::Service};

/// The state of every request.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) service: Arc<Service>,
    pub(crate) callers: Arc<Callers>,
    pub(crate) limiter: Arc<RateLimiter>,
    pub(crate) origins: Arc<[String]>,
    /// The page, if it is served.
    pub(crate) page: Option<Arc<GatewayPage>>,
    /// The `host:port` under which operators dial the gateway.
    pub(crate) names: Arc<BTreeSet<String>>,
    /// The WebSockets of callers, by address.
    pub(crate) sockets: Shares<IpAddr>,
    /// The connections of operators.
    pub(crate) links: LinkLimits,
    /// Whether the gateway stops.
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Api {
    /// Returns whether pages of an origin may ask.
    pub(crate) fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| allowed == "*" || allowed == origin)
    }

    /// Returns whether an origin is that of the gateway's own page, as a request names its host.
    pub(crate) fn is_own(&self, origin: &str, host: &str) -> bool {
        self.page.is_some() && is_own(origin, host, &self.names)
    }
}

/// Returns whether an origin is a host's, and the host this gateway.
///
/// Every name can be made to lead here (DNS rebinding): a page of such a name has the same origin, and is another's.
fn is_own(origin: &str, host: &str, names: &BTreeSet<String>) -> bool {
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let name = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    let is_known = |known: &String| known == host || known.rsplit_once(':').is_some_and(|(known, _)| known == host);
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let is_here = name == "localhost" || address.parse::<IpAddr>().is_ok() || names.iter().any(is_known);
    authority == Some(host) && is_here
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_gateways_own_page_has_its_origin() {
        let names = BTreeSet::from(["gateway.example:443".to_owned()]);
        for (origin, host) in [
            ("http://127.0.0.1:8787", "127.0.0.1:8787"),
            ("http://localhost:8787", "localhost:8787"),
            ("http://[::1]:8787", "[::1]:8787"),
            ("https://192.0.2.1", "192.0.2.1"),
            ("https://gateway.example", "gateway.example"),
            ("https://gateway.example:443", "gateway.example:443"),
        ] {
            assert!(is_own(origin, host, &names), "{origin} {host}");
        }
        for (origin, host) in [
            ("http://127.0.0.1:8788", "127.0.0.1:8787"),
            ("http://rebound.example:8787", "rebound.example:8787"),
            ("http://rebound.example:8787", "127.0.0.1:8787"),
            ("https://gateway.example:8443", "gateway.example:8443"),
            ("https://other.gateway.example", "other.gateway.example"),
            ("null", "127.0.0.1:8787"),
            ("", ""),
            ("http://", ""),
        ] {
            assert!(!is_own(origin, host, &names), "{origin} {host}");
        }
    }
}

//! Who calls: the name of a token, or an address.

use std::{net::IpAddr, sync::Arc};

use alloy_primitives::hex;
use assent_program::counted_address;
use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::config::ApiToken;

/// The subprotocol of callers' WebSockets.
pub(crate) const PROTOCOL: &str = "assent";
/// The subprotocol that carries a token, in hex. It is never chosen.
const TOKEN_PROTOCOL: &str = "assent.token.";

/// How callers are told apart.
pub(crate) struct Callers {
    tokens: Vec<ApiToken>,
    trust_forwarded_for: bool,
}

impl Callers {
    pub(crate) fn new(tokens: Vec<ApiToken>, trust_forwarded_for: bool) -> Self {
        Self { tokens, trust_forwarded_for }
    }

    /// Returns the caller of a request; nothing if it needs a token and has none that is known.
    pub(crate) fn identify(&self, headers: &HeaderMap, peer: IpAddr) -> Option<Arc<str>> {
        if self.tokens.is_empty() {
            return Some(address(self.origin(headers, peer)).into());
        }
        let token = match headers.get(header::AUTHORIZATION) {
            Some(value) => bearer(value.as_bytes())?.to_vec(),
            None => of_subprotocols(headers)?,
        };
        // What is compared is a hash, and each is: the time says nothing about a token.
        let hash: [u8; 32] = Sha256::digest(token).into();
        let mut found = None;
        for token in &self.tokens {
            if bool::from(token.hash.ct_eq(&hash)) {
                found = Some(token.name.as_str().into());
            }
        }
        found
    }

    /// Returns by which name an operator's connections are counted, apart from callers'.
    pub(crate) fn dialler(&self, headers: &HeaderMap, peer: IpAddr) -> String {
        format!("operator at {}", address(self.origin(headers, peer)))
    }

    /// Returns the address from which a request comes: the proxy's word for it, if there is a proxy.
    pub(crate) fn origin(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        if !self.trust_forwarded_for {
            return peer;
        }
        // The last entry is the proxy's own; the others are what the caller claims.
        let last = headers.get_all("x-forwarded-for").iter().next_back();
        let last = last.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
        last.unwrap_or(peer)
    }

    /// Returns whether connections come from a proxy, so that their addresses are not the callers'.
    pub(crate) const fn are_behind_a_proxy(&self) -> bool {
        self.trust_forwarded_for
    }
}

fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

/// Returns the token among the subprotocols of a WebSocket, in hex: browsers let a page set no other header.
fn of_subprotocols(headers: &HeaderMap) -> Option<Vec<u8>> {
    let protocols = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|value| value.to_str().ok());
    let token = protocols.flat_map(|value| value.split(',')).find_map(|name| name.trim().strip_prefix(TOKEN_PROTOCOL));
    hex::decode(token?).ok()
}

/// Returns the name of a caller that is known by its address.
fn address(address: IpAddr) -> String {
    match counted_address(address) {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(network) => format!("{network}/64"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(axum::http::HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn a_token_names_its_caller_and_others_are_refused() {
        let hash = Sha256::digest(b"secret").into();
        let callers = Callers::new(vec![ApiToken { name: "alice".into(), hash }], false);
        let peer: IpAddr = "192.0.2.1".parse().unwrap();
        let identify = |value| callers.identify(&headers("authorization", value), peer);
        assert_eq!(identify("Bearer secret").as_deref(), Some("alice"));
        assert_eq!(identify("bearer secret").as_deref(), Some("alice"));
        for other in ["Bearer secre", "Bearer secret ", "Bearer ", "Basic secret", "secret"] {
            assert_eq!(identify(other), None, "{other}");
        }
        assert_eq!(callers.identify(&HeaderMap::new(), peer), None);
        let identify = |value| callers.identify(&headers("sec-websocket-protocol", value), peer);
        assert_eq!(identify("assent, assent.token.736563726574").as_deref(), Some("alice"));
        for other in ["assent", "assent.token.", "assent.token.7365637265", "assent.token.secret", "736563726574"] {
            assert_eq!(identify(other), None, "{other}");
        }
    }

    #[test]
    fn without_tokens_a_caller_is_its_address() {
        let callers = Callers::new(Vec::new(), false);
        let identify = |peer: &str| callers.identify(&HeaderMap::new(), peer.parse().unwrap()).unwrap().to_string();
        assert_eq!(identify("192.0.2.1"), "192.0.2.1");
        assert_eq!(identify("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(identify("2001:db8:1:2:3:4:5:6"), identify("2001:db8:1:2::9"));
        let forged = headers("x-forwarded-for", "198.51.100.7");
        assert_eq!(&*callers.identify(&forged, "192.0.2.1".parse().unwrap()).unwrap(), "192.0.2.1");
        let behind_a_proxy = Callers::new(Vec::new(), true);
        let forwarded = headers("x-forwarded-for", "203.0.113.9, 198.51.100.7");
        assert_eq!(&*behind_a_proxy.identify(&forwarded, "192.0.2.1".parse().unwrap()).unwrap(), "198.51.100.7");
    }
}

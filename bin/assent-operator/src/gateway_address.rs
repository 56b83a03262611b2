//! Where an operator connects to.

use std::{fmt, str::FromStr};

use url::Url;

/// A gateway to which an operator connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayAddress {
    pub(crate) url: Url,
    /// The `host:port` that is dialled, and signed.
    name: String,
}

/// A text is not the URL of a gateway.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the URL of a gateway; give one such as wss://gateway.example/operators")]
pub struct InvalidGateway(pub String);

impl FromStr for GatewayAddress {
    type Err = InvalidGateway;

    fn from_str(text: &str) -> Result<Self, InvalidGateway> {
        let invalid = || InvalidGateway(text.to_owned());
        let url: Url = text.parse().map_err(|_| invalid())?;
        let default_port = match url.scheme() {
            "ws" => 80,
            "wss" => 443,
            _ => return Err(invalid()),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(invalid)?;
        let name = format!("{host}:{}", url.port().unwrap_or(default_port));
        Ok(Self { url, name })
    }
}

impl GatewayAddress {
    /// Returns the `host:port` that the operator dials and signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what may be wrong with the URL if the gateway does not accept the operator.
    pub(crate) fn hint(&self) -> &'static str {
        match self.url.path() {
            "" | "/" => "; its URL has no path, and gateways serve operators at /operators",
            _ => "",
        }
    }
}

impl fmt::Display for GatewayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

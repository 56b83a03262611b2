//! Where the stream is.

use std::path::PathBuf;

/// Where the log's stream is, and how it is kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NatsOptions {
    /// The servers of one cluster, as `nats://host:4222` or `tls://host:4222`. A name and a password or a token may
    /// precede the host, with `%3A` for `:` and so on.
    pub servers: Vec<String>,
    /// The stream's name: letters, digits, `-` and `_`. Gateways with the same name share the log.
    pub stream: String,
    /// On how many servers of the cluster each message is kept: 1, 3 or 5.
    pub replicas: usize,
    /// The most bytes of the stream; without it, the server's limit holds.
    pub max_bytes: Option<u64>,
    /// The file with the gateway's credentials: a `.creds` file, or the seed of an nkey. Only its owner may read it.
    pub credentials: Option<PathBuf>,
    /// Certificates of authorities to trust, in PEM. Without it, those of the system.
    pub root_certificates: Option<PathBuf>,
    /// The certificate and the key with which the gateway proves who it is, in PEM.
    pub client_certificate: Option<(PathBuf, PathBuf)>,
}

impl NatsOptions {
    /// Creates options for the stream `assent-tasks` with one replica.
    pub fn new(servers: impl IntoIterator<Item = String>) -> Self {
        Self {
            servers: servers.into_iter().collect(),
            stream: "assent-tasks".to_owned(),
            replicas: 1,
            max_bytes: None,
            credentials: None,
            root_certificates: None,
            client_certificate: None,
        }
    }
}

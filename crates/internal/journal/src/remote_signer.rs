//! A signer in another process, asked over HTTP.
//!
//! docs/operators/journal.md specifies the requests. [`answer`] is the other side.

mod message;
mod service;

use core::fmt;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, U256};
use assent_verifier::backend::{blst::Blst, verify_signature};
use assent_verifier::digest::{CONNECTION_TAG, EPOCH_HANDOVER_TAG, OBSERVATION_TAG, SIGNATURE_TAG};
use assent_verifier::{Connection, PublicKey, Signature};
use serde::de::DeserializeOwned;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, http};

use self::message::{Failed, Keys, Request, Signed};
use crate::signer::{Recorded, Signer, SignerError};

pub use self::service::{Answer, answer};

/// The longest answer that is read, in bytes. A signature has 194 characters.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Where a remote signer is, and which key it signs with.
#[derive(Clone)]
pub struct RemoteSignerOptions {
    url: String,
    public_key: PublicKey,
    timeout: Duration,
    root_certificates: Option<Vec<u8>>,
    identity: Option<Vec<u8>>,
}

impl RemoteSignerOptions {
    /// Returns options for a key of the signer at `url`, with a timeout of five seconds.
    ///
    /// The scheme is `https`, or `http` on this machine: anyone who can ask the signer can have it sign.
    pub fn new(url: impl Into<String>, public_key: PublicKey) -> Self {
        let timeout = Duration::from_secs(5);
        Self { url: url.into(), public_key, timeout, root_certificates: None, identity: None }
    }

    /// Sets how long an answer may take.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Trusts these certificates (PEM) instead of those of Mozilla.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(pem.into());
        self
    }

    /// Sets the client's certificates and key (PEM, one after another), by which the signer knows this operator.
    #[must_use]
    pub fn identity(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.identity = Some(pem.into());
        self
    }
}

impl fmt::Debug for RemoteSignerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSignerOptions").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A key that another process holds. Its answers are verified.
///
/// ```no_run
/// # fn example(public_key: assent_verifier::PublicKey) -> Result<(), Box<dyn std::error::Error>> {
/// use assent_journal::{Journal, JournalOptions, RemoteSigner, RemoteSignerOptions};
///
/// let signer = RemoteSigner::connect(RemoteSignerOptions::new("http://127.0.0.1:9000", public_key))?;
/// let journal = Journal::open(&JournalOptions::new("journal.redb", "operator.marker"), signer)?;
/// # Ok(())
/// # }
/// ```
pub struct RemoteSigner {
    agent: Agent,
    url: String,
    public_key: PublicKey,
}

impl RemoteSigner {
    /// Asks the signer whether it holds the key.
    ///
    /// # Errors
    /// [`SignerError::Configuration`], [`SignerError::Unreachable`], [`SignerError::UnknownKey`],
    /// [`SignerError::Refused`].
    pub fn connect(options: RemoteSignerOptions) -> Result<Self, SignerError> {
        let url = options.url.trim_end_matches('/').to_owned();
        require_private_address(&url)?;
        let config = Agent::config_builder()
            .tls_config(tls(&options)?)
            .timeout_global(Some(options.timeout))
            .max_redirects(0)
            .http_status_as_error(false)
            .proxy(None)
            .build();
        let signer = Self { agent: config.new_agent(), url, public_key: options.public_key };
        let asked = signer.agent.get(format!("{}/v1/keys", signer.url)).call();
        let Keys { keys } = signer.read(asked)?;
        if !keys.contains(&signer.public_key) {
            return Err(SignerError::UnknownKey(signer.url));
        }
        Ok(signer)
    }

    fn ask(&self, request: &Request) -> Result<Signature, SignerError> {
        let body = serde_json::to_vec(request).map_err(|error| SignerError::Configuration(error.to_string()))?;
        let url = format!("{}/v1/sign/{}", self.url, self.public_key);
        let asked = self.agent.post(url).content_type("application/json").send(body);
        let Signed { signature } = self.read(asked)?;
        let (message, tag) = request.signed_message();
        verify_signature::<Blst>(message.as_slice(), tag, &signature, &self.public_key)
            .map_err(|_| SignerError::WrongSignature)?;
        Ok(signature)
    }

    fn read<T: DeserializeOwned>(
        &self,
        asked: Result<http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<T, SignerError> {
        let unreachable =
            |error: &dyn fmt::Display| SignerError::Unreachable { url: self.url.clone(), reason: error.to_string() };
        let mut response = asked.map_err(|error| unreachable(&error))?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(LONGEST_ANSWER).read_to_vec();
        let body = body.map_err(|error| unreachable(&error))?;
        match status {
            200 => serde_json::from_slice(&body).map_err(|error| unreachable(&error)),
            404 => Err(SignerError::UnknownKey(self.url.clone())),
            _ => {
                let failed = serde_json::from_slice(&body);
                let reason = failed.map_or_else(|_| "without a reason".to_owned(), |Failed { error }| error);
                Err(SignerError::Refused { status, reason })
            }
        }
    }
}

impl Signer for RemoteSigner {
    fn public_key(&self) -> PublicKey {
        self.public_key
    }

    fn sign(&self, recorded: &Recorded<'_>) -> Result<Signature, SignerError> {
        self.ask(&Request::of(recorded.statement()))
    }

    fn prove_connection(
        &self,
        connection: &Connection,
        chain_id: U256,
        task_manager: Address,
    ) -> Result<Signature, SignerError> {
        self.ask(&Request::connection(connection, chain_id, task_manager))
    }
}

impl fmt::Debug for RemoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSigner").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Refuses an address to which anyone on the way could send requests.
fn require_private_address(url: &str) -> Result<(), SignerError> {
    let failed = |reason: &str| Err(SignerError::Configuration(format!("{url}: {reason}")));
    let Ok(uri) = url.parse::<http::Uri>() else {
        return failed("not a URL");
    };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_loopback => Ok(()),
        Some("http") => failed("over http only a signer on this machine is asked; use https"),
        _ => failed("its scheme must be https"),
    }
}

fn tls(options: &RemoteSignerOptions) -> Result<TlsConfig, SignerError> {
    let failed = |error: ureq::Error| SignerError::Configuration(error.to_string());
    let mut config = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    if let Some(pem) = &options.root_certificates {
        let (certificates, _) = items(pem).map_err(failed)?;
        config = config.root_certs(RootCerts::new_with_certs(&certificates));
    }
    if let Some(pem) = &options.identity {
        let (certificates, key) = items(pem).map_err(failed)?;
        let key = key.ok_or_else(|| SignerError::Configuration("the identity has no private key".to_owned()))?;
        config = config.client_cert(Some(ClientCert::new_with_certs(&certificates, key)));
    }
    Ok(config.build())
}

type Items = (Vec<Certificate<'static>>, Option<PrivateKey<'static>>);

/// Returns the certificates and the key of a PEM file.
fn items(pem: &[u8]) -> Result<Items, ureq::Error> {
    let (mut certificates, mut key) = (Vec::new(), None);
    for item in parse_pem(pem) {
        match item? {
            PemItem::Certificate(certificate) => certificates.push(certificate),
            PemItem::PrivateKey(found) => key = Some(found),
            _ => {}
        }
    }
    Ok((certificates, key))
}

//! Evidence, from any server that has it: what is returned has the hash that was asked for.

use std::time::Duration;

use alloy::transports::http::reqwest::{Client, Url, redirect};
use alloy_primitives::B256;
use anyhow::{Context as _, Result};
use assent_policy::EvidenceFile;
use tokio::time::timeout;

use crate::rpc::error::RpcError;

/// The longest evidence file, in bytes.
const MAX_EVIDENCE: usize = 16 * 1024 * 1024;
/// How long one server may take.
const LONGEST_ANSWER: Duration = Duration::from_secs(10);

/// How long all of them together may take.
const LONGEST_SEARCH: Duration = Duration::from_secs(20);

/// The servers that have evidence.
pub(crate) struct EvidenceServers {
    client: Client,
    servers: Vec<Url>,
}

impl EvidenceServers {
    pub(crate) fn new(servers: &[String]) -> Result<Self> {
        let client = Client::builder().redirect(redirect::Policy::none()).timeout(LONGEST_ANSWER).build();
        let client = client.context("cannot start the HTTP client")?;
        let servers = servers.iter().map(|text| text.parse().with_context(|| format!("evidence: {text} is no URL")));
        Ok(Self { client, servers: servers.collect::<Result<_>>()? })
    }

    /// Returns the text of the evidence with a hash, from the first server that has it.
    pub(crate) async fn get(&self, hash: B256) -> Result<String, RpcError> {
        if self.servers.is_empty() {
            return Err(RpcError::not_found(
                "this gateway knows no server of evidence",
                "ask the operators' own servers for /evidence/HASH",
            ));
        }
        let search = async {
            for server in &self.servers {
                if let Some(file) = self.fetch(server, hash).await {
                    return Some(file.to_json());
                }
            }
            None
        };
        match timeout(LONGEST_SEARCH, search).await {
            Ok(Some(file)) => return Ok(file),
            Ok(None) => {}
            Err(_) => return Err(RpcError::unavailable("the servers of evidence give no answer in time")),
        }
        let next = "ask again later; operators keep evidence as docs/operate.md says";
        Err(RpcError::not_found("no server has the evidence", next))
    }

    async fn fetch(&self, server: &Url, hash: B256) -> Option<EvidenceFile> {
        let mut url = server.clone();
        url.path_segments_mut().ok()?.pop_if_empty().push("evidence").push(&hash.to_string());
        let mut response = self.client.get(url).send().await.ok()?.error_for_status().ok()?;
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.ok()? {
            if bytes.len().saturating_add(chunk.len()) > MAX_EVIDENCE {
                return None;
            }
            bytes.extend_from_slice(&chunk);
        }
        // Servers are not trusted: the hash is of the contents. To compute it takes milliseconds.
        let file = tokio::task::spawn_blocking(move || {
            let file = EvidenceFile::parse(&bytes).ok()?;
            (file.roots()?.hash() == hash).then_some(file)
        });
        file.await.ok().flatten()
    }
}

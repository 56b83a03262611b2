//! Connections to nodes.

use crate::{arguments, output};
use alloy::{
    providers::{DynProvider, Provider, ProviderBuilder},
    rpc::client::RpcClient,
    signers::local::PrivateKeySigner,
    transports::http::{
        Http,
        reqwest::{Client, Url},
    },
};
use alloy_primitives::{Address, U256};
use anyhow::{Context, Result, bail};
use assent_client::{AssentClient, ClientError};
use clap::{Args, ValueHint};
use std::{future::Future, time::Duration};

/// The interval at which a local node is polled for receipts.
const LOCAL_POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The maximum wait for one answer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The node that a command uses.
#[derive(Args)]
pub struct Node {
    /// The node: its URL, here or in the environment variable ETH_RPC_URL.
    // A URL can contain a key, which help must not show.
    #[arg(long, value_name = "URL", env = "ETH_RPC_URL", hide_env = true, value_hint = ValueHint::Url)]
    rpc_url: String,
}

/// The registry that a command uses, and its node.
#[derive(Args)]
pub struct RegistryNode {
    #[command(flatten)]
    pub node: Node,
    /// The OperatorRegistry.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    pub registry: Address,
}

/// The node that a command may use.
#[derive(Args)]
pub struct OptionalNode {
    /// The node whose blocks are read: its URL, here or in the environment variable ETH_RPC_URL.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    rpc_url: Option<String>,
}

impl OptionalNode {
    /// Returns the node of the option.
    pub fn named(&self) -> Option<Node> {
        self.rpc_url.clone().map(|rpc_url| Node { rpc_url })
    }

    /// Returns the node of the option, or that of the environment.
    pub fn find(&self) -> Option<Node> {
        let of_environment = || std::env::var("ETH_RPC_URL").ok().filter(|url| !url.is_empty());
        self.named().or_else(|| of_environment().map(|rpc_url| Node { rpc_url }))
    }
}

impl Node {
    /// Returns a provider that signs with `signer` if there is one, else has the node sign.
    pub fn connect(&self, signer: Option<PrivateKeySigner>) -> Result<DynProvider> {
        connect(&self.rpc_url, signer)
    }

    /// Runs a request with a spinner. It signs as [`connect`](Self::connect) does.
    pub fn ask<T>(
        &self,
        doing: &'static str,
        signer: Option<PrivateKeySigner>,
        request: impl AsyncFnOnce(&AssentClient<DynProvider>) -> Result<T, ClientError>,
    ) -> Result<T> {
        block_on(async {
            let client = AssentClient::new(self.connect(signer)?);
            let _spinner = output::spinner(doing);
            request(&client).await.with_context(|| self.asking())
        })
    }

    /// Returns the context of a failed request's error.
    pub fn asking(&self) -> String {
        format!("asking the node at {}", self.rpc_url)
    }

    /// Checks that the node is on the chain of the input.
    pub fn require_chain(&self, what: &str, chain_id: U256, actual: u64) -> Result<()> {
        if chain_id != U256::from(actual) {
            bail!(
                "{what} for chain {chain_id}, but {} is on chain {actual}; give --rpc-url of a node on chain \
                 {chain_id}",
                self.rpc_url
            );
        }
        Ok(())
    }
}

/// Returns a provider over HTTP that signs with `signer` if there is one, else has the node sign.
pub fn connect(url: &str, signer: Option<PrivateKeySigner>) -> Result<DynProvider> {
    let url: Url =
        url.parse().with_context(|| format!("{url} is not a URL; give one such as http://127.0.0.1:8545"))?;
    match url.scheme() {
        "http" => {}
        "https" if cfg!(feature = "https") => {}
        "https" => {
            bail!("this build of assent has no TLS; build it with the default feature `https`, or use an http:// URL")
        }
        other => bail!("{other}:// is not supported; give an http:// or https:// URL"),
    }
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let http = Client::builder().timeout(LONGEST_WAIT).build().context("cannot start the HTTP client")?;
    let client = RpcClient::new(Http::with_client(http, url), local);
    let client = if local { client.with_poll_interval(LOCAL_POLL_INTERVAL) } else { client };
    Ok(match signer {
        Some(signer) => ProviderBuilder::new().wallet(signer).connect_client(client).erased(),
        None => ProviderBuilder::new().connect_client(client).erased(),
    })
}

/// Runs a future that waits for a node.
pub fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime for network requests")?
        .block_on(future)
}

//! `assent network up`: runs a local network until Ctrl-C.

use super::{Folder, LocalChain, LocalNetwork, block_on, local};
use crate::{
    ExitStatus,
    output::{self, Output},
    stake::{eigenlayer::Artifacts, example::StakedNetwork},
};
use alloy::primitives::{Bytes, hex};
use anyhow::{Context as _, Result};
use assent_program::stop_signal;
use assent_signer::SecretKey;
use clap::{Args, ValueEnum, ValueHint};
use serde_json::{Value, json};
use std::{net::SocketAddr, path::PathBuf, pin::pin};

/// The number of operators. Three of them are a quorum.
const OPERATORS: usize = 4;

/// The options of `assent network up`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent network up
  assent network up --stake eigenlayer
  assent network up --data-dir ./network --gateway-port 0 --rpc-port 0 --json
  anvil --hardfork osaka &
  assent network up --rpc-url http://127.0.0.1:8545

Runs an Ethereum chain in memory, four operators with new keys, a gateway, and a treasury whose policy allows payments
of up to 500 EXT at once. It prints a request that you can paste into another terminal. Ctrl-C ends it.
With --stake eigenlayer, operators deposit into EigenLayer's real contracts and join; anyone commits epochs, and reports
offences with `assent offence`. `assent demo equivocation` shows one. Fetch the bytecode with `cargo xtask test --only
EigenLayer`.
Only for development: everyone on this machine can use the chain's accounts, and the keys are not encrypted.")]
pub struct Arguments {
    /// Use this development node, such as anvil, instead of a chain in memory.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    rpc_url: Option<String>,
    /// The port of the chain in memory on 127.0.0.1; 0 for a free one.
    #[arg(long, value_name = "PORT", default_value = "8545", conflicts_with = "rpc_url")]
    rpc_port: u16,
    /// The port of the gateway on 127.0.0.1; 0 for a free one.
    #[arg(long, value_name = "PORT", default_value = "8787")]
    gateway_port: u16,
    /// The number of gateways, on consecutive ports, to try what happens when one does not answer.
    #[arg(long, value_name = "NUMBER", default_value = "1", value_parser = clap::value_parser!(u16).range(1..=8))]
    gateways: u16,
    /// An empty folder for keys, journals, evidence and logs, which is kept. Default: a temporary one.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    data_dir: Option<PathBuf>,
    /// Weigh operators by stake on EigenLayer's contracts, from deposit to slash, instead of by their owner.
    #[arg(long, value_name = "WHERE")]
    stake: Option<StakeSource>,
    #[command(flatten)]
    eigenlayer: Artifacts,
}

/// Where operators have their stake.
#[derive(Clone, Copy, ValueEnum)]
enum StakeSource {
    /// On EigenLayer's contracts, whose bytecode must have been fetched.
    Eigenlayer,
}

/// Runs `assent network up`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let eigenlayer = arguments.stake.map(|StakeSource::Eigenlayer| &arguments.eigenlayer);
    if let Some(artifacts) = eigenlayer {
        artifacts.require()?;
    }
    let gateways = arguments.gateway_addresses()?;
    block_on(async {
        let mut stop = pin!(stop_signal()?);
        let keys = (0..OPERATORS).map(|_| SecretKey::generate()).collect::<Result<Vec<_>, _>>()?;
        let folder = Folder::new(arguments.data_dir.as_deref())?;
        let spinner = output::spinner("Starting a chain, operators and a gateway");
        let starting = async {
            let chain = match &arguments.rpc_url {
                None => LocalChain::serve(local(arguments.rpc_port)).await?,
                Some(url) => LocalChain::connect(url)?,
            };
            LocalNetwork::start(chain, folder, &gateways, keys, eigenlayer).await
        };
        let network = tokio::select! {
            started = starting => started?,
            () = &mut stop => return Ok(ExitStatus::Success),
        };
        drop(spinner);
        output.result(text(&network)?, &report(&network)?)?;
        stop.await;
        output::remark("stopping");
        network.stop().await?;
        Ok(ExitStatus::Success)
    })
}

impl Arguments {
    fn gateway_addresses(&self) -> Result<Vec<SocketAddr>> {
        let port = |index| match self.gateway_port {
            0 => Ok(0),
            first => first.checked_add(index).with_context(|| {
                format!("there are not {} ports from {first} on; give a lower --gateway-port", self.gateways)
            }),
        };
        (0..self.gateways).map(|index| port(index).map(local)).collect()
    }
}

fn text(network: &LocalNetwork) -> Result<String> {
    let LocalNetwork { chain, setup, gateway_urls, operators, folder, .. } = network;
    let mut table = output::table(["part", "address"]);
    table.add_row(["chain", &format!("{}, id {}, {}", chain.url, setup.chain_id, chain.description)]);
    for (url, page) in gateway_urls.iter().zip(pages(network)) {
        table.add_row(["gateway", url]).add_row(["page", &page]);
    }
    for (operator, url) in operators {
        table.add_row(["operator", &format!("{operator}, {url}")]);
    }
    for contract in setup.deployment.in_order() {
        table.add_row([contract.name, &contract.address.to_string()]);
    }
    for (name, address) in setup.stake.iter().flat_map(StakedNetwork::contracts) {
        table.add_row([name, &address.to_string()]);
    }
    table
        .add_row(["TreasuryVault", &format!("{}, holds 1,000 EXT", setup.vault)])
        .add_row(["ExampleToken", &setup.token.to_string()])
        .add_row(["agent", &setup.agent.to_string()])
        .add_row(["recipient", &setup.recipient.to_string()])
        .add_row(["policy", &setup.policy.policyId.to_string()])
        .add_row(["folder", &folder.path().display().to_string()]);
    let (allowed, denied) = (request(network, "250")?, request(network, "900")?);
    Ok(format!(
        "{table}\nThe network runs: {OPERATORS} operators, of which 3 are a quorum. Ctrl-C ends it.\n\n\
         Watch its decisions in a browser: {}\n\n\
         The agent asks for a payment of 250 EXT, and sends it:\n\n  \
         {allowed} \\\n      --document-out payment.json\n  {}\n\n\
         The policy denies a payment of 900 EXT:\n\n  {denied}",
        pages(network).collect::<Vec<_>>().join(" "),
        send(network),
    ))
}

/// Returns the address of each gateway's page.
fn pages(network: &LocalNetwork) -> impl Iterator<Item = String> {
    network.gateway_urls.iter().map(|url| format!("{url}/page"))
}

/// Returns the command that asks for a payment.
fn request(network: &LocalNetwork, tokens: &str) -> Result<String> {
    let LocalNetwork { setup, gateway_urls, .. } = network;
    let data: Bytes = setup.payment(tokens)?;
    let gateways = gateway_urls.iter().map(|url| format!(" --gateway {url}")).collect::<String>();
    Ok(format!(
        "assent request{gateways} --chain-id {} \\\n      --from {} --to {} \\\n      --data {}",
        setup.chain_id,
        setup.agent,
        setup.vault,
        hex::encode_prefixed(data),
    ))
}

/// Returns the command that sends the call.
fn send(network: &LocalNetwork) -> String {
    let LocalNetwork { chain, setup, .. } = network;
    format!("assent send --rpc-url {} --account {} --document payment.json", chain.url, setup.agent)
}

fn report(network: &LocalNetwork) -> Result<Value> {
    let LocalNetwork { chain, setup, gateway_urls, operators, folder, .. } = network;
    let contracts = setup.deployment.in_order();
    let contracts = contracts.iter().map(|contract| (contract.name.to_owned(), json!(contract.address)));
    let staked = setup.stake.iter().flat_map(StakedNetwork::contracts);
    let contracts = contracts.chain(staked.map(|(name, address)| (name.to_owned(), json!(address))));
    let operators = operators.iter().map(|(operator, url)| json!({ "operator": operator, "url": url }));
    Ok(json!({
        "chain": { "rpcUrl": chain.url, "chainId": setup.chain_id.to_string(), "description": chain.description },
        "gateways": gateway_urls,
        "pages": pages(network).collect::<Vec<_>>(),
        "operators": operators.collect::<Vec<_>>(),
        "contracts": contracts.collect::<serde_json::Map<_, _>>(),
        "vault": setup.vault,
        "token": setup.token,
        "owner": setup.owner,
        "agent": setup.agent,
        "recipient": setup.recipient,
        "policyId": setup.policy.policyId,
        "folder": folder.path(),
        "allowedRequest": request(network, "250")?,
        "deniedRequest": request(network, "900")?,
        "send": send(network),
    }))
}

//! `assent network up`: runs a local network until Ctrl-C.

use super::{
    chain::LocalChain,
    folder::Folder,
    local::{LocalNetwork, OPERATORS},
};
use crate::{
    ExitStatus,
    output::{self, Output},
};
use alloy::primitives::{Bytes, hex};
use anyhow::{Context as _, Result};
use assent_program::stop_signal;
use clap::{Args, ValueHint};
use serde_json::{Value, json};
use std::{net::SocketAddr, path::PathBuf, pin::pin};

/// The options of `assent network up`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent network up
  assent network up --data-dir ./network --gateway-port 0 --rpc-port 0 --json
  anvil --hardfork osaka &
  assent network up --rpc-url http://127.0.0.1:8545

Runs an Ethereum chain in memory, four operators with new keys, a gateway, and a treasury whose policy allows payments
of up to 500 EXT at once. It prints a request that you can paste into another terminal. Ctrl-C ends it.
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
    /// An empty folder for keys, journals, evidence and logs, which is kept. Default: a temporary one.
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    data_dir: Option<PathBuf>,
}

/// Runs `assent network up`.
pub fn run(arguments: Arguments, output: Output) -> Result<ExitStatus> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start the runtime of the network")?;
    runtime.block_on(async {
        let mut stop = pin!(stop_signal()?);
        let folder = Folder::new(arguments.data_dir.as_deref())?;
        let spinner = output::spinner("Starting a chain, operators and a gateway");
        let starting = async {
            let chain = match &arguments.rpc_url {
                None => LocalChain::serve(local(arguments.rpc_port)).await?,
                Some(url) => LocalChain::connect(url)?,
            };
            LocalNetwork::start(chain, folder, local(arguments.gateway_port)).await
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

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn text(network: &LocalNetwork) -> Result<String> {
    let LocalNetwork { chain, setup, gateway_url, operators, folder, .. } = network;
    let mut table = output::table(["part", "address"]);
    table.add_row(["chain", &format!("{}, id {}, {}", chain.url, setup.chain_id, chain.description)]);
    table.add_row(["gateway", gateway_url]);
    for (operator, url) in operators {
        table.add_row(["operator", &format!("{operator}, {url}")]);
    }
    for contract in setup.deployment.in_order() {
        table.add_row([contract.name, &contract.address.to_string()]);
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
         The agent asks for a payment of 250 EXT, and sends it:\n\n  \
         {allowed} \\\n      --document-out payment.json\n  {}\n\n\
         The policy denies a payment of 900 EXT:\n\n  {denied}",
        send(network),
    ))
}

/// Returns the command that asks for a payment.
fn request(network: &LocalNetwork, tokens: &str) -> Result<String> {
    let LocalNetwork { setup, gateway_url, .. } = network;
    let data: Bytes = setup.payment(tokens)?;
    Ok(format!(
        "assent request --gateway {gateway_url} --chain-id {} \\\n      --from {} --to {} \\\n      --data {}",
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
    let LocalNetwork { chain, setup, gateway_url, operators, folder, .. } = network;
    let contracts = setup.deployment.in_order();
    let contracts = contracts.iter().map(|contract| (contract.name.to_owned(), json!(contract.address)));
    let operators = operators.iter().map(|(operator, url)| json!({ "operator": operator, "url": url }));
    Ok(json!({
        "chain": { "rpcUrl": chain.url, "chainId": setup.chain_id.to_string(), "description": chain.description },
        "gateway": gateway_url,
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

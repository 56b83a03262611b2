//! EigenLayer's core contracts on a local chain. Their bytecode is fetched and is no part of this program.

use crate::{input, transaction::send};
use alloy::{
    primitives::{Address, Bytes, U256, hex},
    providers::DynProvider,
    sol_types::{SolCall, SolValue},
};
use anyhow::{Context as _, Result, bail};
use assent_client::AssentClient;
use assent_contracts::bindings::eigenlayer::{IProxyAdminCore, IStrategyManagerCore};
use clap::{Args, ValueHint};
use initializers::{Core, Strategy, StrategyManager};
use serde::Deserialize;
use std::path::PathBuf;

/// The version whose bytecode is fetched.
const VERSION: &str = "1.4.0";
/// How long an allocation stays slashable after an exit begins, in blocks: as on mainnet.
const DEALLOCATION_DELAY: u32 = 100_800;
/// How long stakers wait to withdraw, in blocks. On mainnet it is as long as the other delay. EigenLayer subtracts it
/// from the block's number as it slashes, and a local chain has few blocks.
const WITHDRAWAL_DELAY: u32 = 10;
/// How long an operator's first allocation has to wait, in blocks. On mainnet it is 17.5 days.
const ALLOCATION_CONFIGURATION_DELAY: u32 = 1;
/// The longest file of an artifact that is read, in bytes.
const LONGEST_ARTIFACT: u64 = 1024 * 1024;

/// The option that says where EigenLayer's bytecode is.
#[derive(Args)]
pub struct Artifacts {
    /// The folder with the bytecode of EigenLayer's contracts, as `cargo xtask test --only EigenLayer` fetches it.
    #[arg(long, value_name = "FOLDER", default_value = "cache/eigenlayer", value_hint = ValueHint::DirPath)]
    eigenlayer: PathBuf,
}

/// The contracts, and one strategy.
#[derive(Clone, Copy)]
pub struct EigenLayer {
    pub allocation_manager: Address,
    pub delegation_manager: Address,
    pub strategy_manager: Address,
    pub permission_controller: Address,
    pub strategy: Address,
    /// The token that is deposited into the strategy.
    pub token: Address,
}

/// How proxies are initialized.
mod initializers {
    #![allow(missing_docs, dead_code, reason = "the macro makes more than is used")]
    alloy::sol! {
        interface Core {
            function initialize(address owner, uint256 pausedStatus) external;
        }
        interface StrategyManager {
            function initialize(address owner, address whitelister, uint256 pausedStatus) external;
        }
        interface Strategy {
            function initialize(address token) external;
        }
    } // sol!
}

#[derive(Deserialize)]
struct Artifact {
    bytecode: Bytecode,
}

#[derive(Deserialize)]
struct Bytecode {
    object: String,
}

impl Artifacts {
    /// Checks that the bytecode is there.
    pub fn require(&self) -> Result<()> {
        if !self.eigenlayer.join("installed.txt").is_file() {
            bail!(
                "EigenLayer's contracts are not in {}: they are under another licence and no part of this program; \
                 fetch them with `cargo xtask test --only EigenLayer` in a clone of the repository, then run this \
                 there, or give the clone's cache/eigenlayer as --eigenlayer",
                self.eigenlayer.display()
            );
        }
        Ok(())
    }

    /// Returns the init code of a contract: creation bytecode and constructor arguments.
    fn init_code(&self, name: &str, arguments: Vec<u8>) -> Result<Bytes> {
        let path = self.eigenlayer.join(format!("{name}.json"));
        let text = input::read_text("artifact", &path, LONGEST_ARTIFACT)?;
        let artifact: Artifact = serde_json::from_str(&text)
            .with_context(|| format!("{} is not an artifact; fetch it again", path.display()))?;
        let mut code = hex::decode(&artifact.bytecode.object)
            .with_context(|| format!("{} has no bytecode; fetch it again", path.display()))?;
        code.extend(arguments);
        Ok(code.into())
    }
}

/// Deploys contracts for one account, which governs EigenLayer here.
struct Deployer<'a> {
    client: &'a AssentClient<DynProvider>,
    artifacts: &'a Artifacts,
    governance: Address,
    proxy_admin: Address,
    /// What a proxy points to before its contract is there.
    empty: Address,
}

impl EigenLayer {
    /// Deploys the core with mainnet's delay of deallocations, and a strategy of a token.
    pub async fn deploy(
        client: &AssentClient<DynProvider>,
        artifacts: &Artifacts,
        governance: Address,
        token: Address,
    ) -> Result<Self> {
        artifacts.require()?;
        let mut deployer = Deployer { client, artifacts, governance, proxy_admin: Address::ZERO, empty: Address::ZERO };
        deployer.proxy_admin = deployer.create("ProxyAdmin", Vec::new()).await?;
        deployer.empty = deployer.create("EmptyContract", Vec::new()).await?;
        let delegation = deployer.proxy(deployer.empty, Bytes::new()).await?;
        let strategies = deployer.proxy(deployer.empty, Bytes::new()).await?;
        let allocation = deployer.proxy(deployer.empty, Bytes::new()).await?;
        let permission = deployer.proxy(deployer.empty, Bytes::new()).await?;
        let pods = deployer.proxy(deployer.empty, Bytes::new()).await?;
        let pauser = deployer.create("PauserRegistry", (vec![governance], governance).abi_encode_params()).await?;
        let version = VERSION.to_owned();

        let initialize = Core::initializeCall { owner: governance, pausedStatus: U256::ZERO }.abi_encode();
        let arguments = (strategies, pods, allocation, pauser, permission, WITHDRAWAL_DELAY, version.clone());
        deployer.upgrade(delegation, "DelegationManager", arguments.abi_encode_params(), &initialize).await?;
        let delays = (DEALLOCATION_DELAY, ALLOCATION_CONFIGURATION_DELAY);
        let arguments = (delegation, pauser, permission, delays.0, delays.1, version.clone());
        deployer.upgrade(allocation, "AllocationManager", arguments.abi_encode_params(), &initialize).await?;
        let arguments = (Address::ZERO, deployer.empty, delegation, pauser, version.clone());
        deployer.upgrade(pods, "EigenPodManager", arguments.abi_encode_params(), &initialize).await?;
        let controller = deployer.create("PermissionController", (version.clone(),).abi_encode_params()).await?;
        let upgrade = IProxyAdminCore::upgradeCall { proxy: permission, implementation: controller };
        send(client, governance, deployer.proxy_admin, &upgrade).await?;
        let initialize =
            StrategyManager::initializeCall { owner: governance, whitelister: governance, pausedStatus: U256::ZERO };
        let arguments = (delegation, pauser, version.clone()).abi_encode_params();
        deployer.upgrade(strategies, "StrategyManager", arguments, &initialize.abi_encode()).await?;

        let base = deployer.create("StrategyBase", (strategies, pauser, version).abi_encode_params()).await?;
        let initialize = Strategy::initializeCall { token }.abi_encode();
        let strategy = deployer.proxy(base, initialize.into()).await?;
        let whitelist = IStrategyManagerCore::addStrategiesToDepositWhitelistCall { strategies: vec![strategy] };
        send(client, governance, strategies, &whitelist).await?;
        Ok(Self {
            allocation_manager: allocation,
            delegation_manager: delegation,
            strategy_manager: strategies,
            permission_controller: permission,
            strategy,
            token,
        })
    }
}

impl Deployer<'_> {
    async fn create(&self, name: &str, arguments: Vec<u8>) -> Result<Address> {
        let init_code = self.artifacts.init_code(name, arguments)?;
        let created = self.client.create(self.governance, init_code).await;
        Ok(created.with_context(|| format!("deploying EigenLayer's {name}"))?.0)
    }

    async fn proxy(&self, implementation: Address, initialization: Bytes) -> Result<Address> {
        let arguments = (implementation, self.proxy_admin, initialization).abi_encode_params();
        self.create("TransparentUpgradeableProxy", arguments).await
    }

    async fn upgrade(&self, proxy: Address, name: &str, arguments: Vec<u8>, initialization: &[u8]) -> Result<()> {
        let implementation = self.create(name, arguments).await?;
        let data = initialization.to_vec().into();
        let upgrade = IProxyAdminCore::upgradeAndCallCall { proxy, implementation, data };
        send(self.client, self.governance, self.proxy_admin, &upgrade).await?;
        Ok(())
    }
}

//! What an `EigenLayerStake` says of itself and of operators.

use crate::{arguments, connection::Node, output};
use alloy::{
    primitives::{
        Address,
        aliases::{U48, U96},
    },
    providers::DynProvider,
};
use anyhow::{Context as _, Result};
use assent_client::AssentClient;
use assent_contracts::{
    EigenLayerStake, OperatorAllowlist, bindings::eigenlayer::IAllocationManagerCore::EigenLayerSet,
};
use assent_verifier::OperatorSetId;
use clap::Args;

/// The stake source that a command uses, its node, and the operator set.
#[derive(Args)]
pub struct StakeNode {
    #[command(flatten)]
    pub node: Node,
    /// The EigenLayerStake.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    pub stake: Address,
    /// The operator set.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::operator_set_id())]
    pub operator_set: OperatorSetId,
}

/// The settings of an `EigenLayerStake`.
pub struct StakeContract {
    pub address: Address,
    pub allocation_manager: Address,
    pub avs: Address,
    pub registry: Address,
    /// Zero if the set is open.
    pub admission: Address,
    pub min_weight: U96,
    pub max_weight: U96,
    pub max_members: u16,
    /// The largest share of an epoch's weight that one operator may have, in basis points.
    pub max_share: u16,
    /// In blocks.
    pub lookahead: u32,
    /// How long after it is read a weight stays slashable, without the challenge window.
    pub slashable_for: U48,
    pub challenge_window: U48,
    pub strategies: Vec<Address>,
}

/// What an operator declares to an allowlist. Nothing verifies it.
#[derive(Clone, Default)]
pub struct Declaration {
    pub region: String,
    pub provider: String,
}

impl StakeContract {
    /// Reads the settings.
    pub async fn read(client: &AssentClient<DynProvider>, address: Address) -> Result<Self> {
        client.require_contract(address).await?;
        let contract = EigenLayerStake::new(address, client.provider());
        let reading = async {
            let strategies = contract.strategies().call().await?;
            Ok::<_, alloy::contract::Error>(Self {
                address,
                allocation_manager: contract.ALLOCATION_MANAGER().call().await?,
                avs: contract.AVS().call().await?,
                registry: contract.OPERATOR_REGISTRY().call().await?,
                admission: contract.ADMISSION().call().await?,
                min_weight: contract.MIN_WEIGHT().call().await?,
                max_weight: contract.MAX_WEIGHT().call().await?,
                max_members: contract.MAX_MEMBERS().call().await?,
                max_share: contract.MAX_SHARE().call().await?,
                lookahead: contract.LOOKAHEAD().call().await?,
                slashable_for: contract.slashableFor().call().await?,
                challenge_window: contract.CHALLENGE_WINDOW().call().await?,
                strategies: strategies.into_iter().map(|weighed| weighed.strategy).collect(),
            })
        };
        reading.await.with_context(|| {
            format!("{address} does not answer as an EigenLayerStake; `assent registry show` prints the stake source")
        })
    }

    /// Returns an operator set as EigenLayer names it.
    pub fn set(&self, operator_set: OperatorSetId) -> EigenLayerSet {
        EigenLayerSet { avs: self.avs, id: operator_set.into() }
    }

    /// Reads what an operator declares; `None` if the set is open, or if it is not admitted.
    pub async fn declaration(
        &self,
        client: &AssentClient<DynProvider>,
        operator_set: OperatorSetId,
        operator: Address,
    ) -> Option<Declaration> {
        if self.admission.is_zero() {
            return None;
        }
        let allowlist = OperatorAllowlist::new(self.admission, client.provider());
        // Another admission need not know declarations.
        let declared = allowlist.declarationOf(operator_set.into(), operator).call().await.ok()?;
        let declaration = Declaration { region: declared.region, provider: declared.provider };
        (!declaration.region.is_empty()).then_some(declaration)
    }
}

impl StakeNode {
    /// Runs a request with a spinner.
    pub async fn read(&self) -> Result<(AssentClient<DynProvider>, StakeContract)> {
        let client = AssentClient::new(self.node.connect(None)?);
        let _spinner = output::spinner("Reading the stake");
        let contract = StakeContract::read(&client, self.stake).await.with_context(|| self.node.asking())?;
        Ok((client, contract))
    }
}

//! What an `EigenLayerStake` or a `SymbioticStake` says of itself and of operators.

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
    EigenLayerStake, OperatorAllowlist, OperatorRegistry, SymbioticStake,
    bindings::eigenlayer::IAllocationManagerCore::EigenLayerSet,
};
use assent_verifier::OperatorSetId;
use clap::Args;

/// The stake source that a command uses, its node, and the operator set.
#[derive(Args)]
pub struct StakeNode {
    #[command(flatten)]
    pub node: Node,
    /// The EigenLayerStake or SymbioticStake.
    #[arg(long, value_name = "ADDRESS", value_parser = arguments::address)]
    pub stake: Address,
    /// The operator set.
    #[arg(long, value_name = "NUMBER", value_parser = arguments::operator_set_id())]
    pub operator_set: OperatorSetId,
}

/// The settings of an `EigenLayerStake` or a `SymbioticStake`.
pub struct StakeContract {
    pub address: Address,
    pub registry: Address,
    /// Zero if the set is open.
    pub admission: Address,
    pub min_weight: U96,
    pub max_weight: U96,
    pub max_members: u16,
    /// The largest share of an epoch's weight that one operator may have, in basis points.
    pub max_share: u16,
    /// How long after it is read a weight stays slashable, without the challenge window.
    pub slashable_for: U48,
    pub challenge_window: U48,
    pub system: StakeSystem,
}

/// Where the stake is.
pub enum StakeSystem {
    EigenLayer(OnEigenLayer),
    Symbiotic(OnSymbiotic),
}

/// The settings that only an `EigenLayerStake` has.
pub struct OnEigenLayer {
    pub allocation_manager: Address,
    pub avs: Address,
    /// In blocks.
    pub lookahead: u32,
    pub strategies: Vec<Address>,
}

/// The settings that only a `SymbioticStake` has.
pub struct OnSymbiotic {
    pub vault_factory: Address,
    pub network: Address,
    /// The account that gets what is slashed.
    pub burner: Address,
    /// How long stake can be slashed after its capture, in seconds.
    pub vault_duration: U48,
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
        // Both contracts have the terms of members.
        let contract = EigenLayerStake::new(address, client.provider());
        let reading = async {
            Ok::<_, alloy::contract::Error>(Self {
                address,
                registry: contract.OPERATOR_REGISTRY().call().await?,
                admission: contract.ADMISSION().call().await?,
                min_weight: contract.MIN_WEIGHT().call().await?,
                max_weight: contract.MAX_WEIGHT().call().await?,
                max_members: contract.MAX_MEMBERS().call().await?,
                max_share: contract.MAX_SHARE().call().await?,
                slashable_for: contract.slashableFor().call().await?,
                challenge_window: contract.CHALLENGE_WINDOW().call().await?,
                system: StakeSystem::read(client, address).await?,
            })
        };
        reading.await.with_context(|| {
            format!(
                "{address} does not answer as an EigenLayerStake or a SymbioticStake; `assent registry show` prints \
                 the stake source"
            )
        })
    }

    /// Reads what an operator declares; `None` if the set is open, or if it is not admitted.
    pub async fn declaration(
        &self,
        client: &AssentClient<DynProvider>,
        operator_set: OperatorSetId,
        operator: Address,
    ) -> Option<Declaration> {
        declared_to(client, self.admission, operator_set, operator).await
    }
}

/// Reads what operators declare to the admission of a registry's stake source, in their order; `None` for each that
/// declares nothing, as all do if the stake source has no admission.
pub async fn declarations(
    client: &AssentClient<DynProvider>,
    registry: Address,
    operator_set: OperatorSetId,
    operators: impl IntoIterator<Item = Address>,
) -> Vec<Option<Declaration>> {
    let registry = OperatorRegistry::new(registry, client.provider());
    let source = registry.stakeSource().call().await.unwrap_or_default();
    let source = EigenLayerStake::new(source, client.provider());
    let admission = source.ADMISSION().call().await.unwrap_or_default();
    let mut declared = Vec::new();
    for operator in operators {
        declared.push(declared_to(client, admission, operator_set, operator).await);
    }
    declared
}

async fn declared_to(
    client: &AssentClient<DynProvider>,
    admission: Address,
    operator_set: OperatorSetId,
    operator: Address,
) -> Option<Declaration> {
    if admission.is_zero() {
        return None;
    }
    let allowlist = OperatorAllowlist::new(admission, client.provider());
    // Another admission need not know declarations.
    let declared = allowlist.declarationOf(operator_set.into(), operator).call().await.ok()?;
    let declaration = Declaration { region: declared.region, provider: declared.provider };
    (!declaration.region.is_empty()).then_some(declaration)
}

impl StakeSystem {
    async fn read(client: &AssentClient<DynProvider>, address: Address) -> Result<Self, alloy::contract::Error> {
        let contract = EigenLayerStake::new(address, client.provider());
        let Ok(allocation_manager) = contract.ALLOCATION_MANAGER().call().await else {
            let contract = SymbioticStake::new(address, client.provider());
            return Ok(Self::Symbiotic(OnSymbiotic {
                vault_factory: contract.VAULT_FACTORY().call().await?,
                network: contract.NETWORK().call().await?,
                burner: contract.BURNER().call().await?,
                vault_duration: contract.VAULT_DURATION().call().await?,
            }));
        };
        let strategies = contract.strategies().call().await?;
        Ok(Self::EigenLayer(OnEigenLayer {
            allocation_manager,
            avs: contract.AVS().call().await?,
            lookahead: contract.LOOKAHEAD().call().await?,
            strategies: strategies.into_iter().map(|weighed| weighed.strategy).collect(),
        }))
    }

    /// Returns the name of the system.
    pub fn name(&self) -> &'static str {
        match self {
            Self::EigenLayer(_) => "EigenLayer",
            Self::Symbiotic(_) => "Symbiotic",
        }
    }
}

impl OnEigenLayer {
    /// Returns an operator set as EigenLayer names it.
    pub fn set(&self, operator_set: OperatorSetId) -> EigenLayerSet {
        EigenLayerSet { avs: self.avs, id: operator_set.into() }
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

//! Assent on EigenLayer's stake on a local chain: operators deposit, allocate and join, and anyone commits them.

use super::{
    eigenlayer::{Artifacts, EigenLayer},
    keeper,
};
use crate::transaction::send;
use alloy::{
    primitives::{
        Address, Bytes, U256,
        aliases::{U48, U96},
        utils::parse_ether,
    },
    providers::{DynProvider, Provider},
    sol_types::{SolCall, SolConstructor},
};
use anyhow::{Context as _, Result};
use assent_client::AssentClient;
use assent_contracts::{
    EigenLayerSlasher::{self, FaultTerms},
    EigenLayerStake::{self, EigenLayerSettings, MemberTerms, StrategyWeight},
    EpochKeeper::{self, KeeperSettings},
    Equivocation, FalseHandover, OperatorRegistry,
    bindings::eigenlayer::{
        IAllocationManagerCore::{self, AllocateParams, CreateSetParams, EigenLayerSet, RegisterParams},
        IDelegationManagerCore, IPermissionControllerCore, IStrategyManagerCore,
    },
    deployment::{Delays, Deployment},
};
use assent_examples::{ExampleToken, deploy_token};
use assent_verifier::{Epoch, OperatorSetId};

/// What each operator deposits, in tokens.
pub const STAKE: &str = "500";
/// The least that a member must have.
const MIN_WEIGHT: &str = "300";
const MAX_WEIGHT: &str = "10000";
const MAX_MEMBERS: u16 = 100;
/// One operator may have any share of the weight.
const ANY_SHARE: u16 = 10_000;
/// The share of its allocation that an operator loses for an offence, of 10^18: half of it.
pub const SLASHED_WAD: u64 = 500_000_000_000_000_000;
/// All of an operator's stake in a strategy.
const FULL_MAGNITUDE: u64 = 1_000_000_000_000_000_000;
/// For how many blocks a weight stays slashable: thirteen days of Ethereum's, below EigenLayer's delay.
pub const LOOKAHEAD: u32 = 93_600;
/// A local chain mines a block a second while the set-up lasts.
const BLOCK_TIME: u32 = 1;
const HOUR: u64 = 3_600;
/// For how long after an epoch its operators can be slashed.
const CHALLENGE_WINDOW: u64 = 6 * HOUR;
/// For how long after an epoch an offence can be recorded. The rest is the time to punish.
const RECORDING_WINDOW: u64 = 5 * HOUR;
/// An epoch and the challenge window must end within `LOOKAHEAD` blocks of a second.
const EPOCH_LIFETIME: u64 = 18 * HOUR;
const ACTIVATION_DELAY: u64 = 60;
const GRACE_PERIOD: u64 = 600;
const INTERVAL: u64 = 60;
const NOTICE: u64 = 60;

/// The delays of the registry.
pub fn delays() -> Delays {
    Delays {
        epoch_lifetime: U48::from(EPOCH_LIFETIME),
        activation_delay: U48::from(ACTIVATION_DELAY),
        grace_period: U48::from(GRACE_PERIOD),
    }
}

/// The contracts of stake, and EigenLayer's.
#[derive(Clone, Copy)]
pub struct StakedNetwork {
    pub core: EigenLayer,
    /// The account that the operator set belongs to, and that governs EigenLayer here.
    pub avs: Address,
    pub operator_set: OperatorSetId,
    pub stake: Address,
    pub keeper: Address,
    pub slasher: Address,
    pub equivocation: Address,
    pub false_handover: Address,
}

impl StakedNetwork {
    /// Deploys the contracts and gives the registry, which has no epoch yet, to a keeper.
    pub async fn deploy(
        client: &AssentClient<DynProvider>,
        artifacts: &Artifacts,
        deployment: &Deployment,
        operator_set: OperatorSetId,
    ) -> Result<Self> {
        let (owner, registry) = (deployment.owner, deployment.operator_registry.address);
        let (token, _) = deploy_token(client, owner, parse_ether("1000000")?).await?;
        let core = EigenLayer::deploy(client, artifacts, owner, token).await?;
        let settings = EigenLayerSettings {
            allocationManager: core.allocation_manager,
            avs: owner,
            lookahead: LOOKAHEAD,
            blockTime: BLOCK_TIME,
            members: MemberTerms {
                operatorRegistry: registry,
                admission: Address::ZERO,
                minWeight: weight(MIN_WEIGHT)?,
                maxWeight: weight(MAX_WEIGHT)?,
                maxMembers: MAX_MEMBERS,
                maxShare: ANY_SHARE,
                challengeWindow: U48::from(CHALLENGE_WINDOW),
            },
        };
        let weighed = vec![StrategyWeight { strategy: core.strategy, multiplier: U96::from(FULL_MAGNITUDE) }];
        let constructor = EigenLayerStake::constructorCall { settings, weighed };
        let stake = create(client, owner, &EigenLayerStake::BYTECODE, &constructor).await?;
        let set_source = OperatorRegistry::setStakeSourceCall { newStakeSource: stake };
        send(client, owner, registry, &set_source).await?;

        let constructor = Equivocation::constructorCall { operatorRegistry: registry };
        let equivocation = create(client, owner, &Equivocation::BYTECODE, &constructor).await?;
        let constructor = FalseHandover::constructorCall { operatorRegistry: registry };
        let false_handover = create(client, owner, &FalseHandover::BYTECODE, &constructor).await?;
        let terms = |fault| FaultTerms { fault, wad: SLASHED_WAD };
        let constructor = EigenLayerSlasher::constructorCall {
            stake,
            challengeWindow: U48::from(RECORDING_WINDOW),
            punished: vec![terms(equivocation), terms(false_handover)],
        };
        let slasher = create(client, owner, &EigenLayerSlasher::BYTECODE, &constructor).await?;

        let settings = KeeperSettings {
            operatorRegistry: registry,
            notice: U48::from(NOTICE),
            interval: U48::from(INTERVAL),
            haltQuorum: 5000,
            minOperators: 1,
            guardian: Address::ZERO,
        };
        let constructor = EpochKeeper::constructorCall { owner, settings };
        let keeper = create(client, owner, &EpochKeeper::BYTECODE, &constructor).await?;
        send(client, owner, registry, &OperatorRegistry::transferOwnershipCall { newOwner: keeper }).await?;
        send(client, owner, keeper, &EpochKeeper::acceptRegistryCall {}).await?;
        let staked = Self { core, avs: owner, operator_set, stake, keeper, slasher, equivocation, false_handover };
        staked.create_set(client).await?;
        Ok(staked)
    }

    /// The AVS makes the operator set, and appoints who may eject and who may slash.
    async fn create_set(&self, client: &AssentClient<DynProvider>) -> Result<()> {
        let Self { core, avs, operator_set, stake, slasher, .. } = *self;
        let manager = core.allocation_manager;
        let metadata = IAllocationManagerCore::updateAVSMetadataURICall { avs, metadataURI: "local".to_owned() };
        send(client, avs, manager, &metadata).await?;
        send(client, avs, manager, &IAllocationManagerCore::setAVSRegistrarCall { avs, registrar: stake }).await?;
        let params = vec![CreateSetParams { operatorSetId: operator_set.into(), strategies: vec![core.strategy] }];
        send(client, avs, manager, &IAllocationManagerCore::createOperatorSetsCall { avs, params }).await?;
        for (appointee, selector) in [
            (stake, IAllocationManagerCore::deregisterFromOperatorSetsCall::SELECTOR),
            (slasher, IAllocationManagerCore::slashOperatorCall::SELECTOR),
        ] {
            let appoint = IPermissionControllerCore::setAppointeeCall {
                account: avs,
                appointee,
                target: manager,
                selector: selector.into(),
            };
            send(client, avs, core.permission_controller, &appoint).await?;
        }
        Ok(())
    }

    /// Each operator deposits tokens, allocates all of them to the set, and joins it. Each has a key in the registry.
    pub async fn join(&self, client: &AssentClient<DynProvider>, operators: &[Address]) -> Result<()> {
        let Self { core, avs, operator_set, .. } = *self;
        let amount = parse_ether(STAKE)?;
        for operator in operators {
            let register = IDelegationManagerCore::registerAsOperatorCall {
                delegationApprover: Address::ZERO,
                allocationDelay: 0,
                metadataURI: String::new(),
            };
            send(client, *operator, core.delegation_manager, &register).await.context("registering with EigenLayer")?;
        }
        for operator in operators {
            let transfer = ExampleToken::transferCall { to: *operator, value: amount };
            send(client, avs, core.token, &transfer).await?;
            let approve = ExampleToken::approveCall { spender: core.strategy_manager, value: amount };
            send(client, *operator, core.token, &approve).await?;
            let (strategy, token) = (core.strategy, core.token);
            let deposit = IStrategyManagerCore::depositIntoStrategyCall { strategy, token, amount };
            send(client, *operator, core.strategy_manager, &deposit).await.context("depositing")?;
        }
        for operator in operators {
            let params = vec![AllocateParams {
                operatorSet: self.set(),
                strategies: vec![core.strategy],
                newMagnitudes: vec![FULL_MAGNITUDE],
            }];
            let allocate = IAllocationManagerCore::modifyAllocationsCall { operator: *operator, params };
            send(client, *operator, core.allocation_manager, &allocate).await.context("allocating")?;
        }
        for operator in operators {
            let params = RegisterParams { avs, operatorSetIds: vec![operator_set.into()], data: Bytes::new() };
            let join = IAllocationManagerCore::registerForOperatorSetsCall { operator: *operator, params };
            send(client, *operator, core.allocation_manager, &join).await.context("joining the operator set")?;
        }
        Ok(())
    }

    /// Anyone commits all members. The set's first epoch is in force at once.
    pub async fn commit(&self, client: &AssentClient<DynProvider>, from: Address, registry: Address) -> Result<Epoch> {
        let committed = keeper::commit(client, from, self.keeper, self.operator_set, None).await;
        let (number, _) = committed.context("committing the members")?;
        Ok(client.read_epoch(registry, number).await?)
    }

    /// Reads an operator's shares that the set can slash, also of one that has left.
    pub async fn slashable(&self, client: &AssentClient<DynProvider>, operator: Address) -> Result<U256> {
        let block = client.provider().get_block_number().await?;
        let future = u32::try_from(block).unwrap_or(u32::MAX).saturating_add(LOOKAHEAD);
        let manager = IAllocationManagerCore::new(self.core.allocation_manager, client.provider());
        let strategies = vec![self.core.strategy];
        let shares = manager.getMinimumSlashableStake(self.set(), vec![operator], strategies, future).call().await?;
        let shares = shares.first().and_then(|of_operator| of_operator.first()).copied();
        shares.context("EigenLayer returned no stake")
    }

    /// Returns the contracts' names and addresses.
    pub fn contracts(&self) -> [(&'static str, Address); 7] {
        [
            ("AllocationManager", self.core.allocation_manager),
            ("DelegationManager", self.core.delegation_manager),
            ("EigenLayerStake", self.stake),
            ("EpochKeeper", self.keeper),
            ("EigenLayerSlasher", self.slasher),
            ("Equivocation", self.equivocation),
            ("FalseHandover", self.false_handover),
        ]
    }

    fn set(&self) -> EigenLayerSet {
        EigenLayerSet { avs: self.avs, id: self.operator_set.into() }
    }
}

async fn create(
    client: &AssentClient<DynProvider>,
    from: Address,
    bytecode: &Bytes,
    constructor: &impl SolConstructor,
) -> Result<Address> {
    let init_code = [bytecode.as_ref(), &constructor.abi_encode()].concat();
    Ok(client.create(from, init_code.into()).await?.0)
}

fn weight(tokens: &str) -> Result<U96> {
    Ok(parse_ether(tokens)?.to())
}

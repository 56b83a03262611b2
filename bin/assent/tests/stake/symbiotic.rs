//! Operators with vaults of Symbiotic join and leave a set, on Symbiotic's own contracts.

use super::{ALICE, Anvil, BOB, Desk, OWNER, Ran, fetched, tokens};
use alloy::{
    primitives::{
        Address, Bytes, U256,
        aliases::{U48, U96},
        hex,
    },
    providers::{DynProvider, Provider, ProviderBuilder},
    sol_types::{SolCall, SolConstructor, SolValue},
};
use assent_client::{AssentClient, PreparedCall};
use assent_contracts::{
    EpochKeeper::{self, KeeperSettings},
    OperatorAllowlist, OperatorRegistry,
    SymbioticStake::{self, CollateralWeight, MemberTerms, SymbioticSettings},
    bindings::symbiotic::{
        IDelegatorCore, IFactoryCore,
        INetworkRegistryCore::registerNetworkCall,
        IOperatorRegistryCore::registerOperatorCall,
        IVaultConfiguratorCore::{self, ConfiguratorInit, createCall},
        IVaultCore,
    },
};
use assent_examples::{ExampleToken, deploy_token};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The account that is the network on Symbiotic.
const NETWORK: &str = "0x90F79bf6EB2c4f870365E785982E1f101E93b906";
const BURNER: &str = "0x00000000000000000000000000000000000B04e4";
/// The regions and providers that they declare.
const OF_ALICE: (&str, &str) = ("eu-north", "own hardware");
const OF_BOB: (&str, &str) = ("us-west", "a cloud");
const DAY: u64 = 24 * 3_600;
/// Epochs of seven days, and six more in which their operators can be slashed.
const VAULT_DURATION: u64 = 13 * DAY + 1;

mod parameters {
    #![allow(missing_docs, reason = "Symbiotic's own structs")]
    alloy::sol! {
        struct VaultInit {
            address collateral;
            address burner;
            uint48 epochDuration;
            bool depositWhitelist;
            bool isDepositLimit;
            uint256 depositLimit;
            address defaultAdminRoleHolder;
            address depositWhitelistSetRoleHolder;
            address depositorWhitelistRoleHolder;
            address isDepositLimitSetRoleHolder;
            address depositLimitSetRoleHolder;
        }

        struct DelegatorBaseInit {
            address defaultAdminRoleHolder;
            address hook;
            address hookSetRoleHolder;
        }

        struct OperatorNetworkInit {
            DelegatorBaseInit base;
            address network;
            address operator;
        }
    } // sol!
}

/// Sends transactions to a chain that signs for its accounts.
struct Chain {
    runtime: tokio::runtime::Runtime,
    client: AssentClient<DynProvider>,
    artifacts: PathBuf,
    owner: Address,
}

impl Chain {
    fn at(url: &str, artifacts: PathBuf) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let client = AssentClient::new(ProviderBuilder::new().connect_http(url.parse().unwrap()).erased());
        Self { runtime, client, artifacts, owner: OWNER.parse().unwrap() }
    }

    fn send(&self, from: Address, to: Address, call: &impl SolCall) {
        let call = PreparedCall::new(from, to, call.abi_encode());
        self.runtime.block_on(self.client.send(&call)).unwrap();
    }

    fn create(&self, bytecode: &[u8], arguments: &[u8]) -> Address {
        let init_code = Bytes::from([bytecode, arguments].concat());
        self.runtime.block_on(self.client.create(self.owner, init_code)).unwrap().0
    }

    /// Deploys a contract of Symbiotic's.
    fn deploy(&self, name: &str, arguments: &[u8]) -> Address {
        let text = std::fs::read_to_string(self.artifacts.join(format!("{name}.json"))).unwrap();
        let artifact: Value = serde_json::from_str(&text).unwrap();
        self.create(&hex::decode(artifact["bytecode"]["object"].as_str().unwrap()).unwrap(), arguments)
    }

    /// Adds an implementation to a factory. Its last argument is its type: the number of those before it.
    fn whitelist(&self, factory: Address, name: &str, arguments: &[u8]) {
        let types = IFactoryCore::new(factory, self.client.provider());
        let number = self.runtime.block_on(async { types.totalTypes().call().await }).unwrap();
        let implementation = self.deploy(name, &[arguments, &number.abi_encode()].concat());
        self.send(self.owner, factory, &IFactoryCore::whitelistCall { implementation });
    }
}

/// Symbiotic's core, Assent on its stake, and two operators with keys.
struct World {
    anvil: Anvil,
    desk: Desk,
    chain: Chain,
    operators: Address,
    configurator: Address,
    collateral: Address,
    registry: Address,
    stake: Address,
    keeper: Address,
}

impl World {
    fn set(artifacts: PathBuf) -> Self {
        let (anvil, desk) = (Anvil::start(&[]), Desk::new());
        let chain = Chain::at(&anvil.url, artifacts);
        let deploy = ["deploy", "--owner", OWNER, "--account", OWNER, "--json", "--rpc-url", &anvil.url];
        let deployed = desk.run(&deploy).json();
        let registry: Address = deployed["contracts"][1]["address"].as_str().unwrap().parse().unwrap();
        let owner = chain.owner;
        let token = deploy_token(&chain.client, owner, U256::MAX);
        let collateral = chain.runtime.block_on(token).unwrap().0;

        let vaults = chain.deploy("VaultFactory", &owner.abi_encode());
        let delegators = chain.deploy("DelegatorFactory", &owner.abi_encode());
        let slashers = chain.deploy("SlasherFactory", &owner.abi_encode());
        let networks = chain.deploy("NetworkRegistry", &[]);
        let operators = chain.deploy("OperatorRegistry", &[]);
        let service = chain.deploy("NetworkMiddlewareService", &networks.abi_encode());
        let opt_ins = |registry: Address, name: &str| {
            chain.deploy("OptInService", &(operators, registry, name.to_owned()).abi_encode_params())
        };
        let of_vaults = opt_ins(vaults, "OperatorVaultOptInService");
        let of_networks = opt_ins(networks, "OperatorNetworkOptInService");
        let vault = chain.deploy("Vault", &(delegators, slashers, vaults).abi_encode());
        chain.send(owner, vaults, &IFactoryCore::whitelistCall { implementation: vault });
        let common = (networks, vaults, of_vaults, of_networks, delegators).abi_encode();
        let with_operators = [operators.abi_encode(), common.clone()].concat();
        chain.whitelist(delegators, "NetworkRestakeDelegator", &common);
        chain.whitelist(delegators, "FullRestakeDelegator", &common);
        chain.whitelist(delegators, "OperatorSpecificDelegator", &with_operators);
        chain.whitelist(delegators, "OperatorNetworkSpecificDelegator", &with_operators);
        chain.whitelist(slashers, "Slasher", &(vaults, service, slashers).abi_encode());
        let configurator = chain.deploy("VaultConfigurator", &(vaults, delegators, slashers).abi_encode());
        chain.send(NETWORK.parse().unwrap(), networks, &registerNetworkCall {});

        let admission = chain.create(&OperatorAllowlist::BYTECODE, &owner.abi_encode());
        for (account, (region, provider)) in [(ALICE, OF_ALICE), (BOB, OF_BOB)] {
            let operator = account.parse().unwrap();
            let (region, provider) = (region.to_owned(), provider.to_owned());
            let admit = OperatorAllowlist::admitCall { operatorSet: 1, operator, region, provider };
            chain.send(owner, admission, &admit);
        }

        let settings = SymbioticSettings {
            vaultFactory: vaults,
            network: NETWORK.parse().unwrap(),
            burner: BURNER.parse().unwrap(),
            vaultDuration: U48::from(VAULT_DURATION),
            members: MemberTerms {
                operatorRegistry: registry,
                admission,
                minWeight: weight(100),
                maxWeight: weight(10_000),
                maxMembers: 100,
                maxShare: 10_000,
                challengeWindow: U48::from(6 * DAY),
            },
        };
        let weighed = vec![CollateralWeight { collateral, multiplier: weight(1) }];
        let arguments = SymbioticStake::constructorCall { settings, weighed }.abi_encode();
        let stake = chain.create(&SymbioticStake::BYTECODE, &arguments);
        chain.send(owner, registry, &OperatorRegistry::setStakeSourceCall { newStakeSource: stake });
        let settings = KeeperSettings {
            operatorRegistry: registry,
            notice: U48::from(DAY),
            interval: U48::from(60),
            haltQuorum: 5_000,
            minOperators: 1,
            guardian: Address::ZERO,
        };
        let arguments = EpochKeeper::constructorCall { owner, settings }.abi_encode();
        let keeper = chain.create(&EpochKeeper::BYTECODE, &arguments);
        chain.send(owner, registry, &OperatorRegistry::transferOwnershipCall { newOwner: keeper });
        chain.send(owner, keeper, &EpochKeeper::acceptRegistryCall {});
        let world = Self { anvil, desk, chain, operators, configurator, collateral, registry, stake, keeper };
        world.register(ALICE);
        world.register(BOB);
        world
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.desk.run(&[arguments, &["--rpc-url", &self.anvil.url]].concat())
    }

    fn operator(&self, command: &str, account: &str, more: &[&str]) -> Ran {
        let stake = self.stake.to_string();
        let of_set = ["operator", command, "--stake", &stake, "--operator-set", "1", "--account", account];
        self.run(&[&of_set[..], more].concat())
    }

    fn status(&self) -> Value {
        let stake = self.stake.to_string();
        self.run(&["stake", "status", "--stake", &stake, "--operator-set", "1", "--json"]).json()
    }

    /// An operator registers its key, and at Symbiotic.
    fn register(&self, account: &str) {
        let (key, registry) = (format!("{account}.key"), self.registry.to_string());
        self.desk.run(&["keys", "new", "--out", &key, "--unencrypted"]).succeeded();
        let register = ["operator", "register", "--registry", &registry, "--key", &key, "--account", account];
        self.run(&register).succeeded();
        self.chain.send(account.parse().unwrap(), self.operators, &registerOperatorCall {});
    }

    /// Creates a vault for one operator and the network, with the burner that the set requires.
    fn create_vault(&self, account: &str, duration: u64) -> Address {
        let (owner, operator) = (self.chain.owner, account.parse().unwrap());
        let vault = parameters::VaultInit {
            collateral: self.collateral,
            burner: BURNER.parse().unwrap(),
            epochDuration: U48::from(duration),
            depositWhitelist: false,
            isDepositLimit: false,
            depositLimit: U256::ZERO,
            defaultAdminRoleHolder: owner,
            depositWhitelistSetRoleHolder: Address::ZERO,
            depositorWhitelistRoleHolder: Address::ZERO,
            isDepositLimitSetRoleHolder: Address::ZERO,
            depositLimitSetRoleHolder: Address::ZERO,
        };
        let base = parameters::DelegatorBaseInit {
            defaultAdminRoleHolder: owner,
            hook: Address::ZERO,
            hookSetRoleHolder: Address::ZERO,
        };
        let delegator = parameters::OperatorNetworkInit { base, network: NETWORK.parse().unwrap(), operator };
        let params = ConfiguratorInit {
            version: 1,
            owner,
            vaultParams: vault.abi_encode().into(),
            delegatorIndex: 3,
            delegatorParams: delegator.abi_encode().into(),
            withSlasher: true,
            slasherIndex: 0,
            slasherParams: false.abi_encode().into(),
        };
        let configurator = IVaultConfiguratorCore::new(self.configurator, self.chain.client.provider());
        let created = async { configurator.create(params.clone()).from(owner).call().await };
        let created = self.chain.runtime.block_on(created).unwrap();
        self.chain.send(owner, self.configurator, &createCall { params });
        created.vault
    }

    fn deposit(&self, vault: Address, amount: u64) {
        let (owner, amount) = (self.chain.owner, U256::from(weight(amount)));
        self.chain.send(owner, self.collateral, &ExampleToken::approveCall { spender: vault, value: amount });
        self.chain.send(owner, vault, &IVaultCore::depositCall { onBehalfOf: owner, amount });
    }

    fn set_limit(&self, vault: Address) {
        let delegator = IVaultCore::new(vault, self.chain.client.provider());
        let delegator = self.chain.runtime.block_on(async { delegator.delegator().call().await }).unwrap();
        let limit = IDelegatorCore::setMaxNetworkLimitCall { identifier: U96::from(1), amount: U256::MAX };
        self.chain.send(NETWORK.parse().unwrap(), delegator, &limit);
    }
}

fn weight(number: u64) -> U96 {
    U96::from(number) * U96::from(1_000_000_000_000_000_000_u64)
}

#[test]
fn an_operator_with_a_vault_opts_in_joins_and_leaves_and_is_in_the_epoch_between() {
    let Some(folder) = fetched("symbiotic", "Symbiotic") else { return };
    let world = World::set(folder);
    let (of_alice, of_bob) = (world.create_vault(ALICE, VAULT_DURATION), world.create_vault(BOB, VAULT_DURATION));
    let (alice_vault, bob_vault) = (of_alice.to_string(), of_bob.to_string());
    let by_alice = |more: &[&str]| world.operator("join", ALICE, &[&["--vault", &alice_vault], more].concat());

    // What is missing is named, one after the other.
    by_alice(&[]).failed(1, &["has not opted into the vault", "--opt-in"]);
    by_alice(&["--opt-in"]).failed(1, &["set no limit for operator set 1", "setMaxNetworkLimit(1, LIMIT)", NETWORK]);
    world.set_limit(of_alice);
    world.deposit(of_alice, 99);
    by_alice(&[]).failed(1, &[&tokens(99), &tokens(100), "have stakers deposit more"]);
    world.deposit(of_alice, 401);
    // It has opted in, and what is deposited weighs from the next second on.
    let joined = by_alice(&["--json"]).json();
    assert_eq!((&joined["weight"], joined["transactions"].as_array().unwrap().len()), (&json!(tokens(500)), 1));
    by_alice(&[]).failed(1, &["is a member of operator set 1 already"]);

    world.set_limit(of_bob);
    world.deposit(of_bob, 300);
    let joined = world.operator("join", BOB, &["--vault", &bob_vault, "--opt-in", "--json"]).json();
    assert_eq!((&joined["weight"], joined["transactions"].as_array().unwrap().len()), (&json!(tokens(300)), 3));

    let status = world.status();
    assert_eq!((&status["system"], &status["totalWeight"]), (&json!("Symbiotic"), &json!(tokens(800))));
    assert_eq!((&status["vaultDuration"], &status["slashableFor"]), (&json!(VAULT_DURATION), &json!(7 * DAY)));
    let member = |status: &Value, account: &str| {
        let members = status["members"].as_array().unwrap().clone();
        members.into_iter().find(|member| member["operator"] == json!(account.to_lowercase()))
    };
    assert_eq!(member(&status, BOB).unwrap()["vault"], json!(of_bob));
    assert_eq!(member(&status, ALICE).unwrap()["share"], json!(6_250));
    let of_bob = member(&status, BOB).unwrap();
    assert_eq!((&of_bob["region"], &of_bob["provider"]), (&json!(OF_BOB.0), &json!(OF_BOB.1)));

    let keeper = world.keeper.to_string();
    let commit = ["epoch", "commit", "--keeper", &keeper, "--operator-set", "1", "--account", OWNER, "--json"];
    let committed = world.run(&commit).json();
    assert_eq!((&committed["epoch"], &committed["operators"]), (&json!(1), &json!(2)));
    let shown = world.run(&["epoch", "show", "--registry", &world.registry.to_string(), "--epoch", "1"]).succeeded();
    for (region, provider) in [OF_ALICE, OF_BOB] {
        assert!(shown.contains(region) && shown.contains(provider), "{shown}");
    }

    let left = world.operator("leave", BOB, &["--json"]).json();
    let now = world.anvil.ask("eth_getBlockByNumber", &json!(["latest", false]))["timestamp"].clone();
    let now = u64::from_str_radix(now.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    assert_eq!(left["slashableUntil"], json!(now + VAULT_DURATION));
    world.operator("leave", BOB, &[]).failed(1, &["is not a member", "assent stake status"]);
    let status = ["epoch", "status", "--keeper", &keeper, "--operator-set", "1"];
    let lost = world.run(&[&status[..], &["--json"]].concat()).json()["lost"][0].clone();
    assert_eq!((&lost["operator"], &lost["region"]), (&json!(BOB.to_lowercase()), &json!(OF_BOB.0)));
    let said = world.run(&status).succeeded();
    assert!(said.contains("(us-west, a cloud)"), "{said}");
    assert!(member(&world.status(), BOB).is_none());
    // Its vault backs it for good.
    let joined = world.operator("join", BOB, &["--json"]).json();
    assert_eq!(joined["transactions"].as_array().unwrap().len(), 1);
}

#[test]
fn an_unfit_vault_is_not_opted_into_and_the_error_says_which_one_fits() {
    let Some(folder) = fetched("symbiotic", "Symbiotic") else { return };
    let world = World::set(folder);
    let of_bob = world.create_vault(BOB, VAULT_DURATION).to_string();
    let short = world.create_vault(ALICE, VAULT_DURATION - 1).to_string();
    world.operator("join", ALICE, &[]).failed(1, &["--vault", NETWORK]);
    let allocate = world.operator("join", ALICE, &["--vault", &short, "--allocate", "50"]);
    allocate.failed(1, &["--allocate is for stake on EigenLayer", "--vault"]);
    let before = world.anvil.ask("eth_blockNumber", &json!([]));
    for (vault, words) in [
        (OWNER, "no vault of Symbiotic's factory"),
        (&of_bob, "the vault is for another operator"),
        (&short, "epochs of at least 1123201 seconds"),
    ] {
        world.operator("join", ALICE, &["--vault", vault, "--opt-in"]).failed(1, &[words]);
    }
    assert_eq!(world.anvil.ask("eth_blockNumber", &json!([])), before, "nothing was sent");
}

//! `script/Deploy.s.sol` deploys on a real chain what this crate computes.

use alloy::{
    node_bindings::Anvil,
    primitives::{Address, B256, U256, address, aliases::U48, keccak256},
    providers::ProviderBuilder,
    sol,
};
use assent_contracts::{
    OperatorRegistry, OwnerStakeSource, PolicyRegistry, TaskManager,
    deployment::{self, Delays, Deployment, InvalidDeployment, MAX_EPOCH_LIFETIME},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Mutex, PoisonError},
};

sol! {
    #[sol(rpc)]
    interface TimelockController {
        function getMinDelay() external view returns (uint256);
        function hasRole(bytes32 role, address account) external view returns (bool);
    }
}

const OWNER: Address = address!("0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
const OWNER_TEXT: &str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";
/// deployments/.gitignore leaves out what is written for these chains. Each test that writes has its own.
const CHAIN_ID: u64 = 931_337;
const CHAIN_WITH_TIMELOCK: u64 = 9_231_337;
/// EIP-170.
const CODE_LIMIT: usize = 24_576;

#[test]
fn the_script_deploys_to_the_computed_addresses_and_a_second_run_changes_nothing() {
    let anvil = anvil("osaka", CHAIN_ID);
    let record = Record::of(CHAIN_ID);
    let expected = Deployment::new(OWNER, with_grace_period(3600)).unwrap();
    let policy_registry = deployment::policy_registry();

    for new in [true, false] {
        let output = run_script(&anvil.endpoint(), &[owner(), ("ASSENT_GRACE_PERIOD", "3600")]);
        let printed = text(&output);
        assert!(output.status.success(), "{printed}");
        let state = if new { "(new)" } else { "(was deployed already)" };
        for contract in expected.in_order().into_iter().chain([&policy_registry]) {
            assert!(printed.contains(&format!("{} {} {state}", contract.name, contract.address)), "{printed}");
        }

        // An account other than the owner deployed.
        let next = format!("{OWNER} must call addValidator({})", expected.task_manager.address);
        assert!(printed.contains(&next), "{printed}");

        let written = record.read();
        assert_eq!(written["chainId"], CHAIN_ID);
        assert_eq!(written["owner"], OWNER.to_string());
        assert_eq!(written["weightsOwner"], OWNER.to_string());
        assert_eq!(written["epochLifetime"], 604_800);
        assert_eq!(written["activationDelay"], 86_400);
        assert_eq!(written["gracePeriod"], 3600);
        assert_eq!(written["ownerStakeSource"], expected.owner_stake_source.address.to_string());
        assert_eq!(written["operatorRegistry"], expected.operator_registry.address.to_string());
        assert_eq!(written["taskManager"], expected.task_manager.address.to_string());
        assert_eq!(written["policyRegistry"], policy_registry.address.to_string());
        fs::remove_file(&record.0).unwrap();
    }
}

/// The owner commits and revokes at once, and its weights change only after the timelock's delay.
#[tokio::test(flavor = "current_thread")]
async fn the_script_gives_the_weights_to_a_timelock_of_the_owner() {
    let anvil = anvil("osaka", CHAIN_WITH_TIMELOCK);
    let record = Record::of(CHAIN_WITH_TIMELOCK);
    let output = run_script(&anvil.endpoint(), &[owner(), ("ASSENT_TIMELOCK_DELAY", "86400")]);
    assert!(output.status.success(), "{}", text(&output));

    let written = record.read();
    let address = |field: &str| written[field].as_str().unwrap().parse::<Address>().unwrap();
    let provider = ProviderBuilder::new().connect_http(anvil.endpoint_url());
    let registry = OperatorRegistry::new(address("operatorRegistry"), &provider);
    assert_eq!(registry.owner().call().await.unwrap(), OWNER);
    let timelock = address("weightsOwner");
    let stake_source = OwnerStakeSource::new(address("ownerStakeSource"), &provider);
    assert_eq!(stake_source.owner().call().await.unwrap(), timelock);
    assert_eq!(registry.stakeSource().call().await.unwrap(), *stake_source.address());

    let timelock = TimelockController::new(timelock, &provider);
    assert_eq!(timelock.getMinDelay().call().await.unwrap(), U256::from(86_400));
    let has_role = |role: B256, account: Address| {
        let query = timelock.hasRole(role, account);
        async move { query.call().await.unwrap() }
    };
    let (proposer, executor) = (keccak256("PROPOSER_ROLE"), keccak256("EXECUTOR_ROLE"));
    let anyone = Address::ZERO;
    assert!(has_role(proposer, OWNER).await && has_role(executor, anyone).await);
    let administrator = B256::ZERO;
    assert!(!has_role(proposer, anyone).await && !has_role(administrator, OWNER).await);
}

#[test]
fn the_script_says_what_is_missing() {
    let anvil = anvil("osaka", CHAIN_ID);
    let no_owner = run_script(&anvil.endpoint(), &[]);
    assert!(!no_owner.status.success());
    assert!(text(&no_owner).contains("OwnerMissing"), "{}", text(&no_owner));

    let mistyped = OWNER.to_string().replace("79C8", "79c8");
    let wrong_checksum = run_script(&anvil.endpoint(), &[("ASSENT_OWNER", &mistyped)]);
    assert!(!wrong_checksum.status.success());
    assert!(text(&wrong_checksum).contains("WrongChecksum"), "{}", text(&wrong_checksum));
    assert!(text(&wrong_checksum).contains(&OWNER.to_string()), "{}", text(&wrong_checksum));

    let too_long = run_script(&anvil.endpoint(), &[owner(), ("ASSENT_GRACE_PERIOD", "518400")]);
    assert!(!too_long.status.success());
    assert!(text(&too_long).contains("DelaysTooLong(86400 "), "{}", text(&too_long));

    let before_prague = self::anvil("cancun", CHAIN_ID);
    let no_precompiles = run_script(&before_prague.endpoint(), &[owner()]);
    assert!(!no_precompiles.status.success());
    assert!(text(&no_precompiles).contains("PrecompilesMissing"), "{}", text(&no_precompiles));
}

#[test]
fn every_contract_is_within_the_code_limit() {
    let contracts = [
        ("OwnerStakeSource", &OwnerStakeSource::DEPLOYED_BYTECODE),
        ("OperatorRegistry", &OperatorRegistry::DEPLOYED_BYTECODE),
        ("TaskManager", &TaskManager::DEPLOYED_BYTECODE),
        ("PolicyRegistry", &PolicyRegistry::DEPLOYED_BYTECODE),
    ];
    for (name, code) in contracts {
        assert!((1..=CODE_LIMIT).contains(&code.len()), "{name} has {} bytes", code.len());
    }
}

#[test]
fn arguments_that_a_constructor_refuses_are_refused_here() {
    let delays = Delays::default();
    assert_eq!(Deployment::new(Address::ZERO, delays), Err(InvalidDeployment::ZeroOwner));

    // The activation delay is a day, and a lifetime seven.
    let too_long = with_grace_period(6 * 86_400);
    assert_eq!(Deployment::new(OWNER, too_long), Err(InvalidDeployment::DelaysTooLong(too_long)));
    assert!(Deployment::new(OWNER, with_grace_period(6 * 86_400 - 1)).is_ok());
    let overflow = Delays { activation_delay: U48::MAX, ..delays };
    assert_eq!(Deployment::new(OWNER, overflow), Err(InvalidDeployment::DelaysTooLong(overflow)));

    let longest = MAX_EPOCH_LIFETIME;
    assert!(Deployment::new(OWNER, Delays { epoch_lifetime: longest, ..delays }).is_ok());
    let epoch_lifetime = longest + U48::from(1);
    let too_long = InvalidDeployment::EpochLifetimeTooLong { epoch_lifetime, longest };
    assert_eq!(Deployment::new(OWNER, Delays { epoch_lifetime, ..delays }), Err(too_long));
}

#[test]
fn another_owner_or_delay_gives_other_addresses() {
    let task_manager = |owner, delays| Deployment::new(owner, delays).unwrap().task_manager.address;
    let (one, delays) = (U48::from(1), Delays::default());
    let usual = task_manager(OWNER, delays);
    assert_ne!(usual, task_manager(Address::repeat_byte(1), delays));
    assert_ne!(usual, task_manager(OWNER, with_grace_period(1)));
    assert_ne!(usual, task_manager(OWNER, Delays { activation_delay: one, ..delays }));
    assert_ne!(usual, task_manager(OWNER, Delays { epoch_lifetime: MAX_EPOCH_LIFETIME, ..delays }));
}

fn with_grace_period(seconds: u64) -> Delays {
    Delays { grace_period: U48::from(seconds), ..Delays::default() }
}

fn anvil(hardfork: &str, chain_id: u64) -> alloy::node_bindings::AnvilInstance {
    let anvil = Anvil::at(root().join("node_modules/.bin/anvil")).chain_id(chain_id).args(["--hardfork", hardfork]);
    anvil.try_spawn().expect("anvil starts (run `npm ci`)")
}

fn owner() -> (&'static str, &'static str) {
    ("ASSENT_OWNER", OWNER_TEXT)
}

fn run_script(endpoint: &str, settings: &[(&str, &str)]) -> Output {
    // One at a time, so that the sources are compiled once, and apart from what `forge test` does in the repository.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let artifacts = Path::new(env!("CARGO_TARGET_TMPDIR")).join("deploy-script");
    let mut forge = Command::new(root().join("node_modules/.bin/forge"));
    forge
        .current_dir(root())
        // --slow, which sends one transaction after the other: of three that arrive together, anvil now and then never
        // mines the last, and forge waits for it for ever.
        .args(["script", "script/Deploy.s.sol", "--broadcast", "--slow", "--unlocked", "--color", "never"])
        // The first of anvil's accounts, which it signs for.
        .args(["--sender", "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"])
        .args(["--rpc-url", endpoint])
        .arg("--out")
        .arg(artifacts.join("out"))
        .arg("--cache-path")
        .arg(artifacts.join("cache"))
        .env("FOUNDRY_PROFILE", "default")
        .env_remove("ASSENT_OWNER")
        .env_remove("ASSENT_GRACE_PERIOD")
        .env_remove("ASSENT_TIMELOCK_DELAY")
        .envs(settings.iter().copied());
    forge.output().expect("forge starts (run `npm ci`)")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// What the script writes. Removed when the test ends, however it ends.
struct Record(PathBuf);

impl Record {
    fn of(chain_id: u64) -> Self {
        Self(root().join(format!("deployments/{chain_id}.json")))
    }

    fn read(&self) -> serde_json::Value {
        serde_json::from_slice(&fs::read(&self.0).unwrap()).unwrap()
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

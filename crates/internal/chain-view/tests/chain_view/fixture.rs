//! A vault under a policy with two operators, on a real anvil.

use std::path::Path;

use alloy::{
    node_bindings::{Anvil, AnvilInstance},
    primitives::{
        Address, B256, U256,
        aliases::{U48, U96},
        hex,
    },
    providers::{DynProvider, Provider, ProviderBuilder, ext::AnvilApi},
    sol_types::SolCall,
};
use assent_client::{AssentClient, PreparedCall};
use assent_contracts::{
    OperatorAllowlist::{self, admitCall},
    deployment::Delays,
};
use assent_examples::{TreasuryVault, deploy_vault};
use assent_signer::SecretKey;
use assent_verifier::{EpochId, OperatorSetId, Policy};

pub type Result<T = (), E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

pub const OPERATOR_SET: OperatorSetId = OperatorSetId(3);

pub struct Fixture {
    client: AssentClient<DynProvider>,
    owner: Address,
    pub operators: Vec<Address>,
    pub registry: Address,
    pub task_manager: Address,
    pub vault: Address,
    stake_source: Address,
    _anvil: AnvilInstance,
}

impl Fixture {
    pub async fn new() -> Result<Self> {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../node_modules/.bin/anvil"));
        let anvil = Anvil::at(path).args(["--hardfork", "osaka"]).try_spawn().expect("anvil starts (run `npm ci`)");
        let client = AssentClient::new(ProviderBuilder::new().connect_http(anvil.endpoint_url()).erased());
        let accounts = anvil.addresses().to_vec();
        let owner = accounts[0];
        let deployment = client.deploy(owner, owner, Delays::default()).await?.deployment;
        let (registry, task_manager) = (deployment.operator_registry.address, deployment.task_manager.address);
        let (vault, _) = deploy_vault(&client, owner, owner, accounts[1], task_manager, policy(6_700)).await?;

        let mut operators = accounts[2..4].to_vec();
        operators.sort();
        for (operator, seed) in operators.iter().zip(1..) {
            let key = SecretKey::from_key_material(&[seed; 32])?;
            let proof = key.prove_possession(*operator, U256::from(31_337), registry);
            client.register_operator(registry, *operator, &key.public_key(), &proof).await?;
        }
        let weights: Vec<_> = operators.iter().map(|operator| (*operator, U96::from(1))).collect();
        let stake_source = deployment.owner_stake_source.address;
        client.set_weights(stake_source, owner, OPERATOR_SET, &weights).await?;
        let fixture = Self { client, owner, operators, registry, task_manager, vault, stake_source, _anvil: anvil };
        fixture.commit_epoch().await?;
        Ok(fixture)
    }

    /// A provider without what the client of the fixture has cached.
    pub fn provider(&self) -> DynProvider {
        self.client.provider().clone()
    }

    pub async fn commit_epoch(&self) -> Result {
        self.client.commit_epoch(self.registry, self.owner, OPERATOR_SET, &self.operators).await?;
        Ok(())
    }

    pub async fn revoke_epoch(&self, epoch: u32) -> Result {
        self.client.revoke_epochs(self.registry, self.owner, &[EpochId(epoch)]).await?;
        Ok(())
    }

    /// Activates an epoch a day later, as the registry's delay demands.
    pub async fn activate_epoch(&self, epoch: u32) -> Result {
        self.provider().anvil_increase_time(24 * 60 * 60).await?;
        self.client.activate_epoch(self.registry, self.owner, EpochId(epoch)).await?;
        Ok(())
    }

    pub async fn burn_nonces(&self, word: U256, mask: U256) -> Result {
        self.send(&TreasuryVault::burnAssentNoncesCall { word, mask }).await
    }

    pub async fn set_policy(&self, quorum: u16) -> Result {
        let policy = policy(quorum);
        self.send(&TreasuryVault::setAssentPolicyCall { newPolicy: policy.into() }).await
    }

    /// Deploys an allowlist, and has whatever is called at the stake source answer its address.
    pub async fn add_allowlist(&self) -> Result<Address> {
        let provider = self.provider();
        let allowlist = OperatorAllowlist::deploy_builder(&provider, self.owner).from(self.owner).deploy().await?;
        // The word with the address: a source with members answers so to `ADMISSION()`.
        let code = [&hex!("73")[..], allowlist.as_slice(), &hex!("5f5260205ff3")].concat();
        provider.anvil_set_code(self.stake_source, code.into()).await?;
        Ok(allowlist)
    }

    pub async fn admit(&self, allowlist: Address, operator: Address, region: &str, provider: &str) -> Result {
        let (region, provider) = (region.to_owned(), provider.to_owned());
        let call = admitCall { operatorSet: OPERATOR_SET.into(), operator, region, provider };
        self.client.send(&PreparedCall::new(self.owner, allowlist, call.abi_encode())).await?;
        Ok(())
    }

    async fn send(&self, call: &impl SolCall) -> Result {
        self.client.send(&PreparedCall::new(self.owner, self.vault, call.abi_encode())).await?;
        Ok(())
    }
}

fn policy(quorum: u16) -> Policy {
    Policy { policyId: B256::repeat_byte(0x70), operatorSet: OPERATOR_SET.into(), quorum, maxLifetime: U48::from(600) }
}

//! A call with an authorization, as both sides see it.

use crate::{Client, Deployment, EntryPoint, SignedRoot, signing::recorded_roots};
use alloy::{
    primitives::{Address, B256, U256, aliases::U48},
    sol_types::SolCall,
};
use assent_chain::Message;
use assent_contracts::{IPolicyClient, TaskManager};
use assent_examples::TreasuryVault;
use assent_verifier::{Context, EpochId, Intent, Policy, SpentNonces};

/// A call and its circumstances.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The client's index.
    pub client: usize,
    /// The entry point.
    pub entry_point: EntryPoint,
    /// The caller. It is the agent where the entry point accepts no one else.
    pub caller: Address,
    /// The call. Of a trailing call, only the calldata is used.
    pub intent: Intent,
    /// The bytes of the authorization.
    pub authorization: Vec<u8>,
    /// By how much the length after a trailing authorization is too large.
    pub length_error: i16,
    /// The root that was signed, whatever the bytes say.
    pub root: B256,
    /// The block's timestamp.
    pub timestamp: u64,
    /// The client's policy at that time.
    pub policy: Policy,
    /// The client's issuance floor at that time.
    pub issuance_floor: U48,
    /// Nonces burned before: a word and its mask.
    pub burned: Option<(U256, U256)>,
    /// Roots recorded before, all of one epoch.
    pub recorded: Vec<SignedRoot>,
    /// An epoch revoked before the call, but after roots were recorded.
    pub revoked: Option<EpochId>,
}

impl Attempt {
    /// The protected contract.
    pub fn client<'a>(&self, deployment: &'a Deployment) -> &'a Client {
        &deployment.clients[self.client]
    }

    /// The caller that the contracts see. Entry points that spend refuse any caller but the agent before they read the
    /// authorization.
    pub fn effective_caller(&self, deployment: &Deployment) -> Address {
        if self.entry_point.spends() { deployment.agent } else { self.caller }
    }

    /// Ordinary calldata, authorization, length.
    pub fn trailing_calldata(&self) -> Vec<u8> {
        let length = (self.authorization.len() as u16).wrapping_add_signed(self.length_error).to_be_bytes();
        [&self.intent.data, self.authorization.as_slice(), &length].concat()
    }

    /// The call to the contracts.
    pub fn call(&self, deployment: &Deployment) -> Message {
        let (intent, authorization) = (self.intent.clone(), self.authorization.clone().into());
        let caller = self.effective_caller(deployment);
        let vault = self.client(deployment).vault;
        let (to, data) = match self.entry_point {
            EntryPoint::Trailing => (vault, self.trailing_calldata()),
            EntryPoint::Explicit => {
                let call = TreasuryVault::executeCall { intent: intent.into(), authorization };
                (vault, call.abi_encode())
            }
            EntryPoint::ClientView => {
                let call = IPolicyClient::checkAssentAuthorizationCall { intent: intent.into(), caller, authorization };
                (vault, call.abi_encode())
            }
            EntryPoint::TaskManagerView => {
                let attested = TaskManager::AttestedCall {
                    caller,
                    from: intent.from,
                    to: intent.to,
                    value: intent.value,
                    dataHash: alloy::primitives::keccak256(&intent.data),
                    chainId: intent.chainId,
                };
                let call = TaskManager::checkCall {
                    policyClient: vault,
                    policy: self.policy.clone().into(),
                    issuanceFloor: self.issuance_floor,
                    attestedCall: attested,
                    authorization,
                };
                (deployment.task_manager, call.abi_encode())
            }
        };
        Message::new(caller, to, data)
    }

    /// The same circumstances for the verifier.
    pub fn context(&self, deployment: &Deployment) -> Context {
        let mut spent = SpentNonces::default();
        if let Some((word, mask)) = self.burned {
            spent.burn(self.client(deployment).vault, word, mask);
        }
        let mut epochs = deployment.epochs.clone();
        for epoch in epochs.iter_mut().filter(|epoch| Some(epoch.number) == self.revoked) {
            epoch.valid_until = U48::ZERO;
        }
        Context {
            chain_id: U256::from(deployment.chain.chain_id()),
            task_manager: deployment.task_manager,
            policy_client: self.client(deployment).vault,
            policy: Some(self.policy.clone()),
            issuance_floor: self.issuance_floor,
            caller: self.effective_caller(deployment),
            timestamp: self.timestamp,
            epochs,
            recorded_roots: recorded_roots(&self.recorded),
            spent,
        }
    }
}

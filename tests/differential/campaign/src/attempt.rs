//! A call with an authorization, as both sides get to see it.

use crate::{Client, SignedRoot, World, recording::recorded_roots};
use alloy::{
    primitives::{Address, B256, U256, aliases::U48},
    sol_types::SolCall,
};
use assent_chain::Call;
use assent_contracts::{IPolicyClient, TaskManager, TreasuryVault};
use assent_verifier::{Context, Intent, Policy, SpentNonces};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// Which of the contracts' entrances the call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Way {
    /// `pay`, with the authorization behind the calldata.
    Trailing,
    /// `execute`, with intent and authorization as arguments.
    Explicit,
    /// `checkAssentAuthorization`, the client's view.
    ClientView,
    /// `check`, the TaskManager's view, under any policy at all.
    TaskManagerView,
}

impl Way {
    /// Whether the call spends the nonce.
    pub fn spends(self) -> bool {
        matches!(self, Self::Trailing | Self::Explicit)
    }
}

impl Arbitrary for Way {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let ways = [Self::Trailing, Self::Explicit, Self::ClientView, Self::TaskManagerView];
        prop::sample::select(ways.to_vec()).boxed()
    }
}

/// A call, and the circumstances in which it is made.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The client, by its place in the world.
    pub client: usize,
    /// The entrance.
    pub way: Way,
    /// Who calls; the agent, where the entrance lets nobody else in.
    pub caller: Address,
    /// The call. On the trailing way it only gives the calldata.
    pub intent: Intent,
    /// The bytes that go with it.
    pub authorization: Vec<u8>,
    /// What the length behind a trailing authorization says too much.
    pub length_error: i16,
    /// The root that was signed, whatever the bytes say.
    pub root: B256,
    /// When.
    pub timestamp: u64,
    /// What the client demands at that time.
    pub policy: Policy,
    /// Nonces burned before: a word and its mask.
    pub burned: Option<(U256, U256)>,
    /// Roots recorded before, all of one epoch.
    pub recorded: Vec<SignedRoot>,
    /// An epoch revoked before, but after roots were recorded.
    pub revoked: Option<u32>,
}

impl Attempt {
    /// The protected contract.
    pub fn client<'a>(&self, world: &'a World) -> &'a Client {
        &world.clients[self.client]
    }

    /// The caller the contracts see. Only the agent gets as far as the authorization on the ways that spend.
    pub fn effective_caller(&self, world: &World) -> Address {
        if self.way.spends() { world.agent } else { self.caller }
    }

    /// Ordinary calldata, authorization, length.
    pub fn trailing_calldata(&self) -> Vec<u8> {
        let length = (self.authorization.len() as u16).wrapping_add_signed(self.length_error).to_be_bytes();
        [&self.intent.data, self.authorization.as_slice(), &length].concat()
    }

    /// The call to the contracts.
    pub fn call(&self, world: &World) -> Call {
        let (intent, authorization) = (self.intent.clone(), self.authorization.clone().into());
        let caller = self.effective_caller(world);
        let vault = self.client(world).vault;
        let (to, data) = match self.way {
            Way::Trailing => (vault, self.trailing_calldata()),
            Way::Explicit => {
                let call = TreasuryVault::executeCall { intent: intent.into(), authorization };
                (vault, call.abi_encode())
            }
            Way::ClientView => {
                let call = IPolicyClient::checkAssentAuthorizationCall { intent: intent.into(), caller, authorization };
                (vault, call.abi_encode())
            }
            Way::TaskManagerView => {
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
                    attestedCall: attested,
                    authorization,
                };
                (world.task_manager, call.abi_encode())
            }
        };
        Call::new(caller, to, data)
    }

    /// The same circumstances for the verifier.
    pub fn context(&self, world: &World) -> Context {
        let mut spent = SpentNonces::default();
        if let Some((word, mask)) = self.burned {
            spent.burn(self.client(world).vault, word, mask);
        }
        let mut epochs = world.epochs.clone();
        for epoch in epochs.iter_mut().filter(|epoch| Some(epoch.number) == self.revoked) {
            epoch.valid_until = U48::ZERO;
        }
        Context {
            chain_id: U256::from(world.chain.chain_id()),
            task_manager: world.task_manager,
            policy_client: self.client(world).vault,
            policy: Some(self.policy.clone()),
            caller: self.effective_caller(world),
            timestamp: self.timestamp,
            epochs,
            recorded_roots: recorded_roots(&self.recorded),
            spent,
        }
    }
}

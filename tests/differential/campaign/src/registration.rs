//! Operators that register their keys.

use crate::{Answer, Deployment, RegistrationError, Spelling, foundation::secret_key, index};
use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::SolCall,
};
use assent_chain::Message;
use assent_contracts::OperatorRegistry;
use assent_verifier::{
    PublicKey, Signature,
    backend::{Backend, SignatureError, arkworks::Arkworks, blst::Blst, verify_signature},
    digest::{PROOF_OF_POSSESSION_TAG, proof_of_possession_digest},
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// A key with its proof of possession, offered to the registry by an address that has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The key's number. The key is new to the registry.
    pub key: u16,
    /// What is wrong with it, if anything.
    pub tampering: Option<Tampering>,
}

/// One way to register another's key, or an invalid one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tampering {
    /// Other bytes for the key.
    Key(Spelling),
    /// Other bytes for the proof.
    Proof(Spelling),
    /// The key has so many bytes.
    KeyLength(u16),
    /// The proof has so many bytes.
    ProofLength(u16),
    /// A registered operator's key, with a proof made with one's own.
    OthersKey(u16),
    /// The proof was made for another operator.
    OtherOperator,
    /// The proof was made for another chain.
    OtherChain,
    /// The proof was made for another registry.
    OtherRegistry,
    /// The key is proved for the operator, but as a message and not as a proof of possession.
    SignatureForProof,
}

impl Registration {
    /// Random registrations. One in five is valid.
    pub fn strategy() -> impl Strategy<Value = Self> {
        (any::<u16>(), proptest::option::weighted(0.8, any::<Tampering>()))
            .prop_map(|(key, tampering)| Self { key, tampering })
    }

    pub(crate) fn run(&self, deployment: &Deployment) -> Result<Vec<Answer>, String> {
        let operator = Address::repeat_byte(0xee);
        let (key, proof) = self.offer(deployment, operator);
        let verifier = verify::<Arkworks>(deployment, operator, &key, &proof);
        let with_blst = verify::<Blst>(deployment, operator, &key, &proof);
        if verifier != with_blst {
            return Err(format!("arkworks: {verifier:?}; blst: {with_blst:?}"));
        }
        let register = OperatorRegistry::registerOperatorCall { publicKey: key, proofOfPossession: proof };
        let on_chain = deployment.undone(|| {
            let call = Message::new(operator, deployment.registry, register.abi_encode());
            deployment.chain.transact(call).expect("the chain takes the call")
        });
        let error = match on_chain.revert_data() {
            None if on_chain.is_success() => None,
            data => Some(data.and_then(|data| RegistrationError::decode(data)).ok_or_else(|| {
                format!("verifier: {verifier:?}; contracts: {:?} {}", on_chain.status, on_chain.output)
            })?),
        };
        let agrees = match (&verifier, error) {
            (Ok(()), None) => true,
            (Err(SignatureError::InvalidSignature), Some(error)) => !error.is_malformed(),
            (Err(_), Some(error)) => error.is_malformed(),
            _ => false,
        };
        if !agrees {
            return Err(format!("verifier: {verifier:?}; contracts: {error:?}"));
        }
        Ok(vec![error.map_or(Answer::Accepted, Answer::NotRegistered)])
    }

    /// The key's bytes and the proof's.
    fn offer(&self, deployment: &Deployment, operator: Address) -> (Bytes, Bytes) {
        let secret = secret_key(1 << 32 | u64::from(self.key));
        let chain = U256::from(deployment.chain.chain_id());
        let (one, other) = (U256::from(1), Address::repeat_byte(0xdd));
        let mut key = secret.public_key().0.to_vec();
        let proof = match self.tampering {
            Some(Tampering::OtherOperator) => secret.prove_possession(other, chain, deployment.registry),
            Some(Tampering::OtherChain) => secret.prove_possession(operator, chain + one, deployment.registry),
            Some(Tampering::OtherRegistry) => secret.prove_possession(operator, chain, other),
            Some(Tampering::SignatureForProof) => {
                secret.sign_root(proof_of_possession_digest(operator, &secret.public_key(), chain, deployment.registry))
            }
            _ => secret.prove_possession(operator, chain, deployment.registry),
        };
        let mut proof = proof.0.to_vec();
        match self.tampering {
            Some(Tampering::Key(spelling)) => spelling.apply(&mut key),
            Some(Tampering::Proof(spelling)) => spelling.apply(&mut proof),
            Some(Tampering::KeyLength(length)) => key.resize(length.into(), 0),
            Some(Tampering::ProofLength(length)) => proof.resize(length.into(), 0),
            Some(Tampering::OthersKey(number)) => {
                key = deployment.keys[index(number, deployment.keys.len())].1.public_key().0.to_vec();
            }
            _ => {}
        }
        (key.into(), proof.into())
    }
}

impl Arbitrary for Tampering {
    type Parameters = ();
    type Strategy = BoxedStrategy<Self>;

    fn arbitrary_with((): ()) -> Self::Strategy {
        let around = |length: u16| prop_oneof![Just(0), Just(length - 1), Just(length + 1), 0..300u16];
        prop_oneof![
            4 => any::<Spelling>().prop_map(Self::Key),
            4 => any::<Spelling>().prop_map(Self::Proof),
            1 => around(192).prop_map(Self::KeyLength),
            1 => around(96).prop_map(Self::ProofLength),
            1 => any::<u16>().prop_map(Self::OthersKey),
            1 => Just(Self::OtherOperator),
            1 => Just(Self::OtherChain),
            1 => Just(Self::OtherRegistry),
            1 => Just(Self::SignatureForProof),
        ]
        .boxed()
    }
}

/// Verifies the proof of possession. Bytes of another length are malformed.
fn verify<B: Backend>(
    deployment: &Deployment,
    operator: Address,
    key: &[u8],
    proof: &[u8],
) -> Result<(), SignatureError> {
    let key = PublicKey(key.try_into().map_err(|_| SignatureError::MalformedPublicKey)?);
    let proof = Signature(proof.try_into().map_err(|_| SignatureError::MalformedSignature)?);
    let digest =
        proof_of_possession_digest(operator, &key, U256::from(deployment.chain.chain_id()), deployment.registry);
    verify_signature::<B>(digest.as_slice(), PROOF_OF_POSSESSION_TAG, &proof, &key)
}

//! Operators that register their keys.

use crate::{Outcome, Spelling, World, place, world::secret_key};
use alloy::{
    primitives::{Address, Bytes, U256},
    sol_types::{SolCall, SolInterface},
};
use assent_chain::Call;
use assent_contracts::OperatorRegistry::{self, OperatorRegistryErrors};
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
    /// Which key; new to the registry.
    pub key: u16,
    /// What is wrong with it, if anything.
    pub tampering: Option<Tampering>,
}

/// The registry's errors about keys. They say more than the verifier's, which leaves it at "malformed".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationError {
    /// The proof is none.
    InvalidProofOfPossession,
    /// A coordinate is not below the modulus.
    FieldElementNotCanonical,
    /// Not a point of the curve.
    PointNotOnCurve,
    /// Not of the prime order.
    PointNotInSubgroup,
    /// Infinity.
    PointAtInfinity,
    /// No bytes.
    EmptyInput,
    /// Too few or too many bytes.
    WrongPointLength,
}

impl RegistrationError {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::InvalidProofOfPossession,
        Self::FieldElementNotCanonical,
        Self::PointNotOnCurve,
        Self::PointNotInSubgroup,
        Self::PointAtInfinity,
        Self::EmptyInput,
        Self::WrongPointLength,
    ];

    /// As in Solidity.
    pub fn name(self) -> &'static str {
        match self {
            Self::InvalidProofOfPossession => "InvalidProofOfPossession",
            Self::FieldElementNotCanonical => "FieldElementNotCanonical",
            Self::PointNotOnCurve => "PointNotOnCurve",
            Self::PointNotInSubgroup => "PointNotInSubgroup",
            Self::PointAtInfinity => "PointAtInfinity",
            Self::EmptyInput => "EmptyInput",
            Self::WrongPointLength => "WrongPointLength",
        }
    }

    fn is_malformed(self) -> bool {
        self != Self::InvalidProofOfPossession
    }

    fn decode(revert_data: &[u8]) -> Option<Self> {
        Some(match OperatorRegistryErrors::abi_decode_validate(revert_data).ok()? {
            OperatorRegistryErrors::InvalidProofOfPossession(_) => Self::InvalidProofOfPossession,
            OperatorRegistryErrors::FieldElementNotCanonical(_) => Self::FieldElementNotCanonical,
            OperatorRegistryErrors::PointNotOnCurve(_) => Self::PointNotOnCurve,
            OperatorRegistryErrors::PointNotInSubgroup(_) => Self::PointNotInSubgroup,
            OperatorRegistryErrors::PointAtInfinity(_) => Self::PointAtInfinity,
            OperatorRegistryErrors::EmptyInput(_) => Self::EmptyInput,
            OperatorRegistryErrors::WrongPointLength(_) => Self::WrongPointLength,
            _ => return None,
        })
    }
}

/// One way to register what is not one's own, or no key.
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
    /// Random registrations. One in five is good.
    pub fn strategy() -> impl Strategy<Value = Self> {
        (any::<u16>(), proptest::option::weighted(0.8, any::<Tampering>()))
            .prop_map(|(key, tampering)| Self { key, tampering })
    }

    pub(crate) fn run(&self, world: &World) -> Result<Vec<Outcome>, String> {
        let operator = Address::repeat_byte(0xee);
        let (key, proof) = self.offer(world, operator);
        let verifier = verdict::<Arkworks>(world, operator, &key, &proof);
        let with_blst = verdict::<Blst>(world, operator, &key, &proof);
        if verifier != with_blst {
            return Err(format!("arkworks: {verifier:?}; blst: {with_blst:?}"));
        }
        let register = OperatorRegistry::registerOperatorCall { publicKey: key, proofOfPossession: proof };
        let on_chain = world.undone(|| {
            let call = Call::new(operator, world.registry, register.abi_encode());
            world.chain.transact(call).expect("the chain takes the call")
        });
        let error = match on_chain.revert_data() {
            None if on_chain.is_success() => None,
            data => Some(data.and_then(|data| RegistrationError::decode(data)).ok_or_else(|| {
                format!("verifier: {verifier:?}; contracts: {:?} {}", on_chain.ending, on_chain.output)
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
        Ok(vec![error.map_or(Outcome::Accepted, Outcome::NotRegistered)])
    }

    /// The key's bytes and the proof's.
    fn offer(&self, world: &World, operator: Address) -> (Bytes, Bytes) {
        let secret = secret_key(1 << 32 | u64::from(self.key));
        let chain = U256::from(world.chain.chain_id());
        let (one, other) = (U256::from(1), Address::repeat_byte(0xdd));
        let mut key = secret.public_key().0.to_vec();
        let proof = match self.tampering {
            Some(Tampering::OtherOperator) => secret.prove_possession(other, chain, world.registry),
            Some(Tampering::OtherChain) => secret.prove_possession(operator, chain + one, world.registry),
            Some(Tampering::OtherRegistry) => secret.prove_possession(operator, chain, other),
            Some(Tampering::SignatureForProof) => {
                secret.sign_root(proof_of_possession_digest(operator, &secret.public_key(), chain, world.registry))
            }
            _ => secret.prove_possession(operator, chain, world.registry),
        };
        let mut proof = proof.0.to_vec();
        match self.tampering {
            Some(Tampering::Key(spelling)) => spelling.apply(&mut key),
            Some(Tampering::Proof(spelling)) => spelling.apply(&mut proof),
            Some(Tampering::KeyLength(length)) => key.resize(length.into(), 0),
            Some(Tampering::ProofLength(length)) => proof.resize(length.into(), 0),
            Some(Tampering::OthersKey(number)) => {
                key = world.keys[place(number, world.keys.len())].1.public_key().0.to_vec();
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

/// What a backend says of the key; bytes of another length are no key and no proof.
fn verdict<B: Backend>(world: &World, operator: Address, key: &[u8], proof: &[u8]) -> Result<(), SignatureError> {
    let key = PublicKey(key.try_into().map_err(|_| SignatureError::MalformedPublicKey)?);
    let proof = Signature(proof.try_into().map_err(|_| SignatureError::MalformedSignature)?);
    let digest = proof_of_possession_digest(operator, &key, U256::from(world.chain.chain_id()), world.registry);
    verify_signature::<B>(digest.as_slice(), PROOF_OF_POSSESSION_TAG, &proof, &key)
}

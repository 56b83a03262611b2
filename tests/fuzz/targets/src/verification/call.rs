//! One call: what is attested, what is done to the authorization, and how it is carried.

use super::Signed;
use crate::{
    fixture::{Fixture, NOW},
    point::Encoding,
};
use alloy_primitives::{Address, B256, U256, aliases::U48};
use arbitrary::Arbitrary;
use assent_verifier::{
    AttestationDocument, Authorization, Call, Decision, EpochId, Intent, MerkleProof, NonSigners, QuorumProof,
    Signature,
};

#[derive(Debug, Arbitrary)]
pub struct CallPlan {
    trailing: bool,
    nonce: u8,
    value: u8,
    data: Vec<u8>,
    denied: bool,
    /// By which the expiration differs from 600 seconds.
    lifetime: u16,
    /// Seconds between issuance and the fixture's present.
    age: u8,
    epoch: u8,
    absent: u16,
    /// Other leaves of the batch, after this one's.
    others: u8,
    /// The weight with which the root is recorded, if the authorization says that it is.
    recorded: Option<u8>,
    tampering: Tampering,
    edits: [Edit; 2],
}

/// Changes that leave the authorization well-formed.
#[derive(Debug, Arbitrary)]
enum Tampering {
    None,
    Signature(Box<Encoding>),
    /// Bits of the bitmap.
    NonSigners(u16),
    Epoch(u8),
    Decision,
    Nonce(u8),
    /// Added to the time of issuance.
    Issuance(u8),
    /// Added to the expiration.
    Expiration(u8),
    Evidence(u8),
    MerkleProof(Vec<[u8; 32]>),
    IntentValue(u8),
    IntentData(Vec<u8>),
    IntentChain(u8),
    IntentSender(u8),
    /// The authorization claims that its root is recorded, or no longer does.
    Kind,
}

/// Changes to the bytes.
#[derive(Debug, Arbitrary)]
enum Edit {
    None,
    Flip { offset: u16, bits: u8 },
    Truncate(u8),
    Append(Vec<u8>),
}

/// A call as it is made.
pub struct Carried {
    intent: Intent,
    authorization: Vec<u8>,
    calldata: Option<Vec<u8>>,
    /// What operators signed for it.
    pub signed: Vec<Signed>,
}

impl Carried {
    pub fn call(&self) -> Call<'_> {
        match &self.calldata {
            Some(calldata) => Call::Trailing { value: self.intent.value, calldata },
            None => Call::Explicit { intent: &self.intent, authorization: &self.authorization },
        }
    }
}

impl CallPlan {
    /// Has the call attested, its root recorded where the plan says so, and tampers with it.
    pub(super) fn carry(&self, fixture: &mut Fixture) -> Carried {
        fixture.intent = self.intent(fixture);
        fixture.nonce = U256::from(256 + u64::from(self.nonce));
        fixture.issued_at = NOW - u64::from(self.age);
        fixture.expiration = NOW + 600 + u64::from(self.lifetime);
        fixture.decision = if self.denied { Decision::Deny } else { Decision::Allow };
        fixture.epoch = EpochId(9 + u32::from(self.epoch % 4));
        fixture.absent = (0..16).filter(|bit| self.absent >> bit & 1 == 1).collect();
        let document = self.attest(fixture);
        let signed = vec![(document.root(), fixture.absent.clone())];

        let mut authorization = document.authorization().expect("the decision is one");
        if let Some(weight) = self.recorded {
            fixture.record(&document, weight.into());
            authorization = document.recorded_authorization().expect("the decision is one");
        }
        let mut intent = fixture.intent.clone();
        self.tampering.apply(&mut authorization, &mut intent, &document);
        let mut bytes = authorization.encode();
        self.edits.iter().for_each(|edit| edit.apply(&mut bytes));
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
        let calldata = self.trailing.then(|| [&intent.data, bytes.as_slice(), &length].concat());
        Carried { intent, authorization: bytes, calldata, signed }
    }

    fn intent(&self, fixture: &Fixture) -> Intent {
        Intent {
            to: if self.trailing { fixture.context.policy_client } else { Address::repeat_byte(0x55) },
            value: U256::from(self.value),
            data: [&[1, 2, 3, 4], self.data.as_slice()].concat().into(),
            ..fixture.context.trailing_intent(U256::ZERO, Default::default())
        }
    }

    /// If no signer is left, the signature is infinity, the empty sum.
    fn attest(&self, fixture: &mut Fixture) -> AttestationDocument {
        let others: Vec<_> = (0..self.others % 4).map(B256::repeat_byte).collect();
        if (0u16..).zip(&fixture.secrets).any(|(place, _)| !fixture.absent.contains(&place)) {
            return fixture.document_in_batch(&others, 0);
        }
        let absent = std::mem::take(&mut fixture.absent);
        let mut document = fixture.document_in_batch(&others, 0);
        document.signature = Signature([0; Signature::LENGTH]);
        document.non_signers = NonSigners::from_indices(absent.iter().copied()).expect("16 places fit");
        fixture.absent = absent;
        document
    }
}

impl Tampering {
    fn apply(&self, authorization: &mut Authorization, intent: &mut Intent, document: &AttestationDocument) {
        match self {
            Self::None => {}
            Self::Signature(encoding) => {
                if let QuorumProof::Direct { signature, .. } = &mut authorization.quorum_proof {
                    *signature = encoding.signature();
                }
            }
            Self::NonSigners(bits) => {
                if let QuorumProof::Direct { non_signers, .. } = &mut authorization.quorum_proof {
                    let places = (0..16).filter(|bit| bits >> bit & 1 == 1);
                    *non_signers = NonSigners::from_indices(places).expect("16 places fit");
                }
            }
            Self::Epoch(number) => authorization.epoch = EpochId(8 + u32::from(*number % 5)),
            Self::Decision => {
                let denied = authorization.decision == Decision::Deny;
                authorization.decision = if denied { Decision::Allow } else { Decision::Deny };
            }
            Self::Nonce(nonce) => authorization.nonce = U256::from(256 + u64::from(*nonce)),
            Self::Issuance(seconds) => {
                authorization.issued_at = authorization.issued_at.wrapping_add(U48::from(*seconds))
            }
            Self::Expiration(seconds) => {
                authorization.expiration = authorization.expiration.wrapping_add(U48::from(*seconds))
            }
            Self::Evidence(byte) => authorization.evidence = B256::repeat_byte(*byte),
            Self::MerkleProof(hashes) => {
                let hashes = hashes.iter().take(MerkleProof::MAX_LENGTH).map(B256::from).collect::<Vec<_>>();
                authorization.merkle_proof = MerkleProof::try_from(hashes).expect("no more than fit");
            }
            Self::IntentValue(value) => intent.value = U256::from(*value),
            Self::IntentData(data) => intent.data = data.clone().into(),
            Self::IntentChain(chain) => intent.chainId = U256::from(*chain),
            Self::IntentSender(byte) => intent.from = Address::repeat_byte(*byte),
            Self::Kind => {
                let recorded = authorization.quorum_proof == QuorumProof::Recorded;
                let other = if recorded { document.authorization() } else { document.recorded_authorization() };
                *authorization = other.expect("the decision is one");
            }
        }
    }
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::None => {}
            Self::Flip { offset, bits } => {
                let length = bytes.len();
                if let Some(byte) = bytes.get_mut(usize::from(*offset) % length.max(1)) {
                    *byte ^= bits;
                }
            }
            Self::Truncate(length) => bytes.truncate(bytes.len().saturating_sub((*length).into())),
            Self::Append(more) => bytes.extend(more),
        }
    }
}

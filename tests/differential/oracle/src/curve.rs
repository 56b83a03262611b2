//! Hashing to the curve.

use crate::{
    failure::{Failure, agreed},
    interface::IVerifierOracle::hashToCurveCall,
};
use alloy_primitives::Bytes;
use assent_verifier::backend::{Backend, arkworks::Arkworks, blst::Blst};

pub(crate) fn hash_to_curve(call: &hashToCurveCall) -> Result<Bytes, Failure> {
    let (message, tag) = (&call.message, &call.tag);
    agreed(Arkworks::hash_to_curve(message, tag), Blst::hash_to_curve(message, tag)).map(Bytes::from)
}

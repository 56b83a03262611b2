use crate::point::Encoding;
use arbitrary::{Arbitrary, Unstructured};
use assent_verifier::{
    PublicKey, Signature,
    backend::{Backend, MalformedPoint, arkworks::Arkworks, blst::Blst, verify_signature},
};

#[derive(Debug, Arbitrary)]
struct Points<'a> {
    signature: Encoding,
    public_keys: [Encoding; 2],
    tag: &'a [u8],
    message: &'a [u8],
}

/// The curve arithmetic: both backends take the same points, and make the same of them.
pub fn points(input: &[u8]) {
    let Ok(points) = Points::arbitrary_take_rest(Unstructured::new(input)) else { return };
    let signature = points.signature.signature();
    let public_keys = points.public_keys.map(|encoding| encoding.public_key());
    assert_eq!(sums::<Arkworks>(&public_keys), sums::<Blst>(&public_keys));

    let is_signature = Arkworks::decode_signature(&signature).is_ok();
    assert_eq!(is_signature, Blst::decode_signature(&signature).is_ok());
    assert!(!is_signature || signature != Signature([0; Signature::LENGTH]), "infinity is not a signature");

    let Points { tag, message, .. } = points;
    assert_eq!(Arkworks::hash_to_curve(message, tag), Blst::hash_to_curve(message, tag));
    assert_eq!(
        verify_signature::<Arkworks>(message, tag, &signature, &public_keys[0]),
        verify_signature::<Blst>(message, tag, &signature, &public_keys[0]),
    );
}

/// The sum of the keys and minus the sum, when all are keys.
fn sums<B: Backend>(public_keys: &[PublicKey]) -> Result<[PublicKey; 2], MalformedPoint> {
    let decoded: Vec<_> = public_keys.iter().map(B::decode_public_key).collect::<Result<_, _>>()?;
    let [sum, negated] = B::aggregate(decoded);
    // What is left of the sum without one is the other.
    for (absent, other) in [(0, 1), (1, 0)] {
        let rest = B::without(&sum, [&public_keys[absent]]).map(|point| B::aggregate([point])[0]);
        assert_eq!(rest, Some(public_keys[other]));
    }
    assert!(B::without(&sum, public_keys).is_none(), "nothing is left without all");
    Ok([sum, negated])
}

use super::Raw;
use ark_bls12_381::{Bls12_381, Config, Fq, Fq2, G1Affine, G1Projective, G2Affine, g1};
use ark_ec::{
    AffineRepr, CurveGroup,
    bls12::G2Prepared,
    hashing::{HashToCurve, curve_maps::wb::WBMap, map_to_curve_hasher::MapToCurveBasedHasher},
    pairing::{Pairing, PairingOutput},
    scalar_mul::variable_base::VariableBaseMSM,
};
use ark_ff::{AdditiveGroup, BigInt, PrimeField, field_hashers::DefaultFieldHasher};
use assent_verifier::{PublicKey, Signature, digest::SIGNATURE_TAG};
use sha2::Sha256;

type Hasher = MapToCurveBasedHasher<G1Projective, DefaultFieldHasher<Sha256>, WBMap<g1::Config>>;

pub struct RawArkworks {
    generator: G2Prepared<Config>,
    negated_key: G2Prepared<Config>,
    hasher: Hasher,
}

impl Raw for RawArkworks {
    type Signature = G1Affine;

    fn new(aggregate: &PublicKey) -> Self {
        let [x0, x1, y0, y1] = [0, 1, 2, 3].map(|index| element(&aggregate.0[48 * index..][..48]));
        Self {
            generator: G2Affine::generator().into(),
            negated_key: (-G2Affine::new(Fq2::new(x0, x1), Fq2::new(y0, y1))).into(),
            hasher: Hasher::new(SIGNATURE_TAG).unwrap(),
        }
    }

    fn decode(signature: &Signature) -> G1Affine {
        G1Affine::new(element(&signature.0[..48]), element(&signature.0[48..]))
    }

    fn verify(&self, root: &[u8], signature: &G1Affine) -> bool {
        let hash = self.hasher.hash(root).unwrap();
        signature.is_in_correct_subgroup_assuming_on_curve() && self.product_is_one(*signature, hash)
    }

    fn verify_batch(&mut self, roots: &[[u8; 32]], signatures: &[G1Affine], coefficients: &[[u8; 16]]) -> bool {
        if !signatures.iter().all(|signature| signature.is_in_correct_subgroup_assuming_on_curve()) {
            return false;
        }
        let hashes: Vec<_> = roots.iter().map(|root| self.hasher.hash(root).unwrap()).collect();
        let integer = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
        let integers = coefficients.iter().map(|bytes| BigInt([integer(&bytes[..8]), integer(&bytes[8..]), 0, 0]));
        let integers: Vec<_> = integers.collect();
        let sum = |points: &[G1Affine]| G1Projective::msm_bigint(points, &integers).into_affine();
        self.product_is_one(sum(signatures), sum(&hashes))
    }
}

impl RawArkworks {
    fn product_is_one(&self, signature: G1Affine, hash: G1Affine) -> bool {
        let lines = [self.generator.clone(), self.negated_key.clone()];
        let product = Bls12_381::multi_miller_loop([signature, hash], lines);
        Bls12_381::final_exponentiation(product) == Some(PairingOutput::ZERO)
    }
}

fn element(bytes: &[u8]) -> Fq {
    Fq::from_be_bytes_mod_order(bytes)
}

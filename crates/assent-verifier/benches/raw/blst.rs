use super::Raw;
use assent_verifier::{PublicKey, Signature, digest::SIGNATURE_TAG};
use blst::*;
use std::ptr;

pub struct RawBlst {
    generator: Vec<blst_fp6>,
    negated_key: Vec<blst_fp6>,
    hashes: Vec<blst_p1>,
    affine: Vec<blst_p1_affine>,
    scratch: Vec<u64>,
}

impl Raw for RawBlst {
    type Signature = blst_p1_affine;

    fn new(aggregate: &PublicKey) -> Self {
        let mut bytes = aggregate.0;
        bytes.chunks_exact_mut(96).for_each(|coordinate| coordinate.rotate_left(48));
        let mut key = blst_p2_affine::default();
        // SAFETY: the arrays have the lengths that blst reads and writes.
        unsafe {
            assert_eq!(blst_p2_deserialize(&mut key, bytes.as_ptr()), BLST_ERROR::BLST_SUCCESS);
            blst_fp2_cneg(&mut key.y, &key.y, true);
            Self {
                generator: lines(&*blst_p2_affine_generator()),
                negated_key: lines(&key),
                hashes: vec![],
                affine: vec![],
                scratch: vec![],
            }
        }
    }

    fn decode(signature: &Signature) -> blst_p1_affine {
        let mut point = blst_p1_affine::default();
        // SAFETY: a signature has the 96 bytes that blst reads.
        assert_eq!(unsafe { blst_p1_deserialize(&mut point, signature.0.as_ptr()) }, BLST_ERROR::BLST_SUCCESS);
        point
    }

    fn verify(&self, root: &[u8], signature: &blst_p1_affine) -> bool {
        let mut hash = blst_p1_affine::default();
        // SAFETY: all pointers come from references.
        unsafe {
            blst_p1_to_affine(&mut hash, &hash_to_g1(root));
            blst_p1_affine_in_g1(signature) && self.product_is_one(signature, &hash)
        }
    }

    fn verify_batch(&mut self, roots: &[[u8; 32]], signatures: &[blst_p1_affine], coefficients: &[[u8; 16]]) -> bool {
        self.hashes.clear();
        self.hashes.extend(roots.iter().map(|root| hash_to_g1(root)));
        self.affine.resize(roots.len(), Default::default());
        let count = signatures.len();
        let (mut signature, mut hash) = Default::default();
        // SAFETY: all slices have `count` items.
        unsafe {
            if !signatures.iter().all(|signature| blst_p1_affine_in_g1(signature)) {
                return false;
            }
            self.scratch.resize(blst_p1s_mult_pippenger_scratch_sizeof(count) / 8, 0);
            blst_p1s_to_affine(self.affine.as_mut_ptr(), [self.hashes.as_ptr(), ptr::null()].as_ptr(), count);
            for (points, sum) in [(signatures.as_ptr(), &mut signature), (self.affine.as_ptr(), &mut hash)] {
                let mut total = blst_p1::default();
                blst_p1s_mult_pippenger(
                    &mut total,
                    [points, ptr::null()].as_ptr(),
                    count,
                    [coefficients.as_ptr().cast(), ptr::null()].as_ptr(),
                    128,
                    self.scratch.as_mut_ptr(),
                );
                blst_p1_to_affine(sum, &total);
            }
            self.product_is_one(&signature, &hash)
        }
    }
}

impl RawBlst {
    fn product_is_one(&self, signature: &blst_p1_affine, hash: &blst_p1_affine) -> bool {
        let (mut one, mut other) = (blst_fp12::default(), blst_fp12::default());
        // SAFETY: both vectors have the 68 lines that blst reads.
        unsafe {
            blst_miller_loop_lines(&mut one, self.generator.as_ptr(), signature);
            blst_miller_loop_lines(&mut other, self.negated_key.as_ptr(), hash);
            blst_fp12_mul(&mut one, &one, &other);
            blst_final_exp(&mut one, &one);
            blst_fp12_is_one(&one)
        }
    }
}

fn lines(point: &blst_p2_affine) -> Vec<blst_fp6> {
    let mut lines = vec![blst_fp6::default(); 68];
    // SAFETY: blst writes 68 lines.
    unsafe { blst_precompute_lines(lines.as_mut_ptr(), point) };
    lines
}

fn hash_to_g1(root: &[u8]) -> blst_p1 {
    let mut hash = blst_p1::default();
    let tag = SIGNATURE_TAG;
    // SAFETY: the lengths are those of the slices.
    unsafe { blst_hash_to_g1(&mut hash, root.as_ptr(), root.len(), tag.as_ptr(), tag.len(), ptr::null(), 0) };
    hash
}

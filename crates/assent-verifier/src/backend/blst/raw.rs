//! Calls of blst for which its Rust crate has no safe interface, or only one that uses its own thread pool.
//!
//! They are precomputed lines, hashing, and weighted sums. All unsafe code of this crate is here.
//!
//! In each block below, a pointer comes from a reference or a slice that lives until the call returns. The library
//! keeps no pointer and writes only through those declared `*mut`. No value of the point types is invalid to read,
//! since they are arrays of integers. So wrong arithmetic could follow from a wrong argument, but no undefined
//! behaviour.

#![allow(unsafe_code, reason = "calls into C; see the module's documentation")]

use ::blst::{
    blst_fp6, blst_fp12, blst_hash_to_g1, blst_miller_loop_lines, blst_miller_loop_n, blst_p1, blst_p1_affine,
    blst_p1_to_affine, blst_p1s_mult_pippenger, blst_p1s_mult_pippenger_scratch_sizeof, blst_p1s_to_affine,
    blst_p2_affine, blst_p2_affine_generator, blst_precompute_lines,
};
use alloc::{boxed::Box, vec, vec::Vec};
use core::ptr;

/// The number of lines in a Miller loop: 63 doublings and 5 additions, by the bits of the curve's parameter.
const LINES: usize = 68;

/// The half of a Miller loop that depends only on the G2 point.
pub(super) struct Lines(Box<[blst_fp6; LINES]>);

impl Lines {
    /// Computes the lines of a point other than infinity.
    pub(super) fn new(point: &blst_p2_affine) -> Self {
        let mut lines = Box::new([blst_fp6::default(); LINES]);
        // SAFETY: blst writes exactly 68 lines (`vec384fp6 Qlines[68]` in its source), which is the array's length.
        unsafe { blst_precompute_lines(lines.as_mut_ptr(), point) };
        Self(lines)
    }

    /// Returns the Miller loop of the G2 point with a G1 point other than infinity.
    pub(super) fn miller_loop(&self, point: &blst_p1_affine) -> blst_fp12 {
        let mut result = blst_fp12::default();
        // SAFETY: blst reads exactly 68 lines, which is the array's length.
        unsafe { blst_miller_loop_lines(&mut result, self.0.as_ptr(), point) };
        result
    }
}

/// Returns the generator of G2.
pub(super) fn g2_generator() -> blst_p2_affine {
    // SAFETY: blst returns the address of a constant.
    unsafe { *blst_p2_affine_generator() }
}

/// Returns the product of the Miller loops of G1 points with G2 points, none of them infinity, in the calling thread.
///
/// It is faster for several pairs together than for each separately.
pub(super) fn miller_loops(g1: &[blst_p1_affine], g2: &[blst_p2_affine]) -> blst_fp12 {
    let mut product = blst_fp12::default();
    let count = g1.len().min(g2.len());
    if count == 0 {
        return product;
    }
    let (g1, g2) = (contiguous(g1), contiguous(g2));
    // SAFETY: `count` points lie behind each pointer.
    unsafe { blst_miller_loop_n(&mut product, g2.as_ptr(), g1.as_ptr(), count) };
    product
}

/// Returns RFC 9380's `hash_to_curve` of a message.
pub(super) fn hash_to_curve(message: &[u8], domain_separation_tag: &[u8]) -> blst_p1_affine {
    let point = hash_to_jacobian(message, domain_separation_tag);
    let mut affine = blst_p1_affine::default();
    // SAFETY: both are references.
    unsafe { blst_p1_to_affine(&mut affine, &point) };
    affine
}

/// Returns [`hash_to_curve`] of many messages, which share one inversion.
pub(super) fn hash_each_to_curve<'a>(
    messages: impl Iterator<Item = &'a [u8]>,
    domain_separation_tag: &[u8],
) -> Vec<blst_p1_affine> {
    let points: Vec<_> = messages.map(|message| hash_to_jacobian(message, domain_separation_tag)).collect();
    let mut affine = vec![blst_p1_affine::default(); points.len()];
    if !points.is_empty() {
        // SAFETY: as many points lie behind one pointer as there is room for behind the other.
        unsafe { blst_p1s_to_affine(affine.as_mut_ptr(), contiguous(&points).as_ptr(), points.len()) };
    }
    affine
}

fn hash_to_jacobian(message: &[u8], domain_separation_tag: &[u8]) -> blst_p1 {
    let mut point = blst_p1::default();
    // SAFETY: the lengths are those of the slices. Of the augmentation, whose length is 0, nothing is read.
    unsafe {
        blst_hash_to_g1(
            &mut point,
            message.as_ptr(),
            message.len(),
            domain_separation_tag.as_ptr(),
            domain_separation_tag.len(),
            ptr::null(),
            0,
        );
    }
    point
}

/// Returns the sum of points, each multiplied by its coefficient of 128 bits (little-endian), in the calling thread.
///
/// Points beyond the number of coefficients are left out, and coefficients beyond the number of points.
pub(super) fn weighted_sum(points: &[blst_p1_affine], coefficients: &[[u8; 16]]) -> blst_p1_affine {
    let (mut sum, mut affine) = (blst_p1::default(), blst_p1_affine::default());
    let count = points.len().min(coefficients.len());
    if count == 0 {
        return affine;
    }
    let (points, coefficients) = (contiguous(points), contiguous(coefficients.as_flattened()));
    // SAFETY: `count` points and `count` coefficients of 128 / 8 = 16 bytes lie behind the pointers. The scratch space
    // has the number of bytes that blst asks for this count, rounded up, with the alignment of its words.
    unsafe {
        let mut scratch = vec![0u64; blst_p1s_mult_pippenger_scratch_sizeof(count).div_ceil(8)];
        blst_p1s_mult_pippenger(&mut sum, points.as_ptr(), count, coefficients.as_ptr(), 128, scratch.as_mut_ptr());
        blst_p1_to_affine(&mut affine, &sum);
    }
    affine
}

/// Returns blst's list of pointers for contiguous items: a pointer to the first, then null.
fn contiguous<T>(items: &[T]) -> [*const T; 2] {
    [items.as_ptr(), ptr::null()]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// blst shares an inversion among 1,536 points.
    #[test]
    fn hashes_any_number_of_messages_as_each_by_itself() {
        for count in [0, 1, 2, 1600] {
            let messages: Vec<[u8; 2]> = (0u16..count).map(u16::to_be_bytes).collect();
            let each: Vec<_> = messages.iter().map(|message| hash_to_curve(message, b"tag")).collect();
            assert_eq!(hash_each_to_curve(messages.iter().map(<[u8; 2]>::as_slice), b"tag"), each);
        }
    }

    #[test]
    fn a_weighted_sum_is_the_sum_of_the_multiples() {
        let points: Vec<_> = (0u8..40).map(|seed| hash_to_curve(&[seed], b"tag")).collect();
        for count in [1, 2, 31, 32, 40] {
            // Each point by itself, as often as its coefficient says.
            let repeated: Vec<_> = points[..count].iter().zip(1..).flat_map(|(point, n)| vec![*point; n]).collect();
            let coefficients: Vec<_> = (1u128..).take(count).map(u128::to_le_bytes).collect();
            let ones = vec![1u128.to_le_bytes(); repeated.len()];
            assert_eq!(weighted_sum(&points, &coefficients), weighted_sum(&repeated, &ones), "{count}");
        }
        assert_eq!(weighted_sum(&[], &[]), blst_p1_affine::default());
    }
}

//! The evaluator's image, which decides every policy.

use alloy_primitives::B256;
use assent_machine::{Image, ImageError};
use std::sync::LazyLock;

/// The program. The repository's `evaluator/` is its source; a test builds it again and compares.
static BYTES: &[u8] = include_bytes!("../image/evaluator.bin");

static EVALUATOR: LazyLock<Result<Image, ImageError>> = LazyLock::new(|| Image::new(BYTES));

/// Returns the current image of the evaluator, for which policies are built. It is decoded once.
///
/// # Errors
///
/// None: the committed image fits its region.
pub fn evaluator() -> Result<&'static Image, ImageError> {
    EVALUATOR.as_ref().map_err(|error| *error)
}

/// Returns the image with a root, which a policy names. Returns nothing for an image that this version does not have.
pub fn evaluator_with_root(root: B256) -> Option<&'static Image> {
    evaluator().ok().filter(|image| image.root() == root)
}

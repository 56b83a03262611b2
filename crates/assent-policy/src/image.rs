//! The evaluator's images. Each policy names the one that decides it.

use alloy_primitives::{B256, b256};
use assent_machine::{Image, ImageError};
use std::sync::LazyLock;

/// An image of the evaluator.
struct KnownImage {
    /// The root of its region, which names it.
    root: B256,
    /// The program, decoded once it is needed.
    image: LazyLock<Result<Image, ImageError>>,
}

/// Every image that this version has. The first is the current one. The repository's `evaluator/` is its source; a test
/// builds it again and compares.
///
/// An image stays here while a policy or an evidence names it: docs/evaluator-images.md.
static IMAGES: [KnownImage; 3] = [
    KnownImage {
        root: b256!("0xff778b3323982d5216351114227b2309ca79df009cdc8371f9efd07785023947"),
        image: LazyLock::new(|| Image::new(include_bytes!("../image/evaluator.bin"))),
    },
    // Without `within`.
    KnownImage {
        root: b256!("0xc19b84690d4cb3ab7a3f10b25d0d1ed23d1af8bd76539d7dcad7d3fb29ed9b22"),
        image: LazyLock::new(|| {
            Image::new(include_bytes!(
                "../image/0xc19b84690d4cb3ab7a3f10b25d0d1ed23d1af8bd76539d7dcad7d3fb29ed9b22.bin"
            ))
        }),
    },
    // Without the reduction `quorum`.
    KnownImage {
        root: b256!("0xb4a4e6e71927351ac8bf45faf9b7f308acddf105ecd3ecf54dca41e7c885df3f"),
        image: LazyLock::new(|| {
            Image::new(include_bytes!(
                "../image/0xb4a4e6e71927351ac8bf45faf9b7f308acddf105ecd3ecf54dca41e7c885df3f.bin"
            ))
        }),
    },
];

/// The image is not one of those that this version has.
// Complete: it has one cause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the evaluator's image {root} is unknown; this version has {}", list(known))]
pub struct UnknownImage {
    /// The root that was asked for.
    pub root: B256,
    /// The roots of the images that this version has.
    pub known: Vec<B256>,
}

/// Returns the current image of the evaluator, for which policies are built. It is decoded once.
///
/// # Errors
///
/// None: the committed image fits its region.
pub fn evaluator() -> Result<&'static Image, ImageError> {
    let [current, ..] = &IMAGES;
    current.image.as_ref().map_err(|error| *error)
}

/// Returns the image with a root, which a policy or an evidence names.
///
/// ```
/// use alloy_primitives::B256;
/// use assent_policy::{evaluator, evaluator_with_root};
///
/// let current = evaluator()?;
/// assert_eq!(evaluator_with_root(current.root())?.root(), current.root());
/// assert!(evaluator_with_root(B256::ZERO).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`UnknownImage`] if this version does not have it.
pub fn evaluator_with_root(root: B256) -> Result<&'static Image, UnknownImage> {
    let known = IMAGES.iter().find(|known| known.root == root);
    let image = known.and_then(|known| known.image.as_ref().ok());
    // The root is computed of the program: a wrong entry of the table is an unknown image, and never another one.
    let image = image.filter(|image| image.root() == root);
    image.ok_or_else(|| UnknownImage { root, known: known_images().collect() })
}

/// Returns the roots of the images that this version has, the current one first.
pub fn known_images() -> impl Iterator<Item = B256> {
    IMAGES.iter().map(|known| known.root)
}

fn list(roots: &[B256]) -> String {
    roots.iter().map(B256::to_string).collect::<Vec<_>>().join(", ")
}

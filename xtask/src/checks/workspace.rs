//! The crates that checks single out.

use std::{fs, io, path::PathBuf};

use crate::runner::root;

/// The crates without std, whose every line and branch is covered. Their tests run with all features, by default, and
/// with blst only.
pub const NO_STD: [&str; 2] = ["assent-types", "assent-verifier"];

/// The sets of features under which the verifier must give the same answers as with all of them.
pub const VERIFIER_FEATURES: [(&str, &[&str]); 2] =
    [("default", &[]), ("blst only", &["--no-default-features", "--features", "blst"])];

/// The packages whose tests run together: all but those in [`NO_STD`].
pub const OTHERS: [&str; 5] = ["--workspace", "--exclude", "assent-types", "--exclude", "assent-verifier"];

/// The directories of the libraries, published and internal.
///
/// # Errors
/// If the crates' directories cannot be read.
pub fn libraries() -> io::Result<Vec<PathBuf>> {
    let mut directories = vec![];
    for group in ["crates", "crates/internal"] {
        for entry in fs::read_dir(root().join(group))? {
            let directory = entry?.path();
            if directory.join("src/lib.rs").is_file() {
                directories.push(directory);
            }
        }
    }
    Ok(directories)
}

//! Where unsafe code is allowed. The compiler forbids it without the feature `blst`. With it, one file may allow it,
//! and this test fails if another does.

use std::{fs, path::Path};

/// Calls into C for which blst's crate has no safe interface.
const BINDINGS: &str = "backend/blst/raw.rs";

#[test]
fn only_the_bindings_to_blst_allow_unsafe_code() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut allowing = vec![];
    visit(&sources, &mut |path| {
        let name = path.strip_prefix(&sources).unwrap().to_str().unwrap().replace('\\', "/");
        let source = fs::read_to_string(path).unwrap();
        // The crate denies it, so its user has to name the lint, or to forbid it (lib.rs).
        if source.contains("unsafe_code") && name != "lib.rs" {
            allowing.push(name);
        }
    });
    assert_eq!(allowing, [BINDINGS]);

    let read = |file: &str| fs::read_to_string(sources.join(file)).unwrap();
    assert_eq!(read("lib.rs").matches("unsafe_code").count(), 1);
    assert!(read("lib.rs").contains("#![cfg_attr(not(feature = \"blst\"), forbid(unsafe_code))]"));
    assert!(read("../Cargo.toml").contains("unsafe_code = \"deny\""));
}

fn visit(directory: &Path, seen: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { visit(&path, seen) } else { seen(&path) }
    }
}

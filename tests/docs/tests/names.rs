//! The names in backticks on the pages exist in the sources.

use std::{
    collections::HashSet,
    fs, io,
    path::{Path, PathBuf},
};

/// The pages, and the least number of names on each.
const PAGES: [(&str, usize); 9] = [
    ("architecture.md", 60),
    ("assurance/attacks.md", 100),
    ("assurance/coverage-and-analysis.md", 5),
    ("assurance/fuzzing-and-proofs.md", 20),
    ("assurance/mutation.md", 20),
    ("assurance/promises.md", 90),
    ("audit.md", 30),
    ("integrate.md", 40),
    ("upgrade.md", 20),
];

/// The folders that define the names.
const SOURCES: [&str; 8] =
    ["bin", "contracts", "crates", "examples", "packages/viem/src", "script", "tests", "xtask/src"];
const ENDINGS: [&str; 5] = ["sol", "rs", "py", "ts", "txt"];

#[test]
fn pages_name_only_what_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut present = HashSet::new();
    for folder in SOURCES {
        collect(&root.join(folder), &mut present).unwrap();
    }
    for (name, least) in PAGES {
        let page = fs::read_to_string(root.join("docs").join(name)).unwrap();
        let names: Vec<_> = names(&page).collect();
        assert!(names.len() >= least, "{} names were found: did the form of docs/{name} change?", names.len());
        let missing: Vec<_> = names.into_iter().filter(|name| !present.contains(*name)).collect();
        assert!(missing.is_empty(), "docs/{name} names what does not exist: {missing:?}");
    }
}

/// Identifiers in backticks, without blocks; of `Contract.function`, both parts.
fn names(page: &str) -> impl Iterator<Item = &str> {
    let quoted = page.split('`').skip(1).step_by(2);
    let identifiers = quoted.filter(|text| text.chars().all(|c| c.is_ascii_alphanumeric() || "_.:".contains(c)));
    identifiers.flat_map(|text| text.split(['.', ':'])).filter(|name| !name.is_empty())
}

/// Every identifier of the sources below a folder, and the rest of each after a prefix (`test_RevertWhen_`,
/// `invariant_`, `assert`). The parts of files' and folders' names are there, too.
fn collect(folder: &Path, present: &mut HashSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path: PathBuf = entry?.path();
        if path.is_dir() {
            present.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
            collect(&path, present)?;
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !ENDINGS.iter().any(|ending| name.ends_with(&format!(".{ending}"))) {
            continue;
        }
        present.extend(name.split('.').map(str::to_owned));
        let text = fs::read_to_string(&path)?;
        for word in text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| !word.is_empty()) {
            present.extend(word.match_indices('_').map(|(index, _)| word[index + 1..].to_owned()));
            present.extend(word.strip_prefix("assert").map(str::to_owned));
            present.insert(word.to_owned());
        }
    }
    Ok(())
}

//! Which crates may depend on what. A new crate is a line in one of the tables.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

/// Runtimes that a library without I/O must not bring along.
const RUNTIMES: [&str; 8] = ["async-std", "hyper", "regorus", "reqwest", "tokio", "wasmer", "wasmi", "wasmtime"];

/// The ciphers and key derivations of key files. A program that links them can read secret keys from a disk.
const KEY_FILES: [&str; 4] = ["aes", "ctr", "pbkdf2", "scrypt"];

/// What holds secret keys. Gateways are not trusted, and link none of it.
const SECRET_KEYS: [&str; 6] = ["aes", "assent-journal", "assent-signer", "ctr", "pbkdf2", "scrypt"];

/// A library, its features, and what it must not depend on, directly or indirectly.
const RULES: [(&str, &str, &[&str]); 12] = [
    ("assent-json", "--all-features", &RUNTIMES),
    ("assent-machine", "--all-features", &RUNTIMES),
    ("assent-policy", "--all-features", &RUNTIMES),
    ("assent-rules", "--all-features", &RUNTIMES),
    ("assent-types", "--all-features", &RUNTIMES),
    ("assent-verifier", "--all-features", &RUNTIMES),
    // Without `keystore`, as an aggregator uses it.
    ("assent-signer", "--no-default-features", &KEY_FILES),
    ("assent-contracts", "--all-features", &KEY_FILES),
    ("assent-client", "--all-features", &KEY_FILES),
    ("assent-network", "--all-features", &RUNTIMES),
    ("assent-network", "--all-features", &KEY_FILES),
    ("assent-task-log", "--all-features", &SECRET_KEYS),
];

/// The crates without std, each with the features that it has on bare metal.
const WITHOUT_STD: [(&str, &str); 2] = [("assent-types", "serde"), ("assent-verifier", "arkworks,serde")];

#[test]
fn libraries_depend_on_nothing_that_their_rules_forbid() {
    for (package, features, forbidden) in RULES {
        let dependencies = tree(&["--edges", "normal", "--package", package, features]);
        let found: Vec<_> = dependencies.iter().filter(|line| forbidden.contains(&name(line))).collect();
        assert!(found.is_empty(), "{package} depends on {found:?}");
    }
}

#[test]
fn crates_without_std_enable_std_in_no_dependency() {
    for (package, features) in WITHOUT_STD {
        let edges = ["--edges", "normal,features,no-proc-macro"];
        let selection = ["--package", package, "--no-default-features", "--features", features];
        let dependencies = tree(&[&edges[..], &selection].concat());
        assert!(dependencies.len() > 10, "{dependencies:?}");
        let with_std: Vec<_> = dependencies.iter().filter(|line| line.contains("feature \"std\"")).collect();
        assert!(with_std.is_empty(), "{package}: {with_std:?}");
    }
}

#[test]
fn libraries_depend_on_no_example_test_or_program() {
    let packages = tree(&["--edges", "normal", "--workspace", "--depth", "0"]);
    let libraries: Vec<_> = packages.iter().filter(|line| line.contains("/crates/")).collect();
    assert!(libraries.len() >= 6, "{packages:?}");
    for library in libraries {
        let dependencies = tree(&["--edges", "normal", "--package", name(library), "--all-features"]);
        let outside: Vec<_> = dependencies.iter().filter(|line| is_own(line) && !line.contains("/crates/")).collect();
        assert!(outside.is_empty(), "{library} depends on {outside:?}");
    }
}

#[test]
fn every_lock_has_the_dependencies_of_the_repositorys_packages() {
    let files = tracked(&["*Cargo.toml", "*Cargo.lock"]);
    let manifests: BTreeMap<_, _> = files.iter().filter_map(|path| manifest(path)).collect();
    let locks: Vec<_> = files.iter().filter(|path| path.ends_with("Cargo.lock")).collect();
    assert!(locks.len() > 5 && manifests.len() > 20, "{files:?}");
    for path in locks {
        let lock = read(path);
        // The repository's packages have no source.
        for package in lock.split("[[package]]").skip(1).filter(|package| !package.contains("\nsource = ")) {
            let name = package.lines().find_map(|line| quoted(line.strip_prefix("name = ")?)).expect("a name");
            let (_, dependencies) = package.split_once("dependencies = [").unwrap_or_default();
            let locked: Vec<_> = dependencies.lines().filter_map(|line| quoted(line)?.split(' ').next()).collect();
            let missing = manifests[name].iter().filter(|dependency| !locked.contains(&dependency.as_str()));
            let missing: Vec<_> = missing.collect();
            assert!(missing.is_empty(), "{path} lacks {missing:?} of {name}: run cargo update --workspace there");
        }
    }
}

/// A package's name and what it always needs, without its tests.
fn manifest(path: &str) -> Option<(String, Vec<String>)> {
    let text = Some(path).filter(|path| path.ends_with("Cargo.toml")).map(read)?;
    let (mut section, mut name, mut dependencies) = ("", None, vec![]);
    for line in text.lines() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']);
        } else if let Some((key, value)) = line.split_once('=') {
            let key = key.trim();
            let is_dependency = section.ends_with("dependencies") && section != "workspace.dependencies";
            if section == "package" && key == "name" {
                name = quoted(value).map(str::to_owned);
            } else if is_dependency && !section.contains("dev-") && !value.contains("optional = true") {
                let renamed = value.split_once("package = ").and_then(|(_, package)| quoted(package));
                dependencies.push(renamed.or_else(|| key.split('.').next()).unwrap_or(key).to_owned());
            }
        }
    }
    Some((name?, dependencies))
}

/// The first text in quotation marks.
fn quoted(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

/// The repository's files of these patterns.
fn tracked(patterns: &[&str]) -> Vec<String> {
    let output = Command::new("git").current_dir(root()).args(["ls-files", "--"]).args(patterns).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// What `cargo tree` prints, a package or feature a line.
fn tree(arguments: &[&str]) -> Vec<String> {
    let fixed = ["tree", "--quiet", "--locked", "--prefix", "none"];
    let output = Command::new(env!("CARGO")).current_dir(root()).args(fixed).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lines: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines.dedup();
    lines
}

/// The package's name in a line of `cargo tree`.
fn name(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

/// Whether the package is one of the repository's: its line shows its directory.
fn is_own(line: &str) -> bool {
    line.contains("(/")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

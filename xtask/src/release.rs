//! `cargo xtask release`: packs the crates and npm packages, verifies what was packed, and publishes it.

use std::{env, ffi::OsString, fs};

use clap::Args;

use crate::{
    checks::npm_package,
    runner::{Outcome, Step, cargo, command, execute, must_pass, printed, root, target_directory},
    tools::setup,
};

/// The environment variables with the registries' tokens.
const CARGO_TOKEN: &str = "CARGO_REGISTRY_TOKEN";
const NPM_TOKEN: &str = "NPM_TOKEN";

/// The options of `cargo xtask release`.
#[derive(Args)]
pub struct Arguments {
    /// Pack and verify, and publish nothing
    #[arg(long)]
    dry_run: bool,
}

/// Packs and verifies, and publishes unless it is a dry run.
///
/// # Errors
/// If a check failed, or something was not published.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let crates = published_crates()?;
    if !arguments.dry_run {
        require_reviewed()?;
        require_tokens(|name| env::var_os(name))?;
    }
    setup::then_run(steps(&crates, arguments.dry_run))?;
    if arguments.dry_run {
        eprintln!("Nothing was published. Packed: {} and {}", packages().display(), npm_package::directory().display());
        return Ok(());
    }
    publish(&crates)
}

fn steps(crates: &[String], dry_run: bool) -> Vec<Step> {
    let mut versions = command("node", &["--test", "tests/packages/versions.test.mjs"]);
    if !dry_run {
        versions.env("RELEASE", "1");
    }
    let names = crates.to_vec();
    let mut steps = vec![
        Step::command("versions and changelog", versions),
        Step::new("crates: pack, contents", move || pack_crates(&names, dry_run)),
        Step::new("crates: a project that depends on them", try_crates),
    ];
    // One after the other: each needs the file that the one before it packed.
    steps.extend(npm_package::steps());
    steps.push(Step::new("npm: @assent/viem, pack, contents", pack_viem));
    steps.push(Step::new("npm: a project that depends on @assent/viem", || {
        let mut trial = command("node", &["tests/packages/try-released.mjs", "viem"]);
        trial.arg(viem_tarball());
        execute(trial)
    }));
    steps
}

/// Returns the crates that can be published, each after those that it depends on.
fn published_crates() -> Result<Vec<String>, String> {
    let read = |error| format!("cannot read crates/: {error}");
    let mut manifests = Vec::new();
    for entry in fs::read_dir(root().join("crates")).map_err(read)? {
        let directory = entry.map_err(read)?.path();
        let Ok(manifest) = fs::read_to_string(directory.join("Cargo.toml")) else { continue };
        if !manifest.lines().any(|line| line == "publish = false") {
            let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
            manifests.push((name, manifest));
        }
    }
    manifests.sort();
    Ok(in_order(manifests))
}

fn in_order(mut manifests: Vec<(String, String)>) -> Vec<String> {
    let mut ordered = Vec::new();
    while !manifests.is_empty() {
        let needs = |manifest: &str, name: &str| {
            manifest.lines().any(|line| {
                line.strip_prefix(name).is_some_and(|rest| rest.starts_with(".workspace") || rest.starts_with(" = "))
            })
        };
        let is_ready = |(own, manifest): &(String, String)| {
            manifests.iter().all(|(name, _)| name == own || !needs(manifest, name))
        };
        // Dependencies only for tests can form a cycle; the first then comes first.
        let next = manifests.iter().position(is_ready).unwrap_or_default();
        ordered.push(manifests.remove(next).0);
    }
    ordered
}

fn pack_crates(names: &[String], dry_run: bool) -> Outcome {
    // What an earlier run packed must not be tested in place of what cannot be packed.
    if let Err(error) = fs::remove_dir_all(packages())
        && packages().exists()
    {
        return Outcome::Failed(format!("cannot remove {}: {error}", packages().display()));
    }
    let mut pack = cargo(&["package", "--no-verify"]);
    if dry_run {
        pack.arg("--allow-dirty");
    }
    pack.args(names.iter().flat_map(|name| ["--package", name]));
    let mut inspect = command("node", &["--test", "tests/packages/crates.test.mjs"]);
    inspect.env("CRATES", packages());
    execute(pack).and_then(|| execute(inspect))
}

fn try_crates() -> Outcome {
    let mut trial = command("node", &["tests/packages/try-released.mjs", "rust"]);
    trial.arg(packages());
    execute(trial)
}

fn pack_viem() -> Outcome {
    if let Err(error) = fs::remove_file(viem_tarball())
        && viem_tarball().exists()
    {
        return Outcome::Failed(format!("cannot remove {}: {error}", viem_tarball().display()));
    }
    if let Err(error) = fs::create_dir_all(npm_package::directory()) {
        return Outcome::Failed(format!("cannot create {}: {error}", npm_package::directory().display()));
    }
    // .npmrc keeps npm from running it by itself.
    let build = command("npm", &["run", "prepack", "--prefix", "packages/viem"]);
    let mut pack = command("npm", &["pack", "./packages/viem", "--pack-destination"]);
    pack.arg(npm_package::directory());
    let mut inspect = command("node", &["--test", "tests/packages/viem.test.mjs"]);
    inspect.env("TARBALL", viem_tarball());
    execute(build).and_then(|| execute(pack)).and_then(|| execute(inspect))
}

/// Checks that what is published is a tagged commit, which was reviewed.
fn require_reviewed() -> Result<(), String> {
    let git = |arguments: &[&str]| {
        let root = root().into_os_string().into_string().ok()?;
        printed("git", &[&["-C", &root], arguments].concat())
    };
    if git(&["status", "--porcelain"]).is_none_or(|changes| !changes.is_empty()) {
        return Err("the working tree has changes; commit them, or give --dry-run".to_owned());
    }
    let tag = concat!("v", env!("CARGO_PKG_VERSION"));
    if git(&["describe", "--tags", "--exact-match"]).as_deref() != Some(tag) {
        return Err(format!("the commit is not tagged {tag}; tag what was reviewed, or give --dry-run"));
    }
    Ok(())
}

/// Checks that both registries' tokens are given, before anything is packed: a crate that is published stays so.
fn require_tokens(variable: impl Fn(&str) -> Option<OsString>) -> Result<(), String> {
    for (name, registry) in [(CARGO_TOKEN, "crates.io"), (NPM_TOKEN, "registry.npmjs.org")] {
        if variable(name).is_none_or(|token| token.is_empty()) {
            return Err(format!(
                "there is no token for {registry}, so nothing is published; set {name}, or give --dry-run"
            ));
        }
    }
    Ok(())
}

fn publish(crates: &[String]) -> Result<(), String> {
    for name in crates {
        must_pass(cargo(&["publish", "--package", name]))?;
    }
    for tarball in [npm_package::tarball(), viem_tarball()] {
        let mut publish = command("npm", &["publish", "--ignore-scripts", "--access", "public"]);
        publish.arg(tarball);
        publish.env("npm_config_//registry.npmjs.org/:_authToken", env::var_os(NPM_TOKEN).unwrap_or_default());
        must_pass(publish)?;
    }
    Ok(())
}

/// Where cargo puts packed crates.
fn packages() -> std::path::PathBuf {
    target_directory().join("package")
}

fn viem_tarball() -> std::path::PathBuf {
    npm_package::directory().join(concat!("assent-viem-", env!("CARGO_PKG_VERSION"), ".tgz"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_comes_after_what_it_depends_on() {
        let manifest = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let ordered = in_order(vec![
            manifest("a-signer", "[dependencies]\na-verifier = { workspace = true }\n"),
            manifest("a-types", "[dependencies]\n"),
            manifest("a-verifier", "[dependencies]\na-types.workspace = true\n"),
        ]);
        assert_eq!(ordered, ["a-types", "a-verifier", "a-signer"]);
    }

    #[test]
    fn nothing_is_published_without_the_token_of_each_registry() {
        let given =
            |names: &'static [&'static str]| move |name: &str| names.contains(&name).then(|| OsString::from("a token"));
        let refusal = |names| require_tokens(given(names)).unwrap_err();
        assert!(refusal(&[]).contains("CARGO_REGISTRY_TOKEN"));
        assert!(refusal(&["NPM_TOKEN"]).contains("crates.io"));
        assert!(refusal(&["CARGO_REGISTRY_TOKEN"]).contains("set NPM_TOKEN, or give --dry-run"));
        assert!(require_tokens(|_| Some(OsString::new())).is_err());
        assert_eq!(require_tokens(given(&["CARGO_REGISTRY_TOKEN", "NPM_TOKEN"])), Ok(()));
    }

    #[test]
    fn the_published_crates_are_those_that_can_be() {
        let crates = published_crates().expect("the crates' directory is readable");
        let index = |name: &str| crates.iter().position(|other| other == name);
        assert!(index("assent-types") < index("assent-verifier"), "{crates:?}");
        assert!(index("assent-verifier") < index("assent-signer"), "{crates:?}");
        assert!(index("assent-types").is_some() && index("assent-contracts").is_none(), "{crates:?}");
    }
}

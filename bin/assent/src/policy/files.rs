//! Policies on disk: folders, and built files.

use super::parameters::require_valid;
use crate::input;
use anyhow::{Context as _, Result, anyhow, bail};
use assent_json::Value;
use assent_machine::Image;
use assent_policy::{
    Bundle, Conjunction, ConjunctionManifest, ExecutablePolicy, MAX_BUNDLE, MAX_COMPONENT, Member, PolicyFolder,
    evaluator, evaluator_with_root,
};
use clap::{Args, ValueHint};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The maximum length of a file with text, in bytes: more than rules and parameters may have.
const LONGEST_TEXT: u64 = 1024 * 1024;
/// The maximum length of a built policy, in bytes.
const LONGEST_POLICY: u64 = MAX_BUNDLE as u64;
/// The files of a folder besides modules and components.
const NAMED: [&str; 3] = ["policy.json", "parameters.json", "parameters.schema.json"];

/// The options for a policy that decides.
#[derive(Args)]
pub struct PolicyArguments {
    /// The policy's folder, or the file that `assent policy build` wrote.
    #[arg(default_value = ".", value_hint = ValueHint::AnyPath)]
    policy: PathBuf,
    /// Parameters instead of the policy's own.
    #[arg(long, value_name = "FILE")]
    pub parameters: Option<PathBuf>,
}

impl PolicyArguments {
    /// Reads the folder or file.
    pub fn local(&self) -> Result<LocalPolicy> {
        LocalPolicy::read(&self.policy)
    }

    /// Reads the policy.
    pub fn read(&self) -> Result<Loaded> {
        self.local()?.load(self.parameters.as_deref())
    }
}

/// A policy that can decide.
pub struct Loaded {
    /// The policy.
    pub policy: ExecutablePolicy,
    /// The components of its sources, by name as [`Bundle::components`] has them.
    #[cfg_attr(not(feature = "sources"), expect(dead_code, reason = "only sources that are observed need them"))]
    pub components: BTreeMap<String, Vec<u8>>,
}

/// A policy on disk.
pub enum LocalPolicy {
    /// A folder.
    Folder(Box<PolicyFolder>),
    /// A folder of a conjunction, with its policies.
    Conjunction(Box<Conjunction>),
    /// A built policy.
    Bundle(Box<Bundle>),
}

impl LocalPolicy {
    /// Reads a folder or a built policy.
    pub fn read(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Self::read_folder(path);
        }
        let bytes = input::read_file("policy", path, LONGEST_POLICY)?;
        let bundle = Bundle::parse(&bytes).with_context(|| {
            format!("{} is neither a policy's folder nor a file that `assent policy build` wrote", path.display())
        })?;
        Ok(Self::Bundle(Box::new(bundle)))
    }

    /// Reads a folder, of one policy or of a conjunction.
    pub fn read_folder(path: &Path) -> Result<Self> {
        let files = read_files(path)?;
        let shown = path.display();
        if files.is_empty() {
            bail!("{shown} is not a policy's folder: name one, or create one with `assent policy new NAME`");
        }
        let not_a_policy = || format!("{shown} is not a policy's folder");
        let manifest = files.get("policy.json").map(Vec::as_slice).unwrap_or_default();
        let manifest = ConjunctionManifest::parse_if_conjunction(manifest).context("policy.json");
        let Some(manifest) = manifest.with_context(not_a_policy)? else {
            let folder = PolicyFolder::read(&files).with_context(not_a_policy)?;
            return Ok(Self::Folder(Box::new(folder)));
        };
        let members = manifest.members.iter().map(|member| {
            let read = read_member(&path.join(&member.policy));
            read.with_context(|| format!("{} is a conjunction with {}", path.display(), member.policy))
        });
        let conjunction = Conjunction::read(&files, members.collect::<Result<_>>()?).with_context(not_a_policy)?;
        Ok(Self::Conjunction(Box::new(conjunction)))
    }

    /// Returns the policy's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Folder(folder) => &folder.manifest.name,
            Self::Conjunction(conjunction) => &conjunction.manifest.name,
            Self::Bundle(bundle) => bundle.name(),
        }
    }

    /// Returns the policy's version.
    pub fn version(&self) -> &str {
        match self {
            Self::Folder(folder) => &folder.manifest.version,
            Self::Conjunction(conjunction) => &conjunction.manifest.version,
            Self::Bundle(bundle) => bundle.version(),
        }
    }

    /// Returns the policy with its components, and with other parameters if a file with them is given.
    pub fn load(&self, parameters: Option<&Path>) -> Result<Loaded> {
        let components = match self {
            Self::Folder(folder) => folder.components.clone(),
            Self::Conjunction(conjunction) => conjunction.build(evaluator()?.root())?.components().clone(),
            Self::Bundle(bundle) => bundle.components().clone(),
        };
        Ok(Loaded { policy: self.policy(parameters)?, components })
    }

    /// Returns the policy, with other parameters if a file with them is given.
    pub fn policy(&self, parameters: Option<&Path>) -> Result<ExecutablePolicy> {
        let policy = match self {
            Self::Folder(folder) => folder.policy(evaluator()?.root())?,
            Self::Conjunction(conjunction) => conjunction.policy(evaluator()?.root())?,
            Self::Bundle(bundle) => bundle.policy().clone(),
        };
        let policy = match parameters {
            None => policy,
            Some(path) => policy.with_parameters(&read_parameters(path)?)?,
        };
        require_valid(&policy)?;
        Ok(policy)
    }
}

/// Returns the image that a policy names.
pub fn image_of(policy: &ExecutablePolicy) -> Result<&'static Image> {
    Ok(evaluator_with_root(policy.image())?)
}

/// Reads parameters.
pub fn read_parameters(path: &Path) -> Result<Value> {
    let text = input::read_file("parameters", path, LONGEST_TEXT)?;
    parse_json("parameters", path, &text)
}

/// Parses strict JSON.
pub fn parse_json(what: &str, path: &Path, text: &[u8]) -> Result<Value> {
    assent_json::parse(text).map_err(|error| {
        let (line, column) = error.line_and_column(text);
        anyhow!("cannot parse {what} {}: line {line}, column {column}: {}", path.display(), error.kind)
    })
}

/// Reads a policy of a conjunction.
fn read_member(path: &Path) -> Result<Member> {
    if !path.is_dir() {
        return match LocalPolicy::read(path)? {
            LocalPolicy::Bundle(bundle) => Ok(Member::Bundle(bundle)),
            LocalPolicy::Folder(folder) => Ok(Member::Folder(folder)),
            LocalPolicy::Conjunction(_) => bail!("it is a conjunction: name its policies instead"),
        };
    }
    let files = read_files(path)?;
    let manifest = files.get("policy.json").map(Vec::as_slice).unwrap_or_default();
    if matches!(ConjunctionManifest::parse_if_conjunction(manifest), Ok(None)) {
        let folder = PolicyFolder::read(&files);
        return folder.map(Box::new).map(Member::Folder).map_err(anyhow::Error::from);
    }
    bail!("it is a conjunction: name its policies instead")
}

/// Reads the files of a policy's folder.
pub fn read_files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for (name, path) in paths(folder)? {
        let longest = if name.ends_with(".wasm") { u64::try_from(MAX_COMPONENT)? } else { LONGEST_TEXT };
        let contents = input::read_file("policy's file", &path, longest)?;
        files.insert(name, contents);
    }
    Ok(files)
}

/// Returns all files that a folder's tests depend on: of a conjunction those of its policies too.
pub fn watched(folder: &Path) -> Result<Vec<PathBuf>> {
    let own = paths(folder)?;
    let manifest = own.get("policy.json").and_then(|path| fs::read(path).ok()).unwrap_or_default();
    let mut watched = own.into_values().collect::<Vec<_>>();
    if let Ok(Some(manifest)) = ConjunctionManifest::parse_if_conjunction(&manifest) {
        for member in manifest.members {
            let member = folder.join(member.policy);
            match paths(&member) {
                Ok(files) => watched.extend(files.into_values()),
                Err(_) => watched.push(member),
            }
        }
    }
    Ok(watched)
}

/// Returns the files of a policy's folder that are read, by their names in it.
fn paths(folder: &Path) -> Result<BTreeMap<String, PathBuf>> {
    if !folder.is_dir() {
        if folder.is_file() {
            bail!("{} is not a folder; give the folder that it was built from", folder.display());
        }
        bail!("{} is not a folder; `assent policy new NAME` creates one", folder.display());
    }
    let mut paths = BTreeMap::new();
    let mut collect = |directory: &Path, prefix: &str, is_read: &dyn Fn(&str) -> bool| -> Result<()> {
        let entries = fs::read_dir(directory).with_context(|| format!("cannot read folder {}", directory.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read folder {}", directory.display()))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if is_read(&name) && entry.path().is_file() {
                paths.insert(format!("{prefix}{name}"), entry.path());
            }
        }
        Ok(())
    };
    collect(folder, "", &|name| NAMED.contains(&name) || name.ends_with(".rego"))?;
    let sources = folder.join("sources");
    if sources.is_dir() {
        collect(&sources, "sources/", &|name| name.ends_with(".wasm"))?;
    }
    Ok(paths)
}

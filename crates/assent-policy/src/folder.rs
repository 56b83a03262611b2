//! A policy's folder, as an author writes it.

use crate::{
    MAX_COMPONENT,
    bundle::{Bundle, BundleError, component_file},
    content::ContentError,
    json::{self, JsonError},
    manifest::{Manifest, SourceManifest},
    policy::ExecutablePolicy,
    rules::{Observer, Rules, SingleRules, Source},
};
use alloy_primitives::B256;
use assent_json::{Object, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The file with the manifest.
pub(crate) const MANIFEST: &str = "policy.json";
/// The file with example parameters.
pub(crate) const PARAMETERS: &str = "parameters.json";
const SCHEMA: &str = "parameters.schema.json";

/// The files of a policy, read but not built.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyFolder {
    /// `policy.json`.
    pub manifest: Manifest,
    /// The modules that the policy is built of, by file name.
    pub modules: BTreeMap<String, String>,
    /// The modules with tests (`…_test.rego`), by file name.
    pub tests: BTreeMap<String, String>,
    /// `parameters.schema.json`; an empty object if it is missing.
    pub parameters_schema: Value,
    /// `parameters.json`; an empty object if it is missing.
    pub parameters: Value,
    /// The components of the sources, by name.
    pub components: BTreeMap<String, Vec<u8>>,
}

/// A folder is not that of a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file is missing.
    #[error("{0} is missing")]
    MissingFile(String),
    /// A file with JSON is not what it must be.
    #[error("{file}: {error}")]
    Json {
        /// The file.
        file: String,
        /// The reason.
        error: JsonError,
    },
    /// A file is not text.
    #[error("{0} is not UTF-8")]
    NotText(String),
    /// There is no module.
    #[error(
        "there is no module: write the rules into a file that ends in .rego, and tests into one that ends in _test.rego"
    )]
    NoModule,
    /// A component is too long.
    #[error("{file} has {length} bytes, more than {MAX_COMPONENT}")]
    ComponentTooLong {
        /// The file.
        file: String,
        /// Its length.
        length: usize,
    },
    /// A component has no source in the manifest.
    #[error("{0} belongs to no source of policy.json that is a component")]
    UnknownComponent(String),
    /// A policy of a conjunction cannot be used.
    #[error(transparent)]
    Member(MemberError),
    /// A conjunction has a module.
    #[error("{0} would not be read: a conjunction has the rules of its policies, and only tests (…_test.rego) itself")]
    ModuleOfConjunction(String),
    /// Two policies of a conjunction have the same package.
    #[error("two policies have the package {0:?}, so that the conjunction's own tests cannot tell them apart")]
    PackageOfTwoMembers(String),
    /// The rules of a policy of a conjunction cannot be used.
    #[error(transparent)]
    Content(ContentError),
}

/// A policy of a conjunction cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemberError {
    /// The policy is another one than the manifest names.
    #[error("the policy {actual} of {policy} is not the one that policy.json names, {expected}")]
    WrongId {
        /// The path in the manifest.
        policy: String,
        /// The id in the manifest.
        expected: B256,
        /// The id of the policy with its parameters in the conjunction.
        actual: B256,
    },
    /// The policy is for another image.
    #[error("{policy} was built for the evaluator {actual}, not {expected}: build it again")]
    WrongImage {
        /// The path in the manifest.
        policy: String,
        /// The conjunction's image.
        expected: B256,
        /// The image of the built policy.
        actual: B256,
    },
    /// The policy is a conjunction.
    #[error("{0} is a conjunction: name its policies instead")]
    Nested(String),
    /// A different number of policies than the manifest has.
    #[error("there are {actual} policies, of {expected} that policy.json names")]
    WrongNumber {
        /// How many the manifest has.
        expected: usize,
        /// How many there are.
        actual: usize,
    },
}

/// A policy cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The folder is incomplete.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Rules or parameters cannot be used.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The bundle cannot be made.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

impl PolicyFolder {
    /// Reads the files of a folder, given by their paths in it. Other files are not read.
    ///
    /// # Errors
    ///
    /// [`FolderError`] with the file that is missing or invalid.
    pub fn read(files: &BTreeMap<String, Vec<u8>>) -> Result<Self, FolderError> {
        let manifest = files.get(MANIFEST).ok_or_else(|| FolderError::MissingFile(MANIFEST.into()))?;
        let manifest = Manifest::parse(manifest).map_err(|error| FolderError::Json { file: MANIFEST.into(), error })?;
        let (modules, tests) = texts(files)?;
        if modules.is_empty() {
            return Err(FolderError::NoModule);
        }
        Ok(Self {
            components: components(files, &manifest)?,
            manifest,
            modules,
            tests,
            parameters_schema: object(files, SCHEMA)?,
            parameters: object(files, PARAMETERS)?,
        })
    }

    /// Returns the rules.
    ///
    /// # Errors
    ///
    /// [`FolderError::MissingFile`] if a source is not built.
    pub fn rules(&self) -> Result<SingleRules, FolderError> {
        let sources = self.manifest.sources.iter().map(|(name, source)| {
            let observer = match &source.builtin {
                Some(builtin) => Observer::Builtin(builtin.clone()),
                None => {
                    let component = self.components.get(name);
                    let component = component.ok_or_else(|| FolderError::MissingFile(component_file(name)))?;
                    Observer::Component(B256::from_slice(Sha256::digest(component).as_slice()))
                }
            };
            let SourceManifest { hosts, reduce, within, schema, .. } = source.clone();
            Ok((name.clone(), Source { observer, hosts, reduce, within, schema }))
        });
        Ok(SingleRules {
            entrypoint: self.manifest.entrypoint.clone(),
            functions: self.manifest.functions.clone(),
            modules: self.modules.clone(),
            parameters_schema: self.parameters_schema.clone(),
            sources: sources.collect::<Result<_, _>>()?,
        })
    }

    /// Returns the policy with the folder's parameters, for an image of the evaluator.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if a source is not built, or rules or parameters are too long.
    pub fn policy(&self, image: B256) -> Result<ExecutablePolicy, BuildError> {
        Ok(ExecutablePolicy::new(image, &Rules::Single(self.rules()?), self.manifest.step_limit, &self.parameters)?)
    }

    /// Builds the policy for an image of the evaluator.
    ///
    /// # Errors
    ///
    /// As [`policy`](Self::policy).
    pub fn build(&self, image: B256) -> Result<Bundle, BuildError> {
        let policy = self.policy(image)?;
        Ok(Bundle::new(self.manifest.name.clone(), self.manifest.version.clone(), policy, self.components.clone())?)
    }

    /// Returns the content of a rules region that runs the tests: those whose names match `run`, or all. Its decision
    /// is always to deny.
    ///
    /// # Errors
    ///
    /// As [`policy`](Self::policy).
    pub fn test_content(&self, run: Option<&str>, coverage: bool) -> Result<String, BuildError> {
        let mut rules = self.rules_without_components();
        rules.modules.extend(self.tests.clone());
        let Value::Object(mut content) = rules.to_value() else { return Ok(String::new()) };
        content.insert("test", true);
        if coverage {
            content.insert("coverage", true);
        }
        if let Some(run) = run {
            content.insert("run", run);
        }
        let content = json::canonical(content);
        let max = usize::try_from(assent_machine::Region::Rules.capacity()).unwrap_or(usize::MAX);
        if content.len() > max {
            return Err(ContentError::TooLong { what: "rules", length: content.len(), max }.into());
        }
        Ok(content)
    }

    /// Returns the rules with zero for the hash of a component that is not built. Tests give its output themselves.
    pub(crate) fn rules_without_components(&self) -> SingleRules {
        let with_components = Self {
            components: self.manifest.sources.keys().map(|name| (name.clone(), Vec::new())).collect(),
            ..self.clone()
        };
        with_components.rules().unwrap_or_else(|_| SingleRules {
            entrypoint: self.manifest.entrypoint.clone(),
            functions: self.manifest.functions.clone(),
            modules: self.modules.clone(),
            parameters_schema: self.parameters_schema.clone(),
            sources: BTreeMap::new(),
        })
    }
}

/// Modules by file name.
type Modules = BTreeMap<String, String>;

/// Returns the modules that are built, and those with tests.
pub(crate) fn texts(files: &BTreeMap<String, Vec<u8>>) -> Result<(Modules, Modules), FolderError> {
    let (mut modules, mut tests) = (BTreeMap::new(), BTreeMap::new());
    for (file, bytes) in files.iter().filter(|(file, _)| file.ends_with(".rego") && !file.contains('/')) {
        let text = String::from_utf8(bytes.clone()).map_err(|_| FolderError::NotText(file.clone()))?;
        if file.ends_with("_test.rego") { &mut tests } else { &mut modules }.insert(file.clone(), text);
    }
    Ok((modules, tests))
}

/// Returns a file with a JSON object, or an empty object if it is missing.
fn object(files: &BTreeMap<String, Vec<u8>>, file: &str) -> Result<Value, FolderError> {
    let Some(text) = files.get(file) else { return Ok(Value::from(Object::new())) };
    let value = json::parse(text).and_then(|value| match value.as_object() {
        Some(_) => Ok(value),
        None => Err(json::wrong_type("the file", "an object", &value)),
    });
    value.map_err(|error| FolderError::Json { file: file.into(), error })
}

fn components(
    files: &BTreeMap<String, Vec<u8>>,
    manifest: &Manifest,
) -> Result<BTreeMap<String, Vec<u8>>, FolderError> {
    let mut components = BTreeMap::new();
    for (file, bytes) in files {
        let Some(name) = file.strip_prefix("sources/").and_then(|file| file.strip_suffix(".wasm")) else { continue };
        if manifest.sources.get(name).is_none_or(|source| source.builtin.is_some()) {
            return Err(FolderError::UnknownComponent(file.clone()));
        }
        if bytes.len() > MAX_COMPONENT {
            return Err(FolderError::ComponentTooLong { file: file.clone(), length: bytes.len() });
        }
        components.insert(name.to_owned(), bytes.clone());
    }
    Ok(components)
}

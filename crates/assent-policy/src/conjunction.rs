//! A policy that is the conjunction of others: a call is allowed if all of them allow it.

use crate::{
    bundle::Bundle,
    check::{Finding, check, package, syntax_findings},
    content::ContentError,
    folder::{BuildError, FolderError, MANIFEST, MemberError, PARAMETERS, PolicyFolder, texts},
    json::{self, JsonError, Reader, invalid},
    manifest::{Manifest, require_name, require_version, step_limit},
    policy::ExecutablePolicy,
    rules::{MEMBERS, Rules, SingleRules, member_key},
};
use alloy_primitives::B256;
use assent_json::Value;
use std::collections::BTreeMap;

/// The longest path of a member.
const MAX_PATH: usize = 1024;

/// The manifest of a conjunction: a `policy.json` that has `all`.
///
/// ```
/// use assent_policy::ConjunctionManifest;
///
/// let manifest = ConjunctionManifest::parse(
///     br#"{"name": "treasury", "version": "1.0.0", "all": [{"policy": "../limit"}, {"policy": "../hours.policy"}]}"#,
/// )?;
/// assert_eq!(manifest.members[1].policy, "../hours.policy");
/// # Ok::<(), assent_policy::JsonError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConjunctionManifest {
    /// The name: lower-case letters, digits and hyphens.
    pub name: String,
    /// The version, for people.
    pub version: String,
    /// The policies that must allow, in the order of their indices.
    pub members: Vec<MemberManifest>,
    /// The most steps that a decision of all policies together may take.
    pub step_limit: u64,
}

/// What the manifest says of a policy of a conjunction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberManifest {
    /// The policy's folder or built file, by its path from the conjunction's folder.
    pub policy: String,
    /// The id that the policy must have.
    pub policy_id: Option<B256>,
}

/// A policy of a conjunction, as it was read.
// Complete: a policy is a folder or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// A folder, which can be tested.
    Folder(Box<PolicyFolder>),
    /// A built policy.
    Bundle(Box<Bundle>),
}

/// The folder of a conjunction with its members.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Conjunction {
    /// `policy.json`.
    pub manifest: ConjunctionManifest,
    /// The members, in the manifest's order.
    pub members: Vec<Member>,
    /// `parameters.json`, an array with the parameters of each member; if it is missing, each member has its own.
    pub parameters: Option<Value>,
    /// The modules with tests of all members together (`…_test.rego`), by file name.
    pub tests: BTreeMap<String, String>,
}

impl ConjunctionManifest {
    /// Parses a manifest that has `all`.
    ///
    /// # Errors
    ///
    /// [`JsonError`] with the key that is missing, unknown or invalid.
    pub fn parse(text: &[u8]) -> Result<Self, JsonError> {
        Self::from_value(&json::parse(text)?)
    }

    /// Parses a manifest, if it is that of a conjunction.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse), if the manifest has `all`. Other manifests, and texts that are no JSON, are left to
    /// [`Manifest::parse`](crate::Manifest::parse).
    pub fn parse_if_conjunction(text: &[u8]) -> Result<Option<Self>, JsonError> {
        match json::parse(text) {
            Ok(value) if value.get("all").is_some() => Self::from_value(&value).map(Some),
            _ => Ok(None),
        }
    }

    fn from_value(value: &Value) -> Result<Self, JsonError> {
        let reader = Reader::new(value, "", &["all", "limits", "name", "version"])?;
        let name = reader.string("name")?;
        require_name("name", name)?;
        let version = reader.string("version")?;
        require_version("version", version)?;
        let members = reader.array("all")?;
        if !MEMBERS.contains(&members.len()) {
            return Err(invalid("all", &members.len().to_string(), "policies: a conjunction has 2 to 8"));
        }
        let members = members.into_iter().map(|(key, member)| MemberManifest::from_value(member, &key));
        Ok(Self {
            name: name.into(),
            version: version.into(),
            members: members.collect::<Result<_, _>>()?,
            step_limit: step_limit(&reader)?,
        })
    }
}

impl MemberManifest {
    fn from_value(value: &Value, key: &str) -> Result<Self, JsonError> {
        let reader = Reader::new(value, key, &["policy", "policyId"])?;
        let policy = reader.string("policy")?;
        if policy.is_empty() || policy.len() > MAX_PATH || policy.starts_with('/') || policy.contains(['\\', '\0']) {
            let reason = "is not a path from this folder to a policy's folder or built file, as in `../spending-limit`";
            return Err(invalid(reader.key("policy"), policy, reason));
        }
        let id = || json::hash(&reader.key("policyId"), reader.string("policyId")?);
        let policy_id = if reader.optional("policyId").is_some() { Some(id()?) } else { None };
        Ok(Self { policy: policy.into(), policy_id })
    }
}

impl Member {
    /// Returns the policy's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Folder(folder) => &folder.manifest.name,
            Self::Bundle(bundle) => bundle.name(),
        }
    }

    fn is_conjunction(&self) -> bool {
        match self {
            Self::Folder(_) => false,
            Self::Bundle(bundle) => matches!(Rules::parse(bundle.policy().rules()), Ok(Rules::All(_))),
        }
    }

    fn policy(&self, image: B256) -> Result<ExecutablePolicy, BuildError> {
        match self {
            Self::Folder(folder) => folder.policy(image),
            Self::Bundle(bundle) => Ok(bundle.policy().clone()),
        }
    }

    fn components(&self) -> &BTreeMap<String, Vec<u8>> {
        match self {
            Self::Folder(folder) => &folder.components,
            Self::Bundle(bundle) => bundle.components(),
        }
    }
}

impl Conjunction {
    /// Reads the files of a conjunction's folder, given by their paths in it, with the members that its manifest names.
    ///
    /// # Errors
    ///
    /// [`FolderError`] with the file that is missing or invalid.
    pub fn read(files: &BTreeMap<String, Vec<u8>>, members: Vec<Member>) -> Result<Self, FolderError> {
        let manifest = files.get(MANIFEST).ok_or_else(|| FolderError::MissingFile(MANIFEST.into()))?;
        let manifest = ConjunctionManifest::parse(manifest);
        let manifest = manifest.map_err(|error| FolderError::Json { file: MANIFEST.into(), error })?;
        if members.len() != manifest.members.len() {
            let (expected, actual) = (manifest.members.len(), members.len());
            return Err(FolderError::Member(MemberError::WrongNumber { expected, actual }));
        }
        let nested = members.iter().zip(&manifest.members).find(|(member, _)| member.is_conjunction());
        if let Some((_, named)) = nested {
            return Err(FolderError::Member(MemberError::Nested(named.policy.clone())));
        }
        let (modules, tests) = texts(files)?;
        if let Some(module) = modules.keys().next() {
            return Err(FolderError::ModuleOfConjunction(module.clone()));
        }
        let parameters = files.get(PARAMETERS).map(|text| {
            let array = json::parse(text).and_then(|value| match value.as_array() {
                Some(_) => Ok(value),
                None => Err(json::wrong_type("the file", "an array with the parameters of each policy", &value)),
            });
            array.map_err(|error| FolderError::Json { file: PARAMETERS.into(), error })
        });
        Ok(Self { manifest, members, parameters: parameters.transpose()?, tests })
    }

    /// Returns the policy with the folder's parameters, for an image of the evaluator.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if a member is not the one that the manifest names or cannot be built, or all together are too
    /// long.
    pub fn policy(&self, image: B256) -> Result<ExecutablePolicy, BuildError> {
        let policies = self.policies(image)?;
        let rules = policies.iter().map(single_rules).collect::<Result<Vec<_>, _>>()?;
        let parameters = policies.iter().map(parameters).collect::<Result<Vec<_>, _>>()?;
        Ok(ExecutablePolicy::new(image, &Rules::All(rules), self.manifest.step_limit, &Value::from(parameters))?)
    }

    /// Builds the policy for an image of the evaluator.
    ///
    /// # Errors
    ///
    /// As [`policy`](Self::policy).
    pub fn build(&self, image: B256) -> Result<Bundle, BuildError> {
        let policy = self.policy(image)?;
        let components = self.members.iter().enumerate().flat_map(|(index, member)| {
            let components = member.components().iter();
            components.map(move |(name, bytes)| (member_key(index, name), bytes.clone()))
        });
        let (name, version) = (self.manifest.name.clone(), self.manifest.version.clone());
        Ok(Bundle::new(name, version, policy, components.collect())?)
    }

    /// Returns each member's policy with its parameters in the conjunction, in the manifest's order.
    ///
    /// # Errors
    ///
    /// As [`policy`](Self::policy).
    pub fn policies(&self, image: B256) -> Result<Vec<ExecutablePolicy>, BuildError> {
        let own = self.parameters.as_ref().and_then(Value::as_array);
        if own.is_some_and(|own| own.len() != self.members.len()) {
            let expected = format!("an array of {} objects, one for each policy", self.members.len());
            return Err(ContentError::WrongParameters(expected).into());
        }
        let policies = self.members.iter().zip(&self.manifest.members).enumerate().map(|(index, (member, named))| {
            let mut policy = member.policy(image)?;
            if let Some(parameters) = own.and_then(|own| own.get(index)) {
                policy = policy.with_parameters(parameters)?;
            }
            require_policy(&policy, named, image).map_err(FolderError::Member)?;
            Ok(policy)
        });
        policies.collect()
    }

    /// Returns the members that are folders with their parameters in the conjunction, each with its index. Their tests
    /// run as they do outside of it.
    pub fn folders(&self) -> Vec<(usize, PolicyFolder)> {
        let own = self.parameters.as_ref().and_then(Value::as_array);
        let folders = self.members.iter().enumerate().filter_map(|(index, member)| {
            let Member::Folder(folder) = member else { return None };
            let mut folder = folder.as_ref().clone();
            if let Some(parameters) = own.and_then(|own| own.get(index)) {
                folder.parameters = parameters.clone();
            }
            Some((index, folder))
        });
        folders.collect()
    }

    /// Returns a folder with the modules of all members and the conjunction's own tests; nothing without such tests.
    ///
    /// # Errors
    ///
    /// [`FolderError`] if two members have the same package, since their rules would be one.
    pub(crate) fn tested_together(&self) -> Result<Option<PolicyFolder>, FolderError> {
        if self.tests.is_empty() {
            return Ok(None);
        }
        let mut modules = BTreeMap::new();
        let mut packages = BTreeMap::<String, usize>::new();
        let (mut entrypoint, mut functions) = (String::new(), Vec::new());
        for (index, member) in self.members.iter().enumerate() {
            let rules = match member {
                Member::Folder(folder) => folder.rules_without_components(),
                Member::Bundle(bundle) => single_rules(bundle.policy()).map_err(FolderError::Content)?,
            };
            for package in rules.modules.iter().filter_map(|(file, text)| package(file, text)) {
                let other = packages.insert(package.clone(), index);
                if other.is_some_and(|other| other != index) {
                    return Err(FolderError::PackageOfTwoMembers(package));
                }
            }
            (entrypoint, functions) = (rules.entrypoint, rules.functions);
            modules.extend(rules.modules.into_iter().map(|(file, text)| (format!("{index}/{file}"), text)));
        }
        let manifest = Manifest {
            name: self.manifest.name.clone(),
            version: self.manifest.version.clone(),
            entrypoint,
            functions,
            sources: BTreeMap::new(),
            step_limit: self.manifest.step_limit,
        };
        Ok(Some(PolicyFolder {
            manifest,
            modules,
            tests: self.tests.clone(),
            parameters_schema: Value::from(assent_json::Object::new()),
            parameters: Value::from(assent_json::Object::new()),
            components: BTreeMap::new(),
        }))
    }
}

/// Checks a conjunction: its own tests, and each policy that is a folder. Their files have the folder's path before
/// their names. Built policies were checked before they were built.
pub fn check_conjunction(conjunction: &Conjunction) -> Vec<Finding> {
    let mut findings = syntax_findings(conjunction.tests.iter());
    for (index, folder) in conjunction.folders() {
        let path = conjunction.manifest.members.get(index).map(|member| member.policy.as_str()).unwrap_or_default();
        let of_member = |finding: Finding| Finding { file: format!("{path}/{}", finding.file), ..finding };
        findings.extend(check(&folder).into_iter().map(of_member));
    }
    findings.sort();
    findings.dedup();
    findings
}

fn require_policy(policy: &ExecutablePolicy, named: &MemberManifest, image: B256) -> Result<(), MemberError> {
    if policy.image() != image {
        return Err(MemberError::WrongImage { policy: named.policy.clone(), expected: image, actual: policy.image() });
    }
    match named.policy_id {
        Some(expected) if expected != policy.id() => {
            Err(MemberError::WrongId { policy: named.policy.clone(), expected, actual: policy.id() })
        }
        _ => Ok(()),
    }
}

fn single_rules(policy: &ExecutablePolicy) -> Result<SingleRules, ContentError> {
    match Rules::parse(policy.rules())? {
        Rules::Single(rules) => Ok(rules),
        Rules::All(_) => Err(ContentError::WrongParameters("those of one policy".into())),
    }
}

fn parameters(policy: &ExecutablePolicy) -> Result<Value, ContentError> {
    let parsed = json::parse_canonical(policy.parameters().as_bytes());
    parsed.map_err(|error| ContentError::Json { what: "parameters", error })
}

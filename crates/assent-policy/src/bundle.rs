//! A built policy: one file that is reproducible to the byte.

use crate::{
    MAX_BUNDLE, MAX_COMPONENT, MAX_CONTENT,
    content::ContentError,
    json::{self, JsonError, Reader},
    manifest::require_name,
    policy::ExecutablePolicy,
    rules::{KeyedSource, Observer, Rules},
};
use alloy_primitives::{B256, hex};
use assent_json::{Object, Value};
use data_encoding::BASE32_NOPAD;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, io::Read};

const MANIFEST: &str = "policy.json";
const PARAMETERS: &str = "parameters.json";
const RULES: &str = "rules.json";
/// The prefix of a version-1 CID of raw bytes, addressed by 32 bytes of SHA-256.
const CID_PREFIX: [u8; 4] = [0x01, 0x55, 0x12, 0x20];

/// A built policy: an uncompressed archive with the contents of the regions and the sources' components.
///
/// Reading accepts exactly what [`to_bytes`](Self::to_bytes) writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    name: String,
    version: String,
    policy: ExecutablePolicy,
    components: BTreeMap<String, Vec<u8>>,
}

/// A bundle cannot be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// Rules or parameters cannot be used.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The file is too long.
    #[error("the bundle has {0} bytes, more than {MAX_BUNDLE}")]
    TooLong(usize),
    /// The file is not an archive.
    #[error("the bundle is not a tar archive: {0}")]
    NotAnArchive(String),
    /// An entry of the archive is not a file, or has another name than those of a bundle.
    #[error("the bundle contains {0:?}, which no bundle contains")]
    UnknownEntry(String),
    /// A name is there twice.
    #[error("the bundle contains {0:?} twice")]
    DuplicateEntry(String),
    /// A file is not there.
    #[error("the bundle does not contain {0}")]
    MissingEntry(String),
    /// A file is too long.
    #[error("{name} in the bundle has {length} bytes, more than {max}")]
    EntryTooLong {
        /// The file.
        name: String,
        /// Its length.
        length: u64,
        /// The greatest length.
        max: usize,
    },
    /// A file is not text.
    #[error("{0} in the bundle is not UTF-8")]
    NotText(String),
    /// The manifest is not what it must be.
    #[error("policy.json in the bundle: {0}")]
    Manifest(JsonError),
    /// A component is not the one that the rules name.
    #[error("the component of the source {name:?} has the SHA-256 {actual}, but the rules name {expected}")]
    WrongComponent {
        /// The source.
        name: String,
        /// The hash in the rules.
        expected: B256,
        /// The component's hash.
        actual: B256,
    },
    /// The archive has the files of a bundle, but is not the one that building writes.
    #[error("the bundle differs at byte {0} from what building it writes: it was not made by `assent policy build`")]
    NotReproducible(usize),
}

impl Bundle {
    /// Creates the bundle of a policy.
    ///
    /// # Errors
    ///
    /// [`BundleError`] if the components are not those that the rules name, or name or version are invalid.
    pub fn new(
        name: String,
        version: String,
        policy: ExecutablePolicy,
        components: BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, BundleError> {
        require_name("name", &name).map_err(BundleError::Manifest)?;
        require_components(&Rules::parse(policy.rules())?, &components)?;
        Ok(Self { name, version, policy, components })
    }

    /// Reads a bundle.
    ///
    /// # Errors
    ///
    /// [`BundleError`] if the bytes are not exactly what [`to_bytes`](Self::to_bytes) returns for some policy.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let mut files = files(bytes)?;
        let mut text = |name: &str| {
            let bytes = files.remove(name).ok_or_else(|| BundleError::MissingEntry(name.into()))?;
            String::from_utf8(bytes).map_err(|_| BundleError::NotText(name.into()))
        };
        let (manifest, rules, parameters) = (text(MANIFEST)?, text(RULES)?, text(PARAMETERS)?);
        let (name, version, step_limit, image) = parse_manifest(&manifest).map_err(BundleError::Manifest)?;
        let policy = ExecutablePolicy::from_contents(image, rules, step_limit, parameters)?;
        let components = files.into_iter().filter_map(|(file, bytes)| Some((component_name(&file)?.to_owned(), bytes)));
        let bundle = Self::new(name, version, policy, components.collect())?;
        let written = bundle.to_bytes();
        if written == bytes {
            return Ok(bundle);
        }
        Err(BundleError::NotReproducible(
            written.iter().zip(bytes).take_while(|(written, read)| written == read).count(),
        ))
    }

    /// Returns the file's bytes. The same policy has the same bytes everywhere.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut files = BTreeMap::from([
            (PARAMETERS.to_owned(), self.policy.parameters().as_bytes()),
            (RULES.to_owned(), self.policy.rules().as_bytes()),
        ]);
        let manifest = self.manifest();
        files.insert(MANIFEST.to_owned(), manifest.as_bytes());
        files.extend(self.components.iter().map(|(name, bytes)| (component_file(name), bytes.as_slice())));
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            // Writing into memory does not fail, and no name is too long for a header.
            let _ = append(&mut archive, &name, bytes);
        }
        archive.into_inner().unwrap_or_default()
    }

    /// Returns the address of the file: its CID, which is the SHA-256 of its bytes.
    pub fn cid(&self) -> String {
        Self::cid_of(&self.to_bytes())
    }

    /// Returns the address of a file's bytes, which need not be a bundle.
    pub fn cid_of(bytes: &[u8]) -> String {
        let cid = [CID_PREFIX.as_slice(), Sha256::digest(bytes).as_slice()].concat();
        format!("b{}", BASE32_NOPAD.encode(&cid).to_ascii_lowercase())
    }

    /// Returns the policy's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the policy's version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the policy.
    pub const fn policy(&self) -> &ExecutablePolicy {
        &self.policy
    }

    /// Returns the components of the sources, by name. In a conjunction, the policy's index comes before the name:
    /// `0.price`.
    pub const fn components(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.components
    }

    /// Returns the same rules and components with other parameters.
    ///
    /// # Errors
    ///
    /// [`ContentError`] if the parameters do not fit the rules or are too long.
    pub fn with_parameters(&self, parameters: &Value) -> Result<Self, ContentError> {
        Ok(Self { policy: self.policy.with_parameters(parameters)?, ..self.clone() })
    }

    fn manifest(&self) -> String {
        let steps = Value::try_from(i64::try_from(self.policy.step_limit()).unwrap_or(i64::MAX)).unwrap_or_default();
        json::canonical(Object::from_iter([
            ("image", Value::from(hex::encode_prefixed(self.policy.image()))),
            ("name", Value::from(self.name.as_str())),
            ("stepLimit", steps),
            ("version", Value::from(self.version.as_str())),
        ]))
    }
}

fn append(archive: &mut tar::Builder<Vec<u8>>, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(tar::EntryType::Regular);
    header.set_size(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    archive.append(&header, bytes)
}

/// Reads the files of an archive that has no other entries.
fn files(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    if bytes.len() > MAX_BUNDLE {
        return Err(BundleError::TooLong(bytes.len()));
    }
    let malformed = |error: std::io::Error| BundleError::NotAnArchive(error.to_string());
    let mut archive = tar::Archive::new(bytes);
    let mut files = BTreeMap::new();
    // Raw: extensions of the format are entries too, and refused.
    for entry in archive.entries().map_err(malformed)?.raw(true) {
        let mut entry = entry.map_err(malformed)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let max = match name.as_str() {
            MANIFEST | PARAMETERS | RULES => MAX_CONTENT,
            _ if component_name(&name).is_some() => MAX_COMPONENT,
            _ => return Err(BundleError::UnknownEntry(name)),
        };
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(BundleError::UnknownEntry(name));
        }
        let length = entry.size();
        if length > u64::try_from(max).unwrap_or(u64::MAX) {
            return Err(BundleError::EntryTooLong { name, length, max });
        }
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).map_err(malformed)?;
        if files.insert(name.clone(), contents).is_some() {
            return Err(BundleError::DuplicateEntry(name));
        }
    }
    Ok(files)
}

/// Returns the path of a source's component in a folder and in a bundle.
pub(crate) fn component_file(name: &str) -> String {
    format!("sources/{name}.wasm")
}

/// Returns the source whose component a file of a bundle is.
fn component_name(file: &str) -> Option<&str> {
    let file = file.strip_prefix("sources/")?.strip_suffix(".wasm")?;
    let is_index = |index: &str| matches!(index.as_bytes(), [b'0'..=b'7']);
    let name = match file.split_once('.') {
        Some((index, name)) if is_index(index) => name,
        Some(_) => return None,
        None => file,
    };
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    is_name.then_some(file)
}

fn parse_manifest(text: &str) -> Result<(String, String, u64, B256), JsonError> {
    let value = json::parse_canonical(text.as_bytes())?;
    let reader = Reader::new(&value, "", &["image", "name", "stepLimit", "version"])?;
    let image = json::hash("image", reader.string("image")?)?;
    Ok((reader.string("name")?.into(), reader.string("version")?.into(), reader.integer("stepLimit")?, image))
}

fn require_components(rules: &Rules, components: &BTreeMap<String, Vec<u8>>) -> Result<(), BundleError> {
    let components_of = |keyed: KeyedSource<'_>| match keyed.source.observer {
        Observer::Component(hash) => Some((keyed.key, hash)),
        Observer::Builtin(_) => None,
    };
    let named: BTreeMap<String, B256> = rules.sources().filter_map(components_of).collect();
    for (name, expected) in &named {
        let component = components.get(name).ok_or_else(|| BundleError::MissingEntry(component_file(name)))?;
        let actual = B256::from_slice(Sha256::digest(component).as_slice());
        if actual != *expected {
            return Err(BundleError::WrongComponent { name: name.clone(), expected: *expected, actual });
        }
    }
    match components.keys().find(|name| !named.contains_key(*name)) {
        Some(unknown) => Err(BundleError::UnknownEntry(component_file(unknown))),
        None => Ok(()),
    }
}

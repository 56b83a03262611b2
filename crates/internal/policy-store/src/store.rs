//! Stores of built policies.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use alloy_primitives::B256;
use assent_policy::{Bundle, MAX_BUNDLE};

use crate::{
    Cid, FetchedPolicy, StoreError, folder,
    location::{Location, blocking, found},
};

/// The most policies of a folder that are looked through for an id.
const MOST_FILES: usize = 1000;
/// The most bytes of a file with an address: the address and an end of line.
const MOST_POINTER: usize = 64;

/// A folder of built policies, the URL below which a web server has them, or a bucket of S3. It is not trusted.
#[derive(Debug, Clone)]
pub struct PolicyStore {
    location: Location,
    /// The ids of a folder's policies that were looked through before.
    known: Arc<Mutex<BTreeMap<PathBuf, Known>>>,
}

/// A file that was looked through before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    length: u64,
    modified: Option<SystemTime>,
    /// `None` if it is no policy.
    policy_id: Option<B256>,
}

impl PolicyStore {
    /// Reads a folder's path, or a URI that begins with `https://`, `http://`, `s3://` or `file://`.
    ///
    /// For S3, the environment has credentials, region and endpoint, as the AWS tools take them.
    ///
    /// # Errors
    /// [`StoreError::UnknownScheme`], [`StoreError::InvalidUrl`], [`StoreError::Unsupported`], and those of a bucket.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        Ok(Self { location: Location::parse(text)?, known: Arc::default() })
    }

    /// Returns the folder, if it is one that does not exist. No policy is found in it, until it does.
    pub fn missing_folder(&self) -> Option<&Path> {
        match &self.location {
            Location::Path(folder) if !folder.is_dir() => Some(folder),
            _ => None,
        }
    }

    /// Uploads a policy, so that its id and its address find it. Returns the file's URI.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if the address has other bytes already; [`StoreError::Io`] and what a server can answer.
    pub async fn put(&self, bundle: &Bundle) -> Result<String, StoreError> {
        let (cid, bytes) = (Cid::of_bundle(bundle), bundle.to_bytes());
        let file = self.location.file(&cid.file_name())?;
        // The name of a file that is there is the address of these bytes, and of no others.
        if !file.create(bytes.clone()).await? && file.read(MAX_BUNDLE).await? != bytes {
            return Err(StoreError::Damaged { uri: file.uri() });
        }
        let policy_id = bundle.policy().id();
        let is_found = match self.pointer(policy_id).await {
            Ok(Some(other)) if other == cid => true,
            // Another build of the same policy, as with another version, is as well.
            Ok(Some(other)) => self.fetch_address(&other, Some(policy_id)).await.is_ok(),
            Ok(None) | Err(_) => false,
        };
        if !is_found {
            self.location.file(&pointer_name(policy_id))?.write(format!("{cid}\n").into_bytes()).await?;
        }
        Ok(file.uri())
    }

    /// Returns the policy with an id.
    ///
    /// In a folder, also a policy with another file name is found: up to 1,000 files that end with `.policy` are looked
    /// through, once.
    ///
    /// # Errors
    /// [`StoreError::UnknownPolicy`] if the store does not have it; [`StoreError::WrongPolicy`] and the like if what it
    /// has is another; [`StoreError::Io`] and what a server can answer.
    pub async fn fetch(&self, policy_id: B256) -> Result<FetchedPolicy, StoreError> {
        let pointed = match self.pointer(policy_id).await? {
            Some(cid) => match self.fetch_address(&cid, Some(policy_id)).await {
                Ok(policy) => return Ok(policy),
                Err(error) => Some(error),
            },
            None => None,
        };
        if let Some(folder) = self.location.as_path() {
            let (folder, known) = (folder.to_owned(), Arc::clone(&self.known));
            if let Some(path) = blocking(move || find(&folder, policy_id, &known)).await? {
                return FetchedPolicy::read(&Location::Path(path), None, Some(policy_id)).await;
            }
        }
        Err(pointed.unwrap_or_else(|| StoreError::UnknownPolicy { store: self.to_string(), policy_id }))
    }

    /// Returns the policy with an address, which must have the id if one is given.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::WrongAddress`], [`StoreError::WrongPolicy`] and the like if what the
    /// store has is another; [`StoreError::Io`] and what a server can answer.
    pub async fn fetch_address(&self, cid: &Cid, policy_id: Option<B256>) -> Result<FetchedPolicy, StoreError> {
        FetchedPolicy::read(&self.location.file(&cid.file_name())?, Some(cid), policy_id).await
    }

    /// Returns the address of the policy with an id, as the store says.
    async fn pointer(&self, policy_id: B256) -> Result<Option<Cid>, StoreError> {
        let pointer = match found(self.location.file(&pointer_name(policy_id))?.read(MOST_POINTER).await) {
            Err(StoreError::TooLong { .. }) => None,
            pointer => pointer?,
        };
        let text = pointer.as_deref().and_then(|bytes| str::from_utf8(bytes).ok());
        Ok(text.and_then(|text| Cid::parse(text.trim_end())))
    }
}

impl std::fmt::Display for PolicyStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.location.uri())
    }
}

/// Finds the policy with an id in a folder.
fn find(
    folder: &Path,
    policy_id: B256,
    known: &Mutex<BTreeMap<PathBuf, Known>>,
) -> Result<Option<PathBuf>, StoreError> {
    let Some(paths) = folder::policies(folder, MOST_FILES)? else {
        return Err(StoreError::TooManyFiles { folder: folder.to_owned(), limit: MOST_FILES });
    };
    // What a panic left is as valid: every entry is complete.
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    known.retain(|path, _| paths.contains(path));
    for path in paths {
        let Ok(metadata) = path.metadata() else { continue };
        let (length, modified) = (metadata.len(), metadata.modified().ok());
        let before = known.get(&path).filter(|before| before.length == length && before.modified == modified);
        let found = match before {
            Some(before) => before.policy_id,
            None => {
                let bytes = folder::read(&path, MAX_BUNDLE).ok();
                let id = bytes.and_then(|bytes| Some(Bundle::parse(&bytes).ok()?.policy().id()));
                known.insert(path.clone(), Known { length, modified, policy_id: id });
                id
            }
        };
        if found == Some(policy_id) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Returns the name of the file that has the address of the policy with an id.
fn pointer_name(policy_id: B256) -> String {
    format!("{policy_id}.cid")
}

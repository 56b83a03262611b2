//! Files in a bucket of S3.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use alloy_primitives::B256;
use assent_s3::{Created, S3Error, S3Path};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::EvidenceStoreError;

/// A bucket, with the runtime that waits for its answers.
#[derive(Debug, Clone)]
pub(crate) struct Bucket {
    path: S3Path,
    handle: Handle,
    _waiting: Arc<Waiting>,
}

/// A runtime of one thread. Dropping it waits for nothing, and so is allowed everywhere.
#[derive(Debug)]
struct Waiting(Option<Runtime>);

impl Bucket {
    /// Opens the bucket.
    pub(crate) fn open(path: S3Path) -> Result<Self, EvidenceStoreError> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime =
            runtime.map_err(|error| EvidenceStoreError::Io { path: PathBuf::from(path.to_string()), error })?;
        Ok(Self { path, handle: runtime.handle().clone(), _waiting: Arc::new(Waiting(Some(runtime))) })
    }

    /// Returns a file of at most `limit` bytes.
    pub(crate) fn read(&self, evidence: B256, limit: u64) -> Result<Option<Vec<u8>>, EvidenceStoreError> {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        match self.wait(self.file(evidence).read(most)) {
            Ok(read) => Ok(read),
            Err(S3Error::TooLong { .. }) => Err(EvidenceStoreError::TooLarge { bytes: limit.saturating_add(1), limit }),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes a file that is not there. Returns whether it was not.
    pub(crate) fn create(&self, evidence: B256, bytes: &[u8]) -> Result<bool, EvidenceStoreError> {
        Ok(self.wait(self.file(evidence).create(bytes.to_vec()))? == Created::New)
    }

    /// Writes a file in place of another one.
    pub(crate) fn replace(&self, evidence: B256, bytes: &[u8]) -> Result<(), EvidenceStoreError> {
        Ok(self.wait(self.file(evidence).replace(bytes.to_vec()))?)
    }

    /// Deletes evidence files that were written before a time. Returns how many.
    pub(crate) fn remove_before(&self, time: SystemTime) -> Result<u64, EvidenceStoreError> {
        Ok(self.wait(self.path.remove_before(time, is_evidence))?)
    }

    fn file(&self, evidence: B256) -> S3Path {
        self.path.join(&crate::name(evidence))
    }

    /// Waits for an answer, on a thread that may block.
    fn wait<T>(&self, answer: impl Future<Output = Result<T, S3Error>>) -> Result<T, S3Error> {
        self.handle.block_on(answer)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Returns whether a name is one of this store's files.
fn is_evidence(name: &str) -> bool {
    name.strip_suffix(".json").is_some_and(|hash| hash.parse::<B256>().is_ok())
}

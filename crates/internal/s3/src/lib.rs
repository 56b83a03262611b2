//! Files in buckets of S3, and of servers that speak its protocol.
//!
//! Credentials, region and endpoint come from the environment, under the names that the AWS tools use:
//!
//! | variable | meaning |
//! | --- | --- |
//! | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` | credentials |
//! | `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN`, `AWS_CONTAINER_CREDENTIALS_…` | those of a pod or container |
//! | `AWS_REGION`, `AWS_DEFAULT_REGION` | the region; `us-east-1` without them |
//! | `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` | another server |
//! | `AWS_SKIP_SIGNATURE` | `true`: read without credentials |
//!
//! Without credentials the machine's role is asked for, as the AWS tools do. Files below `~/.aws` are not read.
//!
//! Every function needs a tokio runtime.

#![cfg_attr(
    not(test),
    deny(clippy::as_conversions, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)
)]

use std::{
    ffi::OsString,
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::TryStreamExt as _;
use object_store::{
    Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut},
    path::Path,
};

/// The maximum wait for a connection, and the maximum time of a whole transfer.
const TIMEOUTS: [(&str, &str); 2] = [("connect_timeout", "30 seconds"), ("timeout", "600 seconds")];
/// How often a request is repeated after an error of the server.
const RETRIES: usize = 3;
/// For how long a request is repeated.
const RETRYING: Duration = Duration::from_secs(60);

/// A place in a bucket: a file, or what the names of several files begin with.
#[derive(Debug, Clone)]
pub struct S3Path {
    store: Arc<AmazonS3>,
    bucket: String,
    path: Path,
}

/// The result of a put that overwrites nothing.
// Complete: a file is new, or there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Created {
    /// It is in the bucket now.
    New,
    /// There is a file with this name, which is kept.
    Exists,
}

/// The reason why a bucket cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum S3Error {
    /// The text does not name a bucket.
    #[error("{uri} is not a bucket's URI: {reason}; give one such as s3://bucket/prefix")]
    InvalidUri {
        /// The text.
        uri: String,
        /// Why not.
        reason: String,
    },
    /// The environment has a setting that cannot be used.
    #[error("cannot use the AWS_… variables of the environment for {uri}")]
    Settings {
        /// The bucket.
        uri: String,
        /// Which setting, and why.
        #[source]
        source: Box<Error>,
    },
    /// The file is longer than the caller allows.
    #[error("{uri} has more than {limit} bytes")]
    TooLong {
        /// The file.
        uri: String,
        /// The limit.
        limit: usize,
    },
    /// The server cannot be reached, or refuses.
    #[error("cannot {doing} {uri}")]
    Failed {
        /// What was tried.
        doing: &'static str,
        /// The file or bucket.
        uri: String,
        /// What failed.
        #[source]
        source: Box<Error>,
    },
}

impl S3Path {
    /// Reads a URI such as `s3://bucket/prefix`, and the settings of the environment. No server is asked.
    ///
    /// # Errors
    /// [`S3Error::InvalidUri`], [`S3Error::Settings`].
    pub fn parse(uri: &str) -> Result<Self, S3Error> {
        let texts = |(key, value): (OsString, OsString)| Some((key.into_string().ok()?, value.into_string().ok()?));
        Self::with_variables(uri, std::env::vars_os().filter_map(texts))
    }

    /// As [`parse`](Self::parse), with other variables than those of the environment.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn with_variables(uri: &str, variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, S3Error> {
        let invalid = |reason: String| S3Error::InvalidUri { uri: uri.to_owned(), reason };
        let rest = uri.strip_prefix("s3://").ok_or_else(|| invalid("it does not begin with s3://".into()))?;
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_of_a_bucket = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_');
        if !(3..=63).contains(&bucket.len()) || !bucket.chars().all(is_of_a_bucket) {
            return Err(invalid("a bucket's name has 3 to 63 letters, digits, hyphens and dots".into()));
        }
        let path = Path::parse(path).map_err(|error| invalid(error.to_string()))?;
        let store = builder(variables.into_iter()).with_bucket_name(bucket).build();
        let store = store.map_err(|error| S3Error::Settings { uri: uri.to_owned(), source: Box::new(error) })?;
        Ok(Self { store: Arc::new(store), bucket: bucket.to_owned(), path })
    }

    /// Returns the path of a file below this one. A slash in the name begins another level.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let path = name.split('/').fold(self.path.clone(), |path, part| path.join(part));
        Self { path, ..self.clone() }
    }

    /// Reads a file of at most `limit` bytes. `None` if it does not exist.
    ///
    /// # Errors
    /// [`S3Error::TooLong`], [`S3Error::Failed`].
    pub async fn read(&self, limit: usize) -> Result<Option<Vec<u8>>, S3Error> {
        let too_long = || S3Error::TooLong { uri: self.to_string(), limit };
        let found = match self.store.get(&self.path).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.failed("read")(error)),
        };
        if found.meta.size > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Err(too_long());
        }
        let mut bytes = Vec::new();
        let mut chunks = found.into_stream();
        while let Some(chunk) = chunks.try_next().await.map_err(self.failed("read"))? {
            if chunk.len() > limit.saturating_sub(bytes.len()) {
                return Err(too_long());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Some(bytes))
    }

    /// Writes a file, unless there is one with this name. Of several writers, one succeeds.
    ///
    /// # Errors
    /// [`S3Error::Failed`].
    pub async fn create(&self, bytes: Vec<u8>) -> Result<Created, S3Error> {
        match self.put(bytes, PutMode::Create).await {
            Ok(()) => Ok(Created::New),
            Err(Error::AlreadyExists { .. }) => Ok(Created::Exists),
            Err(error) => Err(self.failed("write")(error)),
        }
    }

    /// Writes a file. Another one with this name is replaced.
    ///
    /// # Errors
    /// [`S3Error::Failed`].
    pub async fn replace(&self, bytes: Vec<u8>) -> Result<(), S3Error> {
        self.put(bytes, PutMode::Overwrite).await.map_err(self.failed("write"))
    }

    /// Deletes the files below this path that were written before a time and whose names, the last parts of their
    /// paths, satisfy a condition. Returns how many.
    ///
    /// # Errors
    /// [`S3Error::Failed`].
    pub async fn remove_before(&self, time: SystemTime, is_meant: impl Fn(&str) -> bool) -> Result<u64, S3Error> {
        let mut removed = 0;
        let mut files = self.store.list(Some(&self.path));
        while let Some(file) = files.try_next().await.map_err(self.failed("list"))? {
            let is_meant = file.location.filename().is_some_and(&is_meant);
            if is_meant && SystemTime::from(file.last_modified) < time {
                self.store.delete(&file.location).await.map_err(self.failed("delete files of"))?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    async fn put(&self, bytes: Vec<u8>, mode: PutMode) -> Result<(), Error> {
        let options = PutOptions { mode, ..PutOptions::default() };
        self.store.put_opts(&self.path, PutPayload::from(bytes), options).await.map(drop)
    }

    fn failed(&self, doing: &'static str) -> impl Fn(Error) -> S3Error {
        let uri = self.to_string();
        move |error| S3Error::Failed { doing, uri: uri.clone(), source: Box::new(error) }
    }
}

impl fmt::Display for S3Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bucket, path, .. } = self;
        if path.as_ref().is_empty() {
            write!(formatter, "s3://{bucket}")
        } else {
            write!(formatter, "s3://{bucket}/{path}")
        }
    }
}

/// Returns the settings of an environment. Empty variables are as absent.
fn builder(environment: impl Iterator<Item = (String, String)>) -> AmazonS3Builder {
    let retry = RetryConfig { max_retries: RETRIES, retry_timeout: RETRYING, ..RetryConfig::default() };
    // S3 itself refuses a put of a name that exists.
    let mut builder = AmazonS3Builder::new().with_retry(retry);
    let settings = TIMEOUTS.map(|(key, value)| (key.to_owned(), value.to_owned())).into_iter();
    let variables = environment.filter(|(key, value)| key.starts_with("AWS_") && !value.is_empty());
    for (key, value) in settings.chain(variables) {
        if let Ok(key) = key.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() {
            builder = builder.with_config(key, value);
        }
    }
    let endpoint = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint];
    let endpoint = endpoint.iter().find_map(|key| builder.get_config_value(key));
    if endpoint.is_some_and(|endpoint| endpoint.starts_with("http://")) {
        // As the AWS tools do: the endpoint is given on purpose.
        builder = builder.with_allow_http(true);
    }
    builder.with_conditional_put(S3ConditionalPut::ETagMatch)
}

//! Where files are: in a folder, on a web server, or in a bucket of S3.

use std::path::{Path, PathBuf};

use assent_policy::MAX_BUNDLE;
#[cfg(feature = "s3")]
use assent_s3::{Created, S3Error, S3Path};
use reqwest::Url;

use crate::{StoreError, folder, web};

/// A folder or file, or a URL.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    /// A path.
    Path(PathBuf),
    /// A URL of a web server.
    Web(Url),
    /// A path in a bucket.
    #[cfg(feature = "s3")]
    S3(S3Path),
}

impl Location {
    /// Reads a path or a URI.
    pub(crate) fn parse(text: &str) -> Result<Self, StoreError> {
        match text.split_once("://") {
            Some(("http" | "https", _)) => web::parse(text).map(Self::Web),
            #[cfg(feature = "s3")]
            Some(("s3", _)) => Ok(Self::S3(S3Path::parse(text)?)),
            #[cfg(not(feature = "s3"))]
            Some(("s3", _)) => Err(StoreError::Unsupported { what: "S3" }),
            Some(("file", path)) => Ok(Self::Path(path.into())),
            Some((scheme, _)) => Err(StoreError::UnknownScheme { scheme: scheme.to_owned() }),
            None => Ok(Self::Path(text.into())),
        }
    }

    /// Returns the location of a file in a folder, or below a URL.
    pub(crate) fn file(&self, name: &str) -> Result<Self, StoreError> {
        Ok(match self {
            Self::Path(folder) => Self::Path(folder.join(name)),
            Self::Web(url) => Self::Web(web::below(url, name)?),
            #[cfg(feature = "s3")]
            Self::S3(path) => Self::S3(path.join(name)),
        })
    }

    /// Reads a file of at most `limit` bytes.
    pub(crate) async fn read(&self, limit: usize) -> Result<Vec<u8>, StoreError> {
        match self {
            Self::Path(path) => {
                let path = path.clone();
                blocking(move || folder::read(&path, limit)).await
            }
            Self::Web(url) => web::download(url, limit).await,
            #[cfg(feature = "s3")]
            Self::S3(path) => match path.read(limit).await {
                Ok(Some(bytes)) => Ok(bytes),
                Ok(None) => Err(StoreError::NotFound { uri: self.uri(), reason: "the bucket does not have it" }),
                Err(S3Error::TooLong { uri, .. }) => Err(StoreError::TooLong { uri, what: "has" }),
                Err(error) => Err(error.into()),
            },
        }
    }

    /// Writes a file, unless there is one with its name, which is kept. Returns whether it was written.
    /// It is durable then.
    ///
    /// A web server decides by itself about a file that is there.
    pub(crate) async fn create(&self, bytes: Vec<u8>) -> Result<bool, StoreError> {
        #[cfg(feature = "s3")]
        if let Self::S3(path) = self {
            return Ok(path.create(bytes).await? == Created::New);
        }
        if matches!(self, Self::Path(_)) && found(self.read(MAX_BUNDLE).await)?.is_some() {
            return Ok(false);
        }
        self.write(bytes).await?;
        Ok(true)
    }

    /// Writes a file, which is durable when this returns. Another one of this name is replaced.
    pub(crate) async fn write(&self, bytes: Vec<u8>) -> Result<(), StoreError> {
        match self {
            Self::Path(path) => {
                let path = path.clone();
                blocking(move || folder::write(&path, &bytes)).await
            }
            Self::Web(url) => web::upload(url, bytes).await,
            #[cfg(feature = "s3")]
            Self::S3(path) => Ok(path.replace(bytes).await?),
        }
    }

    /// Returns the folder, if it is one.
    pub(crate) fn as_path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            _ => None,
        }
    }

    /// Returns the URI, absolute if the file exists.
    pub(crate) fn uri(&self) -> String {
        match self {
            Self::Path(path) => match path.canonicalize() {
                Ok(path) => format!("file://{}", path.display()),
                Err(_) => path.display().to_string(),
            },
            Self::Web(url) => url.to_string(),
            #[cfg(feature = "s3")]
            Self::S3(path) => path.to_string(),
        }
    }
}

/// Returns a file's contents, or `None` if it does not exist.
pub(crate) fn found(read: Result<Vec<u8>, StoreError>) -> Result<Option<Vec<u8>>, StoreError> {
    match read {
        Ok(bytes) => Ok(Some(bytes)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Runs what blocks where that is allowed.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Cancelled)?
}

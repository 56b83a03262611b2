//! Where files are: in a folder, or on a web server.

use std::path::{Path, PathBuf};

use reqwest::Url;

use crate::{StoreError, folder, web};

/// A folder or file, or a URL.
#[derive(Debug, Clone)]
pub(crate) enum Location {
    /// A path.
    Path(PathBuf),
    /// A URL of a web server.
    Web(Url),
}

impl Location {
    /// Reads a path or a URI.
    pub(crate) fn parse(text: &str) -> Result<Self, StoreError> {
        match text.split_once("://") {
            Some(("http" | "https", _)) => web::parse(text).map(Self::Web),
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
        }
    }

    /// Writes a file, which is durable when this returns. Another one of this name is replaced.
    pub(crate) async fn write(&self, bytes: Vec<u8>) -> Result<(), StoreError> {
        match self {
            Self::Path(path) => {
                let path = path.clone();
                blocking(move || folder::write(&path, &bytes)).await
            }
            Self::Web(url) => web::upload(url, bytes).await,
        }
    }

    /// Returns the folder, if it is one.
    pub(crate) fn as_path(&self) -> Option<&Path> {
        match self {
            Self::Path(path) => Some(path),
            Self::Web(_) => None,
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
        }
    }
}

/// Runs what blocks where that is allowed.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Cancelled)?
}

//! Where a local network keeps keys, journals and logs.

use anyhow::{Context as _, Result, bail};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A folder that is the network's only.
pub enum Folder {
    /// Deleted at the end.
    Temporary(TempDir),
    /// Kept.
    Kept(PathBuf),
}

impl Folder {
    /// Takes a folder that is empty or does not exist, or makes a temporary one.
    pub fn new(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self::Temporary(TempDir::new().context("cannot make a temporary folder; give --data-dir")?));
        };
        let failed = || format!("cannot use the folder {}", path.display());
        fs::create_dir_all(path).with_context(failed)?;
        // A journal of an earlier chain would refuse to sign again, and its keys are registered there.
        if fs::read_dir(path).with_context(failed)?.next().is_some() {
            bail!("the folder {} is not empty: each network is a new one; give another --data-dir", path.display());
        }
        Ok(Self::Kept(path.canonicalize().with_context(failed)?))
    }

    pub fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(path) => path,
        }
    }

    /// Makes a folder inside.
    pub fn subfolder(&self, name: &str) -> Result<PathBuf> {
        let path = self.path().join(name);
        fs::create_dir(&path).with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(path)
    }
}

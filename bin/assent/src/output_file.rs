//! Output files. A file is overwritten only with --force, and a key or an input never is.

use anyhow::{Context, Result, bail};
use clap::Args;
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

/// The length up to which an existing file is read, to see whether it is a key: more than any key file.
const LONGEST_KEY: u64 = 64 * 1024;

/// The option to overwrite.
#[derive(Args)]
pub struct Overwrite {
    /// Overwrite existing output files. A key file and an input of the same command are never overwritten.
    #[arg(long)]
    pub force: bool,
}

/// A file to write.
pub struct OutputFile<'a> {
    /// What it will contain.
    what: &'static str,
    path: &'a Path,
    force: bool,
}

impl<'a> OutputFile<'a> {
    /// Returns the file, if it can be written without a loss.
    pub fn new(what: &'static str, path: &'a Path, force: bool) -> Result<Self> {
        // Devices and pipes have nothing to lose.
        if path.symlink_metadata().is_ok() && !is_device(path) {
            if is_key(path) {
                bail!("cannot write {what} {0}: {0} is a key file, which is never overwritten", path.display());
            }
            if !force {
                bail!(
                    "cannot write {what} {0}: {0} already exists; give another name, or --force to overwrite it",
                    path.display()
                );
            }
        }
        Ok(Self { what, path, force })
    }

    /// Writes the file.
    pub fn write(&self, contents: impl AsRef<[u8]>) -> Result<()> {
        let written = if self.force || is_device(self.path) {
            fs::write(self.path, contents)
        } else {
            File::create_new(self.path).and_then(|mut file| file.write_all(contents.as_ref()))
        };
        written.with_context(|| format!("cannot write {} {}", self.what, self.path.display()))
    }
}

/// Checks that no two of the outputs are one file, and that none is an input.
pub fn require_distinct(outputs: &[(&str, &Path)], inputs: &[&Path]) -> Result<()> {
    for (index, (option, path)) in outputs.iter().enumerate() {
        let file = resolved(path);
        if let Some((other, _)) = outputs.iter().take(index).find(|(_, earlier)| resolved(earlier) == file) {
            bail!("{other} and {option} both name {}; give each its own file", path.display());
        }
        if inputs.iter().any(|input| resolved(input) == file) {
            bail!("{option} names {}, which this command reads; give another name", path.display());
        }
    }
    Ok(())
}

/// Returns the absolute path of a file that can be missing, without links.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (directory.canonicalize(), path.file_name()) {
        (Ok(directory), Some(name)) => directory.join(name),
        _ => path.to_path_buf(),
    }
}

fn is_device(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// Returns whether a file is a keystore, an unencrypted key, or cannot be read to find out.
fn is_key(path: &Path) -> bool {
    let mut contents = zeroize::Zeroizing::new(Vec::new());
    let read = File::open(path).and_then(|file| file.take(LONGEST_KEY).read_to_end(&mut contents));
    match read {
        Ok(_) => {}
        // A link to no file.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return false,
        Err(_) => return path.is_file(),
    }
    let Ok(text) = str::from_utf8(&contents) else { return false };
    let digits = text.trim().trim_start_matches("0x");
    let is_bare = digits.len() == 64 && digits.chars().all(|digit| digit.is_ascii_hexdigit());
    // Also a keystore of another scheme, and one of an account: both have the field.
    let is_keystore = serde_json::from_str::<serde_json::Value>(text).is_ok_and(|json| {
        json.as_object().is_some_and(|fields| fields.keys().any(|field| field.eq_ignore_ascii_case("crypto")))
    });
    is_bare || is_keystore
}

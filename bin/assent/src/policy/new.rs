//! `assent policy new`: a policy's folder, with tests that pass.

use crate::{ExitStatus, output::Output, output_file::OutputFile};
use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueHint};
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The files of the template; NAME and PACKAGE stand for the policy's.
const TEMPLATE: [(&str, &str); 5] = [
    ("policy.json", include_str!("template/policy.json")),
    ("parameters.json", include_str!("template/parameters.json")),
    ("parameters.schema.json", include_str!("template/parameters.schema.json")),
    ("PACKAGE.rego", include_str!("template/PACKAGE.rego")),
    ("PACKAGE_test.rego", include_str!("template/PACKAGE_test.rego")),
];

/// The options of `assent policy new`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  assent policy new treasury
  assent policy new policies/spending-limit

The template allows payments up to a limit, to known recipients. The last part of the path is the policy's name.")]
pub struct Arguments {
    /// The folder to create.
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    folder: PathBuf,
}

/// Runs `assent policy new`.
pub fn run(arguments: &Arguments, output: Output) -> Result<ExitStatus> {
    let folder = &arguments.folder;
    let name = name_of(folder)?;
    let package = name.replace('-', "_");
    fs::create_dir_all(folder).with_context(|| format!("cannot create folder {}", folder.display()))?;
    let mut files = Vec::new();
    for (file, text) in TEMPLATE {
        let file = file.replace("PACKAGE", &package);
        let text = text.replace("PACKAGE", &package).replace("NAME", name);
        OutputFile::new("policy's file", &folder.join(&file), false)?.write(text)?;
        files.push(file);
    }
    let shown = folder.display();
    let text = format!(
        "{}\nnext: assent policy test {shown}",
        files.iter().map(|file| format!("{shown}/{file}")).collect::<Vec<_>>().join("\n")
    );
    output.result(text, &json!({ "folder": folder, "files": files }))?;
    Ok(ExitStatus::Success)
}

/// Returns the name of a policy in a folder: the last part of its path.
pub fn name_of(folder: &Path) -> Result<&str> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let is_valid = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.len() <= 64
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !is_valid {
        bail!(
            "{name:?} cannot be the name of a policy: give 1 to 64 lower-case letters, digits and hyphens, the first a \
             letter, as in `spending-limit`"
        );
    }
    if ["params", "wasm", "private"].contains(&name) {
        bail!("{name:?} is reserved: data.{name} holds data; give another name");
    }
    Ok(name)
}

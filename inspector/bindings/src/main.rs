//! The command `wasm-bindgen`, for one module.
//!
//! `assent-inspector-bindings MODULE DIRECTORY` writes the bound module and its script into the directory.

use anyhow::{Context, Result};
use std::{env, path::PathBuf};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let module = arguments.next().context("which module?")?;
    let directory = arguments.next().context("into which directory?")?;
    Bindgen::new()
        .input_path(&module)
        // A classic script, since a worker that is made of text cannot import another file.
        .no_modules(true)?
        .omit_default_module_path(true)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&directory)
        .with_context(|| format!("no bindings for {}", module.display()))
}

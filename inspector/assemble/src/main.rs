//! Puts the Inspector's page together: one file, which opens from a disk as from a server and asks for nothing else.

mod page;

use anyhow::{Context, Result};
use clap::Parser;
use std::{fs, path::PathBuf};
use wasm_bindgen_cli_support::Bindgen;

/// Makes inspector.html of the verifier's module and of what stands in inspector/.
#[derive(Parser)]
struct Arguments {
    /// The module, as cargo built it for wasm32-unknown-unknown.
    #[arg(long)]
    module: PathBuf,
    /// The directory inspector/.
    #[arg(long)]
    sources: PathBuf,
    /// Where the page is to be written.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> Result<()> {
    let Arguments { module, sources, out } = Arguments::parse();
    let mut bindings = Bindgen::new()
        .input_path(&module)
        // A classic script, since a worker that is made of text cannot import another file.
        .no_modules(true)?
        .omit_default_module_path(true)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()
        .with_context(|| format!("no bindings for {}", module.display()))?;
    let script = bindings.js().to_owned();
    let module = bindings.wasm_mut().emit_wasm();
    let page = page::assemble(&sources, &script, &module)?;
    fs::write(&out, &page).with_context(|| format!("{} cannot be written", out.display()))?;
    println!(
        "{}: {} kB, of which the verifier's module takes {} kB",
        out.display(),
        page.len() / 1000,
        module.len() / 1000
    );
    Ok(())
}

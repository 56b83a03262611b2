//! Makes a component of a WebAssembly module that was compiled with wit-bindgen.
//!
//! `cargo xtask components --only rust` runs it.

use anyhow::{Context, Result, bail};
use std::{env, fs};
use wit_component::ComponentEncoder;

fn main() -> Result<()> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [module, component] = arguments.as_slice() else { bail!("usage: componentize MODULE COMPONENT") };
    let bytes = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    let component_bytes = ComponentEncoder::default().validate(true).module(&bytes)?.encode()?;
    fs::write(component, component_bytes).with_context(|| format!("cannot write {}", component.display()))
}

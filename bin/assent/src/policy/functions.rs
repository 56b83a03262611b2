//! Functions that an option gives: human-readable, or from an ABI in JSON.

use crate::input;
use anyhow::{Context as _, Result, anyhow, bail};
use assent_policy::Function;
use clap::Args;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// The options for functions.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub struct FunctionArguments {
    /// A function that is called, as in "function pay(address to, uint256 amount)"; receive() is a call without data.
    #[arg(long, value_name = "FUNCTION")]
    function: Vec<Function>,
    /// The ABI of a contract that is called, as JSON; also Foundry's file of a contract.
    #[arg(long, value_name = "FILE")]
    abi: Vec<PathBuf>,
}

impl FunctionArguments {
    /// Reads the functions. Of functions with the same signature, the first counts.
    pub fn read(&self) -> Result<Vec<Function>> {
        let mut functions = self.function.clone();
        for path in &self.abi {
            functions.extend(read_abi(path)?);
        }
        let mut seen = BTreeSet::new();
        functions.retain(|function| seen.insert(function.signature()));
        Ok(functions)
    }
}

/// Reads the functions of an ABI.
fn read_abi(path: &Path) -> Result<Vec<Function>> {
    let text = input::read_file("ABI", path, input::LONGEST_JSON)?;
    let value = serde_json::from_slice::<Value>(&text)
        .map_err(|error| anyhow!("cannot parse ABI {}: {error}", path.display()))?;
    let entries = value.as_array().or_else(|| value.get("abi")?.as_array());
    let Some(entries) = entries else {
        bail!("ABI {} is neither an array nor an object with `abi`; give what solc or Foundry wrote", path.display());
    };
    let functions = entries.iter().filter_map(|entry| match entry.get("type").and_then(Value::as_str) {
        Some("function") | None => Some(function(entry)),
        Some("receive") => Some("receive()".parse().map_err(anyhow::Error::from)),
        _ => None,
    });
    functions.collect::<Result<_>>().with_context(|| format!("cannot read ABI {}", path.display()))
}

fn function(entry: &Value) -> Result<Function> {
    let name = entry.get("name").and_then(Value::as_str).context("a function has no name")?;
    let inputs = parameters(entry.get("inputs")).with_context(|| format!("function {name}"))?;
    Ok(format!("function {name}({inputs})").parse::<Function>()?)
}

fn parameters(inputs: Option<&Value>) -> Result<String> {
    let inputs = inputs.and_then(Value::as_array).context("`inputs` or `components` is missing")?;
    let parameters = inputs.iter().map(|input| {
        let ty = input.get("type").and_then(Value::as_str).context("an input has no type")?;
        let ty = match ty.strip_prefix("tuple") {
            Some(suffix) => format!("({}){suffix}", parameters(input.get("components"))?),
            None => ty.to_owned(),
        };
        let name = input.get("name").and_then(Value::as_str).unwrap_or_default();
        Ok(if name.is_empty() { ty } else { format!("{ty} {name}") })
    });
    Ok(parameters.collect::<Result<Vec<_>>>()?.join(", "))
}

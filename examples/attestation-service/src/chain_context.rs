//! What the chain would know, from a file.

use anyhow::{Context as _, Result, bail};
use assent_verifier::Context;
use std::{fs, path::Path};

/// Reads a context under which something can be verified at all.
pub fn read(path: &Path) -> Result<Context> {
    let text = fs::read(path).with_context(|| format!("the context {} cannot be read", path.display()))?;
    let mut deserializer = serde_json::Deserializer::from_slice(&text);
    let context: Context = serde_path_to_error::deserialize(&mut deserializer)
        .and_then(|context| match deserializer.end() {
            Ok(()) => Ok(context),
            Err(error) => Err(serde_path_to_error::Error::new(serde_path_to_error::Track::new().path(), error)),
        })
        .with_context(|| format!("{} is no context; `assent context --json` prints one", path.display()))?;
    if context.policy.as_ref().is_none_or(|policy| policy.policyId.is_zero()) || context.task_manager.is_zero() {
        bail!("the context {} sets no policy or no TaskManager, so everything would be refused", path.display());
    }
    if context.epochs.is_empty() {
        bail!("the context {} has no epoch, so everything would be refused", path.display());
    }
    Ok(context)
}

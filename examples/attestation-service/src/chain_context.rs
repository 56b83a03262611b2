//! The chain state that verification takes as input, from a file.

use anyhow::{Context as _, Result, bail};
use assent_verifier::Context;
use std::{fs, path::Path};

/// Reads a context, which must have a policy, a TaskManager and an epoch.
pub fn read(path: &Path) -> Result<Context> {
    let text = fs::read(path).with_context(|| format!("cannot read the context {}", path.display()))?;
    let mut deserializer = serde_json::Deserializer::from_slice(&text);
    let context: Context = serde_path_to_error::deserialize(&mut deserializer)
        .and_then(|context| match deserializer.end() {
            Ok(()) => Ok(context),
            Err(error) => Err(serde_path_to_error::Error::new(serde_path_to_error::Track::new().path(), error)),
        })
        .with_context(|| format!("{} is not a context; `assent context --json` prints one", path.display()))?;
    if context.policy.as_ref().is_none_or(|policy| policy.policyId.is_zero()) || context.task_manager.is_zero() {
        bail!("the context {} has no policy or no TaskManager: every attestation would be refused", path.display());
    }
    if context.epochs.is_empty() {
        bail!("the context {} has no epoch: every attestation would be refused", path.display());
    }
    Ok(context)
}

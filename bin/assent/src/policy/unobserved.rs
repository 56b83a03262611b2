//! A build that cannot observe sources.

use super::{era::Era, files::Loaded};
use crate::connection::Node;
use anyhow::{Result, bail};
use assent_json::Value;
use assent_policy::{Finding, PolicyFolder, PolicyInput};
use std::{convert::Infallible, path::Path};

/// Observes the sources of a policy. This build has no value of it.
pub struct Observatory(Infallible);

impl Observatory {
    /// Refuses to observe.
    pub fn new(_loaded: &Loaded, _secrets: Option<&Path>, _node: Option<&Node>, _era: Era) -> Result<Self> {
        bail!(
            "this build of assent cannot observe sources; build it with the default feature `sources`, or give answers \
             with --data"
        )
    }

    /// Cannot be called.
    pub fn observe(
        &self,
        _key: &str,
        _input: &PolicyInput,
        _recorded: &[serde_json::Value],
    ) -> Result<(Value, serde_json::Value)> {
        match self.0 {}
    }
}

/// Checks nothing.
pub fn findings(_folder: &PolicyFolder) -> Vec<Finding> {
    Vec::new()
}

//! How far a backtest is, in a file, so that it can continue.

use super::tally::Tally;
use crate::input;
use alloy_primitives::{Address, B256};
use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path};

/// How far a backtest is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct State {
    version: u32,
    /// What is counted: other options are another backtest.
    pub subject: Subject,
    /// The first block that is not counted.
    pub next_block: u64,
    /// The hash of the block before.
    pub last_hash: Option<B256>,
    /// The counts.
    pub tally: Tally,
}

/// What is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subject {
    /// The policy.
    pub policy_id: B256,
    /// The contract.
    pub client: Address,
    /// The first block.
    pub from_block: u64,
    /// The TaskManager whose events are read; nothing if transactions are.
    pub task_manager: Option<Address>,
    /// Whether transactions that reverted count.
    pub with_reverted: bool,
    /// The hash of what sources answer; nothing if that is not given.
    #[serde(default)]
    pub data: Option<B256>,
}

impl State {
    /// Returns the state in which nothing is counted.
    pub fn new(subject: Subject) -> Self {
        Self { version: 1, next_block: subject.from_block, subject, last_hash: None, tally: Tally::default() }
    }

    /// Reads the state, if there is a file.
    pub fn read(path: &Path, subject: Subject) -> Result<Self> {
        if path.symlink_metadata().is_err() {
            return Ok(Self::new(subject));
        }
        let state: Self = input::read_json("state file", path)?;
        if state.version != 1 || state.subject != subject {
            bail!(
                "state file {} is of another policy, client, first block, choice of calls or --data; give another file",
                path.display()
            );
        }
        Ok(state)
    }

    /// Writes the state. What interrupts it leaves the earlier file.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".new");
        let text = serde_json::to_string_pretty(self)?;
        fs::write(&temporary, text + "\n")
            .and_then(|()| fs::rename(&temporary, path))
            .with_context(|| format!("cannot write state file {}", path.display()))
    }
}

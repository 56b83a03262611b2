//! A part of the report.

use anyhow::Result;
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};

/// What is measured together. All functions take the repository's root, and read or write the figures in files below
/// it.
pub struct Section {
    /// Its name, for `--only`.
    pub name: &'static str,
    /// Measures, and writes the figures to their files.
    pub measure: fn(&Path) -> Result<()>,
    /// Returns the last figures for programs. The objects of all sections are merged.
    pub figures: fn(&Path) -> Result<Value>,
    /// Returns the tables of docs/performance.md by their names.
    pub tables: fn(&Path) -> Result<BTreeMap<&'static str, String>>,
    /// Returns the plots by the names of their files.
    pub plots: fn(&Path) -> Result<BTreeMap<&'static str, String>>,
}

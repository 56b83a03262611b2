//! The strict check of a policy: refuses what evaluates, but not to what its author means.
//!
//! Rego compares values of different types without a word: `"5" > 1000000` is true. The check knows the types of input,
//! parameters and sources, and refuses such rules before they decide anything.

mod calls;
mod denials;
mod lexer;
mod parse;
mod program;
mod recursion;
mod rules;
mod schema;
mod syntax;
mod types;
mod walk;

pub use calls::known_builtins;
pub use denials::{Denial, denials};

use crate::folder::PolicyFolder;
use core::fmt;

/// Something that must be changed, where, and how.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Finding {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl Finding {
    /// Creates a finding.
    pub fn new(file: &str, line: u32, column: u32, message: impl Into<String>) -> Self {
        Self { file: file.into(), line, column, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

/// Checks a policy. Returns what must be changed, in the order of files and lines; nothing if the policy can be built.
///
/// Text of any kind ends in findings: its length and nesting are bounded.
pub fn check(folder: &PolicyFolder) -> Vec<Finding> {
    let mut findings = rules::check(folder);
    findings.sort();
    findings.dedup();
    findings
}

/// Returns what does not parse in modules.
pub(crate) fn syntax_findings<'a>(modules: impl Iterator<Item = (&'a String, &'a String)>) -> Vec<Finding> {
    modules.filter_map(|(file, text)| parse::parse(file, text).err()).collect()
}

/// Returns the package of a module; nothing if it does not parse.
pub(crate) fn package(file: &str, text: &str) -> Option<String> {
    parse::parse(file, text).ok().map(|module| module.package.join("."))
}

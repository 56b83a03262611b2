//! Line and branch coverage of the verification path, in both languages.

mod exceptions;
mod lcov;
mod rust;
mod solidity;
mod table;

use clap::{Args, ValueEnum};

use crate::{
    runner::{Outcome, Step},
    tools::setup,
};
use lcov::File;

/// What to measure, and how to print it.
#[derive(Args)]
pub struct Arguments {
    /// Measure one language
    #[arg(long)]
    only: Option<Language>,
    /// Print the figures for a program
    #[arg(long)]
    json: bool,
}

/// What can be measured.
#[derive(Clone, Copy, ValueEnum)]
pub enum Language {
    /// The verifier.
    Rust,
    /// The contracts.
    Solidity,
}

/// Why there are no figures.
enum Missing {
    /// This machine lacks a tool.
    Tools(String),
    /// A test or a tool failed.
    Failure(String),
}

/// Measures what the arguments ask for.
///
/// # Errors
/// If a test failed, or the coverage is not complete.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let languages = arguments.only.map_or(vec![Language::Rust, Language::Solidity], |language| vec![language]);
    setup::tools()?;
    let mut files = Vec::new();
    for language in languages {
        files.extend(measure(language).map_err(|missing| match missing {
            Missing::Tools(reason) => format!("coverage cannot be measured here: {reason}"),
            Missing::Failure(reason) => reason,
        })?);
    }
    if arguments.json {
        table::print_json(&files)
    } else {
        table::print(&files)
    }
    complete(&files)
}

/// A step that measures, prints the table and fails if the coverage is not complete. If tools are missing, it runs
/// `otherwise`, the tests without measuring.
pub fn step(language: Language, name: &str, otherwise: impl FnOnce() -> Outcome + Send + 'static) -> Step {
    Step::new(name, move || match measure(language) {
        Ok(files) => {
            table::print(&files);
            complete(&files).into()
        }
        Err(Missing::Failure(reason)) => Outcome::Failed(reason),
        Err(Missing::Tools(reason)) => match otherwise() {
            Outcome::Passed => Outcome::Skipped(format!("coverage, not the tests: {reason}")),
            other => other,
        },
    })
}

fn measure(language: Language) -> Result<Vec<File>, Missing> {
    let mut files = match language {
        Language::Rust => rust::measure()?,
        Language::Solidity => solidity::measure()?,
    };
    if files.is_empty() {
        return Err(Missing::Failure("coverage: no file was measured".to_owned()));
    }
    for file in &mut files {
        exceptions::excuse(file).map_err(Missing::Failure)?;
    }
    Ok(files)
}

fn complete(files: &[File]) -> Result<(), String> {
    let open: usize = files.iter().map(|file| file.uncovered().len()).sum();
    let needless: usize = files.iter().map(|file| file.needless_exceptions.len()).sum();
    if open + needless == 0 {
        return Ok(());
    }
    Err(format!("{open} lines and branches are not reached, {needless} exceptions are not needed"))
}

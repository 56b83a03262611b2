//! Line and branch coverage of the verification path, in both languages.

mod exceptions;
mod lcov;
mod rust;
mod solidity;
mod table;

use clap::{Args, ValueEnum};

use crate::{
    setup,
    steps::{Outcome, Step},
};
use lcov::File;
pub use rust::compile;

/// What to measure, and how to tell it.
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

impl Language {
    const ALL: [Self; 2] = [Self::Rust, Self::Solidity];

    fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Solidity => "solidity",
        }
    }
}

/// Why there are no figures.
enum Missing {
    /// This machine lacks what it takes.
    Tools(String),
    /// A test failed, or a tool did.
    Failure(String),
}

/// Measures what the arguments ask for.
///
/// # Errors
/// When a test failed, or the coverage is not complete.
pub fn run(arguments: &Arguments) -> Result<(), String> {
    let languages = arguments.only.map_or(Language::ALL.to_vec(), |language| vec![language]);
    setup::tools()?;
    let mut files = Vec::new();
    for language in languages {
        files.extend(measure(language).map_err(|missing| match missing {
            Missing::Tools(reason) => format!("{} cannot be measured here: {reason}", language.name()),
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

/// A step that measures, prints the table and fails when the coverage is not complete. Where the tools are missing, `else_run`
/// stands in for the tests that would have run.
pub fn step(language: Language, name: &str, else_run: impl FnOnce() -> Outcome + Send + 'static) -> Step {
    Step::new(name, move || match measure(language) {
        Ok(files) => {
            table::print(&files);
            complete(&files).map_or_else(Outcome::Failed, |()| Outcome::Passed)
        }
        Err(Missing::Failure(reason)) => Outcome::Failed(reason),
        Err(Missing::Tools(reason)) => match else_run() {
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
        return Err(Missing::Failure(format!("no file of {} was measured", language.name())));
    }
    for file in &mut files {
        exceptions::excuse(file).map_err(Missing::Failure)?;
    }
    Ok(files)
}

fn complete(files: &[File]) -> Result<(), String> {
    let open: usize = files.iter().map(|file| file.uncovered().len()).sum();
    let needless: usize = files.iter().map(|file| file.needless_exceptions.len()).sum();
    match (open, needless) {
        (0, 0) => Ok(()),
        (open, needless) => {
            Err(format!("{open} lines and branches are not reached, {needless} exceptions are not needed"))
        }
    }
}

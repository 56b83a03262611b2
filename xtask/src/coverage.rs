//! Line and branch coverage of the verification path, in both languages.

mod exceptions;
mod lcov;
mod rust;
mod solidity;
mod table;

use std::ffi::OsString;

use crate::{
    setup,
    steps::{Outcome, Step},
};
use lcov::File;
pub use rust::compile;

const HELP: &str = "\
Measures which lines and branches of the verification path the tests reach: of the contracts, and of the verifier with all
its features. The tests run as they do so, and their failure is this command's.

Usage: cargo xtask coverage [--only rust|solidity] [--json]

  --only rust|solidity  measure one language
  --json                print the figures for a program
  --help                say this

Fails when a line or a branch is not reached, but for those that xtask/src/coverage/exceptions.rs lists with a reason, and
when one that is listed there is reached after all. Rust needs llvm-profdata and llvm-cov of the compiler's own LLVM: from
`rustup component add llvm-tools`, or from Debian's packages (llvm-22 for LLVM 22).";

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq)]
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

/// Runs the command with the arguments given.
///
/// # Errors
/// When an argument is unknown, a test failed, or the coverage is not complete.
pub fn run(arguments: &[OsString]) -> Result<(), String> {
    let mut languages = Language::ALL.to_vec();
    let mut json = false;
    let mut arguments = arguments.iter().map(|argument| argument.to_string_lossy());
    while let Some(argument) = arguments.next() {
        match argument.as_ref() {
            "--help" | "-h" => {
                println!("{HELP}");
                return Ok(());
            }
            "--json" => json = true,
            "--only" => {
                let only = arguments.next().unwrap_or_default();
                languages.retain(|language| language.name() == only);
                if languages.is_empty() {
                    return Err(format!("`--only` takes `rust` or `solidity`, and got {only:?}"));
                }
            }
            other => return Err(format!("unknown argument {other:?}\n\n{HELP}")),
        }
    }
    setup::tools()?;
    let mut files = Vec::new();
    for language in languages {
        files.extend(measure(language).map_err(|missing| match missing {
            Missing::Tools(reason) => format!("{} cannot be measured here: {reason}", language.name()),
            Missing::Failure(reason) => reason,
        })?);
    }
    if json {
        table::print_json(&files)
    } else {
        table::print(&files)
    }
    complete(&files)
}

/// A step that measures, prints the table and fails when the coverage is not complete. Where the tools are missing, `else_run`
/// stands in for the tests that would have run.
pub fn step(language: Language, name: &str, else_run: impl FnOnce() -> Outcome + 'static) -> Step {
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

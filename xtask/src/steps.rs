//! Steps run one after the other, with a table of their results at the end. Progress goes to standard error.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// One row of the table.
pub struct Step {
    name: String,
    work: Box<dyn FnOnce() -> Outcome>,
    /// Nothing after it can run when it fails.
    essential: bool,
}

/// How a step ended.
pub enum Outcome {
    /// All that the step checks is as it should be.
    Passed,
    /// Something is wrong, or could not be checked although it should have been.
    Failed(String),
    /// The step could not run on this machine.
    Skipped(String),
}

impl Outcome {
    /// For what has to pass.
    ///
    /// # Errors
    /// Why it did not.
    pub fn into_result(self) -> Result<(), String> {
        match self {
            Self::Passed => Ok(()),
            Self::Failed(reason) | Self::Skipped(reason) => Err(reason),
        }
    }
}

impl Step {
    /// A step that does `work`.
    pub fn new(name: impl Into<String>, work: impl FnOnce() -> Outcome + 'static) -> Self {
        Self { name: name.into(), work: Box::new(work), essential: false }
    }

    /// A step that passes when `command` exits with 0.
    pub fn command(name: impl Into<String>, command: Command) -> Self {
        Self::new(name, move || execute(command))
    }

    /// A step without which the steps after it are not tried.
    pub fn essential(name: impl Into<String>, work: impl FnOnce() -> Result<(), String> + 'static) -> Self {
        let outcome = move || work().map_or_else(Outcome::Failed, |()| Outcome::Passed);
        Self { essential: true, ..Self::new(name, outcome) }
    }
}

/// Runs a command whose output goes to the terminal.
pub fn execute(mut command: Command) -> Outcome {
    eprintln!("$ {}", shown(&command));
    match command.status() {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(status.to_string()),
        Err(error) => Outcome::Failed(format!("{} could not be started: {error}", shown(&command))),
    }
}

/// Runs all steps, also after one has failed, and prints the table.
///
/// # Errors
/// When a step failed.
pub fn run(steps: Vec<Step>) -> Result<(), String> {
    let total = steps.len();
    let mut rows = Vec::with_capacity(total);
    let mut stopped_by: Option<String> = None;
    for (index, Step { name, work, essential }) in steps.into_iter().enumerate() {
        let started = Instant::now();
        let outcome = if let Some(cause) = &stopped_by {
            Outcome::Skipped(format!("{cause} failed"))
        } else {
            eprintln!("\n[{}/{total}] {name}", index + 1);
            work()
        };
        match &outcome {
            Outcome::Passed => {}
            Outcome::Failed(reason) => {
                eprintln!("failed: {name}: {reason}");
                if essential {
                    stopped_by = Some(name.clone());
                }
            }
            Outcome::Skipped(_) if stopped_by.is_some() => {}
            Outcome::Skipped(reason) => eprintln!("skipped: {reason}"),
        }
        rows.push(Row { name, outcome, time: started.elapsed() });
    }
    print_table(&rows);
    let failed = rows.iter().filter(|row| matches!(row.outcome, Outcome::Failed(_))).count();
    let skipped = rows.iter().filter(|row| matches!(row.outcome, Outcome::Skipped(_))).count();
    let passed = total - failed - skipped;
    let skipped_part = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    println!("\n{passed} passed, {failed} failed{skipped_part}");
    if failed > 0 { Err(format!("{failed} of {total} steps failed")) } else { Ok(()) }
}

struct Row {
    name: String,
    outcome: Outcome,
    time: Duration,
}

fn print_table(rows: &[Row]) {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    println!("\n{:width$}  {:7}  {:>8}", "step", "result", "time");
    for Row { name, outcome, time } in rows {
        let (result, reason) = match outcome {
            Outcome::Passed => ("passed", ""),
            // Only the first line: the rest, which may say what to do, stands where the step ran.
            Outcome::Failed(reason) => ("FAILED", reason.lines().next().unwrap_or_default()),
            Outcome::Skipped(reason) => ("SKIPPED", reason.as_str()),
        };
        let line = format!("{name:width$}  {result:7}  {:>6.1} s  {reason}", time.as_secs_f64());
        println!("{}", line.trim_end());
    }
}

/// The command as a person would type it in the repository's root.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let mut words: Vec<String> = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={:?}", name.to_string_lossy(), value?.to_string_lossy())))
        .collect();
    words.push(program.to_string_lossy().into_owned());
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}

//! Runs steps: one after the other, some in parallel, with a table of their results at the end. Progress goes to
//! standard error.

mod commands;
mod table;

use std::{
    fs::{self, File},
    io::{self, Read, Seek},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use commands::OUTPUT;
pub use commands::{
    cargo, cargo_home, command, execute, forge, forge_path, has_cargo, must_pass, numbers, printed, root, rustc,
    target_directory,
};
use table::Row;

/// One row of the table.
pub struct Step {
    name: String,
    work: Box<dyn FnOnce() -> Outcome + Send>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Runs before all others. They are skipped if it fails.
    Essential,
    /// Runs after the one before it. Its output goes to the terminal.
    Ordinary,
    /// Runs in parallel with the ordinary steps. Its output is shown when it has ended.
    Parallel,
}

/// The result of a step.
pub enum Outcome {
    /// Everything that the step checks holds.
    Passed,
    /// A check failed, or could not be made although it had to be.
    Failed(String),
    /// The step cannot run on this machine.
    Skipped(String),
}

impl Outcome {
    /// Returns an error unless the step passed.
    ///
    /// # Errors
    /// The reason.
    pub fn into_result(self) -> Result<(), String> {
        match self {
            Self::Passed => Ok(()),
            Self::Failed(reason) | Self::Skipped(reason) => Err(reason),
        }
    }

    /// Runs `next` if this passed.
    pub fn and_then(self, next: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Passed => next(),
            other => other,
        }
    }
}

impl From<Result<(), String>> for Outcome {
    fn from(result: Result<(), String>) -> Self {
        result.map_or_else(Self::Failed, |()| Self::Passed)
    }
}

impl From<Result<(), Self>> for Outcome {
    fn from(result: Result<(), Self>) -> Self {
        result.map_or_else(|outcome| outcome, |()| Self::Passed)
    }
}

impl Step {
    /// Creates a step that does `work`.
    pub fn new<R: Into<Outcome>>(name: impl Into<String>, work: impl FnOnce() -> R + Send + 'static) -> Self {
        Self { name: name.into(), work: Box::new(|| work().into()), kind: Kind::Ordinary }
    }

    /// The step's name in the table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Creates a step that passes if `command` exits with 0.
    pub fn command(name: impl Into<String>, command: Command) -> Self {
        Self::new(name, move || execute(command))
    }

    /// Creates a step before all others, which are skipped if it fails.
    pub fn essential(name: impl Into<String>, work: impl FnOnce() -> Result<(), String> + Send + 'static) -> Self {
        Self { kind: Kind::Essential, ..Self::new(name, work) }
    }

    /// Runs this step in parallel with the others. Use it for single-threaded work that does not hold the lock of
    /// cargo's target directory.
    pub fn in_parallel(self) -> Self {
        Self { kind: Kind::Parallel, ..self }
    }
}

/// Runs all steps, also after one has failed, and prints the table.
///
/// # Errors
/// If a step failed.
pub fn run(steps: Vec<Step>) -> Result<(), String> {
    table::print(&rows_of(steps))
}

/// Runs the steps. Returns their results in the order of the steps.
fn rows_of(steps: Vec<Step>) -> Vec<Row> {
    let total = steps.len();
    let mut rows: Vec<Option<Row>> = steps.iter().map(|_| None).collect();
    let (essential, others): (Vec<_>, Vec<_>) =
        steps.into_iter().enumerate().partition(|(_, step)| step.kind == Kind::Essential);
    let mut stopped_by: Option<String> = None;
    for (index, step) in essential {
        let row = match &stopped_by {
            Some(cause) => not_tried(step, cause),
            None => at_terminal(index, total, step),
        };
        if matches!(row.outcome, Outcome::Failed(_)) {
            stopped_by = Some(row.name.clone());
        }
        rows[index] = Some(row);
    }
    if let Some(cause) = stopped_by {
        for (index, step) in others {
            rows[index] = Some(not_tried(step, &cause));
        }
        return rows.into_iter().flatten().collect();
    }
    let (parallel, ordinary): (Vec<_>, Vec<_>) = others.into_iter().partition(|(_, step)| step.kind == Kind::Parallel);
    thread::scope(|scope| {
        let parallel = scope.spawn(move || {
            parallel.into_iter().map(|(index, step)| (index, kept(index, total, step))).collect::<Vec<_>>()
        });
        for (index, step) in ordinary {
            rows[index] = Some(at_terminal(index, total, step));
        }
        // A step that panicked must not go missing from the table: a missing step would not count as failed.
        for (index, row) in parallel.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)) {
            rows[index] = Some(row);
        }
    });
    rows.into_iter().flatten().collect()
}

fn not_tried(step: Step, cause: &str) -> Row {
    Row { name: step.name, outcome: Outcome::Skipped(format!("{cause} failed")), time: Duration::ZERO }
}

/// Runs a step whose output goes to the terminal.
fn at_terminal(index: usize, total: usize, step: Step) -> Row {
    eprintln!("\n[{}/{total}] {}", index + 1, step.name);
    let row = timed(step);
    eprint!("{}", conclusion(&row));
    row
}

/// Runs a step whose output is shown in one piece when it has ended, so that it does not mix with that of others.
fn kept(index: usize, total: usize, step: Step) -> Row {
    match temporary_file() {
        Ok(file) => OUTPUT.set(Some(file)),
        Err(error) => {
            let outcome = Outcome::Failed(format!("cannot keep its output: {error}"));
            return Row { name: step.name, outcome, time: Duration::ZERO };
        }
    }
    eprintln!("\n[{}/{total}] {}: started in parallel", index + 1, step.name);
    let row = timed(step);
    let output = OUTPUT.take().map(read_from_start).unwrap_or_default();
    eprint!("\n[{}/{total}] {}: ended; its output:\n{output}{}", index + 1, row.name, conclusion(&row));
    row
}

fn timed(Step { name, work, .. }: Step) -> Row {
    let started = Instant::now();
    let outcome = work();
    Row { name, outcome, time: started.elapsed() }
}

fn conclusion(Row { name, outcome, .. }: &Row) -> String {
    match outcome {
        Outcome::Passed => String::new(),
        Outcome::Failed(reason) => format!("failed: {name}: {reason}\n"),
        Outcome::Skipped(reason) => format!("skipped: {reason}\n"),
    }
}

/// Opens a file that has no name, where the system allows it, and so needs no removal.
fn temporary_file() -> io::Result<File> {
    let directory = target_directory();
    fs::create_dir_all(&directory)?;
    let path = directory.join(format!("output-of-a-step-{}-{:?}", std::process::id(), thread::current().id()));
    let file = File::options().read(true).append(true).create(true).open(&path)?;
    file.set_len(0)?;
    // Where this fails the file stays, and the next step empties it.
    let _ = fs::remove_file(&path);
    Ok(file)
}

fn read_from_start(mut file: File) -> String {
    let mut bytes = Vec::new();
    match file.rewind().and_then(|()| file.read_to_end(&mut bytes)) {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("cannot read its output: {error}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn results(steps: Vec<Step>) -> Vec<(String, &'static str)> {
        let result = |outcome| match outcome {
            Outcome::Passed => "passed",
            Outcome::Failed(_) => "failed",
            Outcome::Skipped(_) => "skipped",
        };
        rows_of(steps).into_iter().map(|row| (row.name, result(row.outcome))).collect()
    }

    #[test]
    fn every_step_has_its_row_whatever_the_others_do() {
        let rows = results(vec![
            Step::essential("set-up", || Ok(())),
            Step::new("parallel", || Outcome::Failed(String::new())).in_parallel(),
            Step::new("ordinary", || Outcome::Passed),
            Step::new("skipped", || Outcome::Skipped(String::new())),
        ]);
        let expected = [("set-up", "passed"), ("parallel", "failed"), ("ordinary", "passed"), ("skipped", "skipped")];
        assert_eq!(rows, expected.map(|(name, result)| (name.to_owned(), result)));
    }

    #[test]
    fn steps_are_skipped_after_an_essential_step_failed() {
        let rows = results(vec![
            Step::essential("set-up", || Err("no".to_owned())),
            Step::new("parallel", || Outcome::Failed("tried".to_owned())).in_parallel(),
            Step::new("ordinary", || Outcome::Failed("tried".to_owned())),
        ]);
        assert_eq!(rows.iter().map(|row| row.1).collect::<Vec<_>>(), ["failed", "skipped", "skipped"]);
    }

    #[test]
    fn parallel_steps_run_while_the_others_do() {
        let (to_parallel, from_ordinary) = mpsc::channel();
        let (to_ordinary, from_parallel) = mpsc::channel();
        let rows = results(vec![
            Step::new("parallel", move || {
                from_ordinary.recv_timeout(Duration::from_secs(60)).expect("the ordinary step runs");
                to_ordinary.send(()).expect("it waits");
                Outcome::Passed
            })
            .in_parallel(),
            Step::new("ordinary", move || {
                to_parallel.send(()).expect("the parallel step waits");
                from_parallel.recv_timeout(Duration::from_secs(60)).expect("the parallel step answers");
                Outcome::Passed
            }),
        ]);
        assert_eq!(rows.iter().map(|row| row.1).collect::<Vec<_>>(), ["passed", "passed"]);
    }

    #[test]
    fn output_of_a_parallel_step_is_kept_until_it_has_ended() {
        OUTPUT.set(Some(temporary_file().expect("a temporary file")));
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        assert!(matches!(execute(command), Outcome::Failed(_)));
        let output = OUTPUT.take().map(read_from_start).expect("the output was kept");
        assert_eq!(output, "$ sh -c echo out; echo err >&2; exit 3\nout\nerr\n");
    }
}

//! Steps run one after the other, some beside the others, with a table of their results at the end. Progress goes to standard
//! error.

use std::{
    cell::RefCell,
    ffi::OsStr,
    fs::{self, File},
    io::{self, Read, Seek},
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::target_directory;

/// One row of the table.
pub struct Step {
    name: String,
    work: Box<dyn FnOnce() -> Outcome + Send>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Runs before all others; they are not tried when it fails.
    Essential,
    /// Runs after the one before it, its output on the terminal.
    Ordinary,
    /// Runs beside the ordinary ones, its output shown when it has ended.
    Beside,
}

thread_local! {
    /// Where the output of commands goes while it cannot go to the terminal.
    static OUTPUT: RefCell<Option<File>> = const { RefCell::new(None) };
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

    /// What comes of what is done next, when this passed.
    pub fn and_then(self, next: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Passed => next(),
            other => other,
        }
    }
}

impl Step {
    /// A step that does `work`.
    pub fn new(name: impl Into<String>, work: impl FnOnce() -> Outcome + Send + 'static) -> Self {
        Self { name: name.into(), work: Box::new(work), kind: Kind::Ordinary }
    }

    /// A step that passes when `command` exits with 0.
    pub fn command(name: impl Into<String>, command: Command) -> Self {
        Self::new(name, move || execute(command))
    }

    /// A step without which the steps after it are not tried.
    pub fn essential(name: impl Into<String>, work: impl FnOnce() -> Result<(), String> + Send + 'static) -> Self {
        let outcome = move || work().map_or_else(Outcome::Failed, |()| Outcome::Passed);
        Self { kind: Kind::Essential, ..Self::new(name, outcome) }
    }

    /// The same step, beside those that are ordinary: for what keeps one core busy, and asks little of cargo in the directory of
    /// the others, for whom it would wait.
    pub fn beside(self) -> Self {
        Self { kind: Kind::Beside, ..self }
    }
}

/// Runs a command whose output goes to the terminal, or is kept for it until the step has ended.
pub fn execute(mut command: Command) -> Outcome {
    let announcement = format!("$ {}", shown(&command));
    match redirect(&mut command, &announcement) {
        Ok(true) => {}
        Ok(false) => eprintln!("{announcement}"),
        Err(error) => return Outcome::Failed(format!("its output cannot be kept: {error}")),
    }
    match command.status() {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(status.to_string()),
        Err(error) => Outcome::Failed(format!("{} could not be started: {error}", shown(&command))),
    }
}

/// Runs a command without which nothing that follows makes sense.
///
/// # Errors
/// That it did not succeed.
pub fn must_pass(command: Command) -> Result<(), String> {
    let name = program(&command).to_string_lossy().into_owned();
    let passed = execute(command).into_result();
    passed.map_err(|reason| format!("{name} did not succeed ({reason}); its output above says why"))
}

/// Runs all steps, also after one has failed, and prints the table.
///
/// # Errors
/// When a step failed.
pub fn run(steps: Vec<Step>) -> Result<(), String> {
    let rows = rows_of(steps);
    print_table(&rows);
    let total = rows.len();
    let failed = rows.iter().filter(|row| matches!(row.outcome, Outcome::Failed(_))).count();
    let skipped = rows.iter().filter(|row| matches!(row.outcome, Outcome::Skipped(_))).count();
    let passed = total - failed - skipped;
    let skipped_part = if skipped > 0 { format!(", {skipped} skipped") } else { String::new() };
    println!("\n{passed} passed, {failed} failed{skipped_part}");
    if failed > 0 { Err(format!("{failed} of {total} steps failed")) } else { Ok(()) }
}

/// Does the work, and says what became of it in the order of the steps.
fn rows_of(steps: Vec<Step>) -> Vec<Row> {
    let total = steps.len();
    let mut rows: Vec<Option<Row>> = steps.iter().map(|_| None).collect();
    let (essential, others): (Vec<_>, Vec<_>) =
        steps.into_iter().enumerate().partition(|(_, step)| step.kind == Kind::Essential);
    let mut stopped_by: Option<String> = None;
    for (index, step) in essential {
        let row = match &stopped_by {
            Some(cause) => not_tried(&step, cause),
            None => at_terminal(index, total, step),
        };
        if matches!(row.outcome, Outcome::Failed(_)) {
            stopped_by = Some(row.name.clone());
        }
        rows[index] = Some(row);
    }
    if let Some(cause) = stopped_by {
        for (index, step) in others {
            rows[index] = Some(not_tried(&step, &cause));
        }
        return rows.into_iter().flatten().collect();
    }
    let (beside, ordinary): (Vec<_>, Vec<_>) = others.into_iter().partition(|(_, step)| step.kind == Kind::Beside);
    thread::scope(|scope| {
        let beside = scope.spawn(move || {
            beside.into_iter().map(|(index, step)| (index, kept(index, total, step))).collect::<Vec<_>>()
        });
        for (index, step) in ordinary {
            rows[index] = Some(at_terminal(index, total, step));
        }
        // A step that panicked would otherwise be missing from the table, and what is missing has not failed.
        for (index, row) in beside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)) {
            rows[index] = Some(row);
        }
    });
    rows.into_iter().flatten().collect()
}

fn not_tried(step: &Step, cause: &str) -> Row {
    Row { name: step.name.clone(), outcome: Outcome::Skipped(format!("{cause} failed")), time: Duration::ZERO }
}

/// A step whose output goes to the terminal while it runs.
fn at_terminal(index: usize, total: usize, step: Step) -> Row {
    eprintln!("\n[{}/{total}] {}", index + 1, step.name);
    let row = timed(step);
    eprint!("{}", conclusion(&row));
    row
}

/// A step whose output is shown in one piece once it has ended, so that it does not run into that of others.
fn kept(index: usize, total: usize, step: Step) -> Row {
    match temporary_file() {
        Ok(file) => OUTPUT.set(Some(file)),
        Err(error) => {
            let outcome = Outcome::Failed(format!("its output cannot be kept: {error}"));
            return Row { name: step.name, outcome, time: Duration::ZERO };
        }
    }
    eprintln!("\n[{}/{total}] {}: begins beside the others", index + 1, step.name);
    let row = timed(step);
    let output = OUTPUT.take().map(read_from_start).unwrap_or_default();
    eprint!("\n[{}/{total}] {}: has ended; its output:\n{output}{}", index + 1, row.name, conclusion(&row));
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

/// Sends a command's output to where this thread's goes, and says whether that is somewhere else than the terminal.
fn redirect(command: &mut Command, announcement: &str) -> io::Result<bool> {
    OUTPUT.with_borrow_mut(|output| {
        let Some(file) = output else { return Ok(false) };
        io::Write::write_all(file, format!("{announcement}\n").as_bytes())?;
        command.stdout(file.try_clone()?).stderr(file.try_clone()?);
        Ok(true)
    })
}

/// A file without a name where the system lets an open file go, so that nobody has to remove it.
fn temporary_file() -> io::Result<File> {
    let directory = target_directory();
    fs::create_dir_all(&directory)?;
    let path = directory.join(format!("output-of-a-step-{}", std::process::id()));
    let file = File::options().read(true).append(true).create(true).open(&path)?;
    file.set_len(0)?;
    // Elsewhere it stays, and the next step empties it.
    let _ = fs::remove_file(&path);
    Ok(file)
}

fn read_from_start(mut file: File) -> String {
    let mut bytes = Vec::new();
    match file.rewind().and_then(|()| file.read_to_end(&mut bytes)) {
        Ok(_) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("its output could not be read: {error}\n"),
    }
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

/// The program without the directory in which it stands.
fn program(command: &Command) -> &OsStr {
    Path::new(command.get_program()).file_name().unwrap_or(command.get_program())
}

/// The command as a person would type it in the repository's root.
fn shown(command: &Command) -> String {
    let mut words: Vec<String> = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={:?}", name.to_string_lossy(), value?.to_string_lossy())))
        .collect();
    words.push(program(command).to_string_lossy().into_owned());
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
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
    fn every_step_has_its_row_in_its_place_whatever_the_others_do() {
        let rows = results(vec![
            Step::essential("set-up", || Ok(())),
            Step::new("beside", || Outcome::Failed(String::new())).beside(),
            Step::new("ordinary", || Outcome::Passed),
            Step::new("skipped", || Outcome::Skipped(String::new())),
        ]);
        let expected = [("set-up", "passed"), ("beside", "failed"), ("ordinary", "passed"), ("skipped", "skipped")];
        assert_eq!(rows, expected.map(|(name, result)| (name.to_owned(), result)));
    }

    #[test]
    fn nothing_is_tried_after_an_essential_step_failed() {
        let rows = results(vec![
            Step::essential("set-up", || Err("no".to_owned())),
            Step::new("beside", || unreachable!()).beside(),
            Step::new("ordinary", || unreachable!()),
        ]);
        assert_eq!(rows.iter().map(|row| row.1).collect::<Vec<_>>(), ["failed", "skipped", "skipped"]);
    }

    #[test]
    fn a_step_beside_the_others_runs_while_they_do() {
        let (to_beside, from_ordinary) = mpsc::channel();
        let (to_ordinary, from_beside) = mpsc::channel();
        let rows = results(vec![
            Step::new("beside", move || {
                from_ordinary.recv_timeout(Duration::from_secs(60)).expect("the ordinary step runs");
                to_ordinary.send(()).expect("it waits");
                Outcome::Passed
            })
            .beside(),
            Step::new("ordinary", move || {
                to_beside.send(()).expect("the step beside waits");
                from_beside.recv_timeout(Duration::from_secs(60)).expect("the step beside answers");
                Outcome::Passed
            }),
        ]);
        assert_eq!(rows.iter().map(|row| row.1).collect::<Vec<_>>(), ["passed", "passed"]);
    }

    #[test]
    fn what_a_step_beside_the_others_prints_is_kept_until_it_has_ended() {
        OUTPUT.set(Some(temporary_file().expect("a temporary file")));
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2; exit 3"]);
        assert!(matches!(execute(command), Outcome::Failed(_)));
        let output = OUTPUT.take().map(read_from_start).expect("the output was kept");
        assert_eq!(output, "$ sh -c echo out; echo err >&2; exit 3\nout\nerr\n");
    }
}

//! The table of the results.

use std::time::Duration;

use super::Outcome;

/// The result of one step.
pub struct Row {
    pub name: String,
    pub outcome: Outcome,
    pub time: Duration,
}

/// Prints the table and the totals.
///
/// # Errors
/// If a step failed.
pub fn print(rows: &[Row]) -> Result<(), String> {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    println!("\n{:width$}  {:7}  {:>8}", "step", "result", "time");
    let [mut passed, mut failed, mut skipped] = [0; 3];
    for Row { name, outcome, time } in rows {
        let (result, count, reason) = match outcome {
            Outcome::Passed => ("passed", &mut passed, ""),
            // Only the first line: the whole reason is in the step's output.
            Outcome::Failed(reason) => ("FAILED", &mut failed, reason.lines().next().unwrap_or_default()),
            Outcome::Skipped(reason) => ("SKIPPED", &mut skipped, reason.as_str()),
        };
        *count += 1;
        let line = format!("{name:width$}  {result:7}  {:>6.1} s  {reason}", time.as_secs_f64());
        println!("{}", line.trim_end());
    }
    println!("\n{passed} passed, {failed} failed, {skipped} skipped");
    if failed > 0 { Err(format!("{failed} of {} steps failed", rows.len())) } else { Ok(()) }
}

//! Output: text and tables for people, JSON for programs. Results go to standard output, remarks to standard error.

use crate::next_step;
use alloy_primitives::{Address, hex};
use assent_client::with_causes;
use comfy_table::{Attribute, Cell, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::{
    fmt::Display,
    io::{self, Write},
    time::{Duration, Instant, SystemTime},
};

/// The width of the narrowest terminal to which tables are fitted.
const NARROWEST_TERMINAL: u16 = 40;

/// How long work takes before its progress is shown.
const PATIENCE: Duration = Duration::from_secs(2);

/// Standard output, for people or for programs.
#[derive(Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// Returns output for programs if `json`, else for people.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Returns whether the output is for programs.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Prints a line for people, and nothing for programs.
    pub fn line(self, text: impl Display) -> io::Result<()> {
        if self.json { Ok(()) } else { write_line(text) }
    }

    /// Prints the text for people, or the value for programs.
    pub fn result(self, text: impl Display, value: &impl Serialize) -> anyhow::Result<()> {
        self.result_of(|| text, || value)
    }

    /// Prints text or value like [`result`](Self::result), and makes only the one that is printed.
    pub fn result_of<T: Display, V: Serialize>(
        self,
        text: impl FnOnce() -> T,
        value: impl FnOnce() -> V,
    ) -> anyhow::Result<()> {
        if self.json {
            write_json(&value())?;
        } else {
            write_line(text())?;
        }
        Ok(())
    }
}

/// Prints a remark to standard error.
pub fn remark(text: impl Display) {
    // A remark that cannot be printed is not a failure.
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Prints why a command failed, and the next step if the error does not have it.
pub fn report(error: &anyhow::Error) {
    remark(format_args!("\u{1b}[1;31merror:\u{1b}[0m {}", with_causes(error.as_ref())));
    if let Some(next_step) = next_step::of(error) {
        remark(format_args!("\u{1b}[1mnext:\u{1b}[0m {next_step}"));
    }
}

/// Returns an empty table with a header.
pub fn table<'a>(head: impl IntoIterator<Item = &'a str>) -> Table {
    let mut table = Table::new();
    table
        .load_style(UTF8_FULL_CONDENSED)
        // The output stream removes the colours where they are not wanted.
        .enforce_styling()
        .set_header(head.into_iter().map(|title| Cell::new(title).add_attribute(Attribute::Bold)));
    // Some terminals report a width of 0, to which nothing can be fitted.
    if table.width().is_some_and(|width| width >= NARROWEST_TERMINAL) {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table
}

/// Returns a number with what there is one of, or several.
pub fn counted(number: impl TryInto<u64>, one: &str, several: &str) -> String {
    // No count is beyond 64 bits.
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{number} {}", if number == 1 { one } else { several })
}

/// Returns the first and last four digits of an address or hash, by which people compare them.
pub fn shortened(bytes: impl AsRef<[u8]>) -> String {
    if let Ok(address) = Address::try_from(bytes.as_ref()) {
        return short_address(address);
    }
    let digits = hex::encode(bytes);
    match (digits.get(..4), digits.get(digits.len().saturating_sub(4)..)) {
        (Some(first), Some(last)) if digits.len() > 12 => format!("0x{first}…{last}"),
        _ => format!("0x{digits}"),
    }
}

/// Returns an address, shortened from its checksummed form.
pub fn short_address(address: Address) -> String {
    let text = address.to_checksum(None);
    format!("{}…{}", &text[..6], &text[38..])
}

/// Returns a Unix time with its date, if it is before the year 10000.
pub fn time(seconds: u64) -> String {
    const YEAR_10000: u64 = 253_402_300_800;
    if seconds >= YEAR_10000 {
        return seconds.to_string();
    }
    let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    format!("{seconds} ({})", humantime::format_rfc3339_seconds(moment))
}

/// Shows a spinner on a terminal until it is dropped.
pub fn spinner(text: impl Into<String>) -> impl Drop {
    Waiting::new(text)
}

/// A spinner on a terminal, with a text that changes, until it is dropped.
pub struct Waiting(ProgressBar);

impl Waiting {
    /// Shows a spinner.
    pub fn new(text: impl Into<String>) -> Self {
        let bar = ProgressBar::with_draw_target(None, animated());
        let bar = bar.with_style(ProgressStyle::default_spinner()).with_message(text.into());
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// Changes the text.
    pub fn say(&self, text: impl Into<String>) {
        self.0.set_message(text.into());
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A progress bar on a terminal, shown once the work has taken two seconds.
pub struct Progress {
    bar: ProgressBar,
    begun: Instant,
    shown: bool,
}

impl Progress {
    /// Returns the progress of `steps` steps.
    pub fn new(text: &'static str, steps: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::hidden()).with_message(text);
        Self { bar, begun: Instant::now(), shown: false }
    }

    /// Advances by one step.
    pub fn advance(&mut self) {
        if !self.shown && self.begun.elapsed() > PATIENCE {
            self.shown = true;
            let style = ProgressStyle::with_template("{msg} {wide_bar} {pos} of {len}, {eta} left");
            self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            self.bar.set_draw_target(animated());
        }
        self.bar.inc(1);
    }

    /// Does something that prints, without the bar in the way.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Returns standard error if it is a terminal that can redraw lines.
fn animated() -> ProgressDrawTarget {
    let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    if dumb { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() }
}

fn write_json(value: &impl Serialize) -> io::Result<()> {
    let mut stdout = io::BufWriter::new(io::stdout().lock());
    serde_json::to_writer_pretty(&mut stdout, value)?;
    writeln!(stdout)?;
    stdout.flush()
}

fn write_line(text: impl Display) -> io::Result<()> {
    writeln!(anstream::stdout(), "{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_its_date_where_a_calendar_has_one() {
        assert_eq!(time(0), "0 (1970-01-01T00:00:00Z)");
        assert_eq!(time(253_402_300_799), "253402300799 (9999-12-31T23:59:59Z)");
        assert_eq!(time(253_402_300_800), "253402300800");
        assert_eq!(time(u64::MAX), u64::MAX.to_string());
    }

    #[test]
    fn one_thing_is_not_several() {
        let calls = [0_u64, 1, 2].map(|number| counted(number, "call is", "calls are"));
        assert_eq!(calls, ["0 calls are", "1 call is", "2 calls are"]);
    }

    #[test]
    fn only_what_is_long_is_shortened() {
        assert_eq!(shortened([]), "0x");
        assert_eq!(shortened([0xab; 6]), "0xabababababab");
        assert_eq!(shortened([0x12; 32]), "0x1212…1212");
        assert_eq!(short_address(Address::repeat_byte(0x11)), "0x1111…1111");
    }
}

//! What processes use, as Linux tells it.

use std::{collections::BTreeMap, fs};

/// The CPU time of processes, by kind.
pub(crate) struct Usage {
    processes: BTreeMap<&'static str, Vec<u32>>,
    before: BTreeMap<&'static str, f64>,
}

/// Seconds of CPU time, by kind of process.
#[derive(Debug, Clone, Default)]
pub(crate) struct CpuSeconds(pub(crate) BTreeMap<&'static str, f64>);

impl Usage {
    pub(crate) fn of<const N: usize>(processes: [(&'static str, Vec<u32>); N]) -> Self {
        let mut usage = Self { processes: processes.into(), before: BTreeMap::new() };
        usage.since();
        usage
    }

    /// Returns what was used since the last call.
    pub(crate) fn since(&mut self) -> CpuSeconds {
        let now: BTreeMap<_, _> = self
            .processes
            .iter()
            .map(|(kind, processes)| (*kind, processes.iter().copied().filter_map(cpu_seconds).sum::<f64>()))
            .collect();
        let used = now.iter().map(|(kind, now)| (*kind, now - self.before.get(kind).copied().unwrap_or_default()));
        let used = CpuSeconds(used.collect());
        self.before = now;
        used
    }
}

impl CpuSeconds {
    /// Returns the milliseconds for each of a number of decisions.
    pub(crate) fn millis(&self, decisions: f64) -> BTreeMap<&'static str, f64> {
        self.0.iter().map(|(kind, seconds)| (*kind, seconds * 1000.0 / decisions.max(1.0))).collect()
    }

    /// Returns that as text.
    pub(crate) fn per(&self, decisions: usize) -> String {
        let millis = self.millis(f64::from(u32::try_from(decisions).unwrap_or(u32::MAX)));
        millis.iter().map(|(kind, millis)| format!("{kind} {millis:.2}")).collect::<Vec<_>>().join(", ")
    }
}

/// Returns the CPU time of a process with all its threads, in seconds.
fn cpu_seconds(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in brackets, may contain spaces. User time and system time are the 14th and 15th field.
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
    // USER_HZ is 100 on every platform of Linux.
    Some((ticks(11)? + ticks(12)?) / 100.0)
}

/// Returns the memory of a process that is in use now, in megabytes.
pub(crate) fn resident_megabytes(process: u32) -> Option<f64> {
    status(process, "VmRSS:")
}

/// Returns the most memory that a process used, in megabytes.
pub(crate) fn peak_megabytes(process: u32) -> Option<f64> {
    status(process, "VmHWM:")
}

fn status(process: u32, key: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let kibibytes = status.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().next()?;
    Some(kibibytes.parse::<f64>().ok()? * 1024.0 / 1e6)
}

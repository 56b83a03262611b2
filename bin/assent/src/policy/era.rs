//! When sources are observed, and why one has no answer.

use std::fmt;

/// When the sources are observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// Now, about one task: components ask their hosts, unless a recording repeats the task.
    Now,
    /// Now, about each new task: components ask their hosts, unless a recording is of the task.
    Live,
    /// At past blocks: what hosts would have answered is known only from recordings.
    Past,
}

/// A source has no answer about a task.
#[cfg_attr(not(feature = "sources"), allow(dead_code, reason = "only sources that are observed have no answer"))]
#[derive(Debug)]
pub struct NotObserved {
    /// Which source, and why; what to do.
    pub message: String,
    /// Whether the same observation may succeed later.
    pub is_temporary: bool,
}

impl fmt::Display for NotObserved {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for NotObserved {}

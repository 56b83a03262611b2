//! The time of this machine, for deadlines and leases. Nothing that is signed depends on it.

use std::time::{Duration, SystemTime};

/// Returns the Unix time in milliseconds.
pub(crate) fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

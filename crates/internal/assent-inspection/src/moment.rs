//! Times and amounts as text.

use std::time::{Duration, SystemTime};

/// The start of the year 10000, from which the date format has no dates.
const END_OF_CALENDAR: u64 = 253_402_300_800;

/// Returns a Unix time with its date, if it has one.
pub(crate) fn moment(seconds: u64) -> String {
    date(seconds).map_or_else(|| seconds.to_string(), |date| format!("{seconds} ({date})"))
}

/// Returns the date of a Unix time, if it has one.
pub(crate) fn date(seconds: u64) -> Option<String> {
    let moment = SystemTime::UNIX_EPOCH + Duration::from_secs((seconds < END_OF_CALENDAR).then_some(seconds)?);
    Some(humantime::format_rfc3339_seconds(moment).to_string())
}

/// Returns a count with its noun in the singular or plural.
pub(crate) fn amount(count: impl ToString, one: &str, many: &str) -> String {
    let count = count.to_string();
    format!("{count} {}", if count == "1" { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_its_date_where_a_calendar_has_one() {
        assert_eq!(moment(0), "0 (1970-01-01T00:00:00Z)");
        assert_eq!(moment(END_OF_CALENDAR - 1), "253402300799 (9999-12-31T23:59:59Z)");
        assert_eq!(moment(END_OF_CALENDAR), "253402300800");
        assert_eq!(moment(u64::MAX), u64::MAX.to_string());
    }
}

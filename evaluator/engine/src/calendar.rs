//! Dates and times of day, in UTC.

use regorus::Value;

const NANOSECONDS: i64 = 1_000_000_000;
const DAY: i64 = 86_400;
const WEEKDAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// A moment: whole days since 1970, and seconds of its day.
pub(crate) struct Moment {
    days: i64,
    seconds: i64,
}

impl Moment {
    /// Reads nanoseconds since 1970, or an array of them and a time zone, which must be UTC.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let nanoseconds = match value {
            Value::Array(parts) => match (parts.first(), parts.get(1), parts.len()) {
                (Some(nanoseconds), Some(Value::String(zone)), 2) if ["", "UTC"].contains(&zone.as_ref()) => {
                    nanoseconds
                }
                _ => return None,
            },
            _ => value,
        };
        let seconds = nanoseconds.as_i64().ok()?.div_euclid(NANOSECONDS);
        Some(Self { days: seconds.div_euclid(DAY), seconds: seconds.rem_euclid(DAY) })
    }

    pub(crate) fn weekday(&self) -> &'static str {
        let index = usize::try_from(self.days.rem_euclid(7)).unwrap_or_default();
        WEEKDAYS.get(index).copied().unwrap_or_default()
    }

    /// Returns hour, minute and second.
    pub(crate) const fn clock(&self) -> [i64; 3] {
        [self.seconds / 3600, self.seconds / 60 % 60, self.seconds % 60]
    }

    /// Returns year, month and day.
    ///
    /// A year begins in March, so that the day that some years lack is the last. 400 years have 146,097 days.
    #[allow(clippy::arithmetic_side_effects, reason = "64 bits hold 10^11 times more than a moment has days")]
    pub(crate) const fn date(&self) -> [i64; 3] {
        let days = self.days + 719_468;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let is_next_year = month >= 10;
        let month = if is_next_year { month - 9 } else { month + 3 };
        [year + 400 * era + if is_next_year { 1 } else { 0 }, month, day]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment::read(&Value::from(seconds * NANOSECONDS)).expect("in range")
    }

    #[test]
    fn every_day_of_290_years_follows_the_one_before() {
        let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let mut expected = [1970, 1, 1];
        for days in 0..106_000 {
            assert_eq!(at(days * DAY).date(), expected);
            let [year, month, day] = expected;
            let length = match month {
                2 => 28 + i64::from(is_leap(year)),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (day == length, month == 12) {
                (false, _) => [year, month, day + 1],
                (true, false) => [year, month + 1, 1],
                (true, true) => [year + 1, 1, 1],
            };
        }
        assert_eq!(at(-1).date(), [1969, 12, 31]);
    }

    #[test]
    fn times_of_day_and_weekdays_are_those_of_utc() {
        assert_eq!(at(1_517_832_000).clock(), [12, 0, 0]);
        assert_eq!(at(-1).clock(), [23, 59, 59]);
        assert_eq!(at(0).weekday(), "Thursday");
        assert_eq!(at(1_517_832_000).weekday(), "Monday");
        assert_eq!(at(-DAY).weekday(), "Wednesday");
    }
}

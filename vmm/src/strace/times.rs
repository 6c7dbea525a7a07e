//! Times, and the dates that they are.

use super::structures::word;

/// A `struct timespec`.
#[must_use]
pub fn timespec(bytes: &[u8], at: usize) -> String {
    format!(
        "{{tv_sec={}, tv_nsec={}}}",
        word(bytes, at) as i64,
        word(bytes, at + 8) as i64
    )
}

/// A `struct timeval`.
#[must_use]
pub fn timeval(bytes: &[u8], at: usize) -> String {
    format!(
        "{{tv_sec={}, tv_usec={}}}",
        word(bytes, at) as i64,
        word(bytes, at + 8) as i64
    )
}

/// A time that a file is given: utimensat(2).
#[must_use]
pub fn file_time(bytes: &[u8], at: usize) -> String {
    match word(bytes, at + 8) {
        0x3fff_ffff => "UTIME_NOW".to_owned(),
        0x3fff_fffe => "UTIME_OMIT".to_owned(),
        nanoseconds => {
            let shown = timespec(bytes, at);
            let date = date(word(bytes, at) as i64, Some(nanoseconds));
            format!("{shown} /* {date} */")
        }
    }
}

/// The date in UTC, which is what a guest has: `2026-11-22T03:44:33+0000`.
#[must_use]
pub fn date(seconds: i64, nanoseconds: Option<u64>) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let fraction = match nanoseconds {
        None | Some(0) => String::new(),
        Some(number) => format!(".{number:09}"),
    };
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}{fraction}+0000",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Year, month and day of a day since 1970-01-01, in the Gregorian calendar: in years that begin with March, so that the
/// day that is not always there is the last.
fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_IN_400_YEARS: i64 = 146_097;
    // 0000-03-01.
    let since = days + 719_468;
    let era = since.div_euclid(DAYS_IN_400_YEARS);
    let day = since.rem_euclid(DAYS_IN_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next, month, day_of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_the_calendars() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00+0000"),
            (-1, "1969-12-31T23:59:59+0000"),
            (951_782_400, "2000-02-29T00:00:00+0000"),
            (1_795_319_073, "2026-11-22T03:44:33+0000"),
            (4_107_542_400, "2100-03-01T00:00:00+0000"),
        ] {
            assert_eq!(date(seconds, None), shown);
        }
        assert_eq!(date(1, Some(2)), "1970-01-01T00:00:01.000000002+0000");
    }
}

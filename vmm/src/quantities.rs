//! Sizes and times as people write them on a command line.

use std::time::Duration;

/// Parses a size in bytes: a number, with K, M, G or T behind it for powers of 1024.
///
/// # Errors
/// A text that says what was expected.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let expected = || format!("`{text}` is not a size; write e.g. 64M, 512M or 2G");
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches("ib").trim_end_matches('b');
    let (digits, shift) = match digits.as_bytes().last() {
        Some(b'k') => (&digits[..digits.len() - 1], 10),
        Some(b'm') => (&digits[..digits.len() - 1], 20),
        Some(b'g') => (&digits[..digits.len() - 1], 30),
        Some(b't') => (&digits[..digits.len() - 1], 40),
        _ => (digits, 0),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(expected());
    }
    let number: u64 = digits.parse().map_err(|_| expected())?;
    number
        .checked_mul(1 << shift)
        .ok_or_else(|| format!("`{text}` is more than 64 bits can address"))
}

/// Parses a time: a number, fractions allowed, with us, ms, s, m or h behind it; seconds without.
///
/// # Errors
/// A text that says what was expected.
pub fn parse_time(text: &str) -> Result<Duration, String> {
    let expected = || format!("`{text}` is not a time; write e.g. 500ms, 10s or 2m");
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(split);
    let seconds = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(expected()),
    };
    let number: f64 = digits.parse().map_err(|_| expected())?;
    let time = Duration::try_from_secs_f64(number * seconds).map_err(|_| expected())?;
    if time.is_zero() {
        return Err(format!("`{text}` leaves no time to run"));
    }
    Ok(time)
}

/// A size in the largest unit that it has one of, to a tenth.
#[must_use]
pub fn show_size(bytes: u64) -> String {
    let units = [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")];
    match units.iter().find(|(shift, _)| bytes >= 1 << shift) {
        None => format!("{bytes} bytes"),
        Some((shift, unit)) if bytes.is_multiple_of(1 << shift) => {
            format!("{} {unit}", bytes >> shift)
        }
        Some((shift, unit)) => format!("{:.1} {unit}", bytes as f64 / (1_u64 << shift) as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("64k", 64 << 10),
            ("128M", 128 << 20),
            ("128MiB", 128 << 20),
            ("2G", 2 << 30),
            ("1T", 1 << 40),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in [
            "",
            "M",
            "-1M",
            "1.5G",
            "12X",
            "99999999999999999999",
            "99999999999T",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("2m", 120_000),
            ("1.5", 1500),
        ] {
            assert_eq!(
                parse_time(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        for text in ["", "s", "-1s", "1d", "0", "0ms", "1..2s", "1e3s"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn shown_sizes() {
        assert_eq!(show_size(128 << 20), "128 MiB");
        assert_eq!(show_size(5000), "4.9 KiB");
        assert_eq!(show_size(24_684_096 << 10), "23.5 GiB");
        assert_eq!(show_size(100), "100 bytes");
    }
}

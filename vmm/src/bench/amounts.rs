//! Figures as people read them.

use super::engines::Unit;

/// A figure with its unit.
#[must_use]
pub fn show(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Nanoseconds => scaled(value, 1e3, &["ns", "µs", "ms", "s"]),
        Unit::Bytes => scaled(value, 1024.0, &["B", "KiB", "MiB", "GiB"]),
        Unit::Instructions => grouped(value),
    }
}

/// A ratio; small ones as one of so many.
#[must_use]
pub fn ratio(value: f64) -> String {
    if value > 0.0 && value < 0.0995 {
        format!("1/{}", digits(1.0 / value))
    } else {
        format!("{}×", digits(value))
    }
}

fn scaled(mut value: f64, step: f64, units: &[&str]) -> String {
    let mut at = 0;
    // What would be shown as a full step is shown in the next unit.
    while value >= step * 0.9995 && at + 1 < units.len() {
        value /= step;
        at += 1;
    }
    format!("{} {}", digits(value), units[at])
}

/// Three digits that count.
fn digits(value: f64) -> String {
    match value {
        99.95.. => format!("{value:.0}"),
        9.995.. => format!("{value:.1}"),
        0.0995.. => format!("{value:.2}"),
        0.0 => "0".to_owned(),
        _ => format!("{value:.4}"),
    }
}

/// A whole number with a comma every three digits.
fn grouped(value: f64) -> String {
    let plain = format!("{value:.0}");
    let mut shown = String::new();
    for (at, digit) in plain.chars().enumerate() {
        if at > 0 && (plain.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_a_unit() {
        for (value, shown) in [
            (0.0, "0 ns"),
            (14.25, "14.2 ns"),
            (999.9, "1.00 µs"),
            (12_345.0, "12.3 µs"),
            (250e6, "250 ms"),
            (7.2e12, "7200 s"),
        ] {
            assert_eq!(show(value, Unit::Nanoseconds), shown);
        }
        assert_eq!(show(3_250_585.0, Unit::Bytes), "3.10 MiB");
        assert_eq!(show(246_475.0, Unit::Instructions), "246,475");
        assert_eq!(show(1_000.0, Unit::Instructions), "1,000");
        assert_eq!(show(12.0, Unit::Instructions), "12");
        assert_eq!(ratio(0.1), "0.10×");
        assert_eq!(ratio(0.02345), "1/42.6");
        assert_eq!(ratio(0.0), "0×");
        assert_eq!(ratio(41.04), "41.0×");
    }
}

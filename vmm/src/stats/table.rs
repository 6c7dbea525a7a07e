//! Figures as a table for people.

use super::{Figure, Report};
use std::fmt::Write;
use std::time::Duration;

/// Width of the column of names.
const NAMES: usize = 36;

pub fn show(report: &Report) -> String {
    let mut table = String::new();
    let _ = writeln!(
        table,
        "engine {}, ended by {}, status {}",
        report.engine, report.ending, report.status
    );
    heading(&mut table, "guest");
    match &report.guest {
        Ok(figures) => figures.iter().for_each(|figure| row(&mut table, figure)),
        Err(reason) => missing(&mut table, "counters", reason),
    }
    for (title, calls) in [
        ("system calls by name", &report.system_calls),
        (
            "system calls answered with ENOSYS",
            &report.system_calls_missing,
        ),
    ] {
        if !calls.is_empty() {
            heading(&mut table, title);
            let mut calls: Vec<_> = calls.iter().collect();
            calls.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), name.clone()));
            calls
                .iter()
                .for_each(|(name, count)| line(&mut table, name, *count));
        }
    }
    heading(&mut table, "vm_exits: exits from the guest");
    match &report.exits {
        Ok(exits) => {
            let _ = writeln!(
                table,
                "  {:NAMES$} {:>16} {:>12} {:>12} {:>12}",
                "reason", "count", "sum", "min", "max"
            );
            for (reason, figures) in exits {
                let _ = writeln!(
                    table,
                    "  {reason:NAMES$} {:>16} {:>12} {:>12} {:>12}",
                    grouped(figures.count),
                    time(figures.sum),
                    time(figures.minimum),
                    time(figures.maximum)
                );
            }
        }
        Err(reason) => missing(&mut table, "vm_exits", reason),
    }
    heading(&mut table, "KVM's own statistics");
    match &report.engine_figures {
        Ok(figures) => {
            // Most of them are zero, and KVM has a hundred; the other formats have all.
            let used = figures.iter().filter(|(_, value)| *value != 0);
            used.for_each(|(name, value)| line(&mut table, name, *value));
        }
        Err(reason) => missing(&mut table, "statistics", reason),
    }
    for (title, figures) in [
        ("start, from the start of the process", &report.phases),
        ("memory of the host", &report.memory),
        ("hardware counters, guest only", &report.hardware),
    ] {
        heading(&mut table, title);
        figures.iter().for_each(|figure| row(&mut table, figure));
    }
    table
}

fn heading(table: &mut String, title: &str) {
    let _ = writeln!(table, "\n{title}");
}

fn row(table: &mut String, figure: &Figure) {
    match &figure.value {
        Ok(value) => line(table, figure.name, *value),
        Err(reason) => missing(table, figure.name, reason),
    }
}

fn line(table: &mut String, name: &str, value: u64) {
    let _ = writeln!(table, "  {name:NAMES$} {:>16}", grouped(value));
}

fn missing(table: &mut String, name: &str, reason: &str) {
    let _ = writeln!(table, "  {name:NAMES$} {:>16}  {reason}", "-");
}

/// Digits in groups of three.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Three or four digits with a fitting unit.
fn time(time: Duration) -> String {
    match time.as_nanos() {
        nanoseconds @ 0..10_000 => format!("{nanoseconds} ns"),
        nanoseconds @ 10_000..10_000_000 => format!("{} µs", nanoseconds / 1000),
        nanoseconds => format!("{} ms", nanoseconds / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{empty, full};
    use super::*;
    use contract::counters::Counter;

    #[test]
    fn every_counter_is_shown_zeros_too() {
        let table = show(&full());
        for counter in Counter::ALL {
            assert!(
                table.contains(&format!("\n  {} ", counter.name())),
                "{}",
                counter.name()
            );
        }
    }

    #[test]
    fn what_is_missing_has_its_reason() {
        assert!(show(&empty()).contains("not supported here"));
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(time(Duration::from_nanos(1234)), "1234 ns");
        assert_eq!(time(Duration::from_millis(12)), "12 ms");
    }
}

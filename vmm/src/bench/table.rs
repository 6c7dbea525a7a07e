//! The report as a table for a terminal.

use super::amounts;
use super::engines::{Engine, Unit};
use super::facts::RingZero;
use super::measures::Group;
use super::report::{PAIRS, Report, Row};
use std::fmt::Write as _;

/// Behind figures that say more about the host than about cowbell.
const MARK: &str = "*";

/// The table.
#[must_use]
pub fn show(report: &Report) -> String {
    let mut text = head(report);
    for (unit, title) in [
        (Unit::Nanoseconds, "TIME: median, least – greatest"),
        (Unit::Instructions, "GUEST INSTRUCTIONS"),
        (Unit::Bytes, "MEMORY"),
    ] {
        let engines = report.engines_in(unit);
        if !engines.is_empty() {
            let _ = write!(text, "\n{title}\n{}", table(report, unit, &engines));
        }
    }
    text.push_str(&starts(report));
    text.push_str(&missing(report));
    text
}

/// One line on what it means that ring 0 is emulated, where it is.
#[must_use]
pub fn warning(report: &Report) -> Option<String> {
    let RingZero::Emulated(speeds) = &report.facts.ring_zero else {
        return None;
    };
    Some(format!(
        "KVM EMULATES RING 0 ON THIS HOST: {:.1} million instructions a second in a guest's kernel, {:.1} billion in \
         its programs. Times marked {MARK} are bound by that: they say what the host's emulation costs, not what the \
         kernel does.",
        speeds.ring_0 / 1e6,
        speeds.ring_3 / 1e9
    ))
}

fn head(report: &Report) -> String {
    let facts = &report.facts;
    let mut text = format!(
        "cowbell {} on {}, {} CPUs, Linux {}",
        env!("CARGO_PKG_VERSION"),
        facts.processor,
        facts.cpus,
        facts.kernel
    );
    for version in [
        facts.qemu.clone(),
        facts
            .linux
            .as_ref()
            .map(|version| format!("compared with Linux {version}")),
    ]
    .into_iter()
    .flatten()
    {
        let _ = write!(text, "; {version}");
    }
    let rounds = if report.rounds == 1 {
        "round"
    } else {
        "rounds"
    };
    let quick = if report.quick { " (--quick)" } else { "" };
    let _ = writeln!(
        text,
        "\n{} {rounds}{quick}; ratios are medians of pairs taken in the same round",
        report.rounds
    );
    if let Some(warning) = warning(report) {
        let _ = writeln!(text, "{warning}");
    }
    for participant in &report.participants {
        if participant.reason.is_none() {
            let engine = participant.engine;
            let _ = writeln!(text, "  {:13} {}", engine.name(), engine.help());
        }
    }
    text
}

/// The measures that an engine takes in a unit.
fn table(report: &Report, unit: Unit, engines: &[Engine]) -> String {
    let pairs: Vec<(Engine, Engine)> = PAIRS
        .into_iter()
        .filter(|pair| {
            report
                .rows
                .iter()
                .any(|row| row.measure.unit(pair.0) == unit && report.ratio(row, *pair).is_some())
        })
        .collect();
    let mut lines = vec![vec![String::new()]];
    lines[0].extend(engines.iter().map(|engine| engine.name().to_owned()));
    lines[0].extend(
        pairs
            .iter()
            .map(|(of, to)| format!("{} : {}", of.name(), to.name())),
    );
    for group in Group::ALL {
        let rows = report.rows.iter().filter(|row| row.measure.group == group);
        let rows: Vec<&Row> = rows
            .filter(|row| {
                engines
                    .iter()
                    .any(|engine| row.measure.unit(*engine) == unit)
            })
            .collect();
        if !rows.is_empty() {
            lines.push(vec![format!("─ {}", group.title())]);
        }
        for row in rows {
            let mut line = vec![row.measure.name.clone()];
            line.extend(
                engines
                    .iter()
                    .map(|engine| cell(report, row, *engine, unit)),
            );
            line.extend(pairs.iter().map(|pair| {
                let shown = report
                    .ratio(row, *pair)
                    .filter(|_| row.measure.unit(pair.0) == unit);
                shown.map_or_else(String::new, |ratio| amounts::ratio(ratio.median))
            }));
            lines.push(line);
        }
    }
    aligned(&lines)
}

fn cell(report: &Report, row: &Row, engine: Engine, unit: Unit) -> String {
    let summary = report.cell(row, engine).and_then(|cell| cell.summary());
    match summary.filter(|_| row.measure.unit(engine) == unit) {
        None => "–".to_owned(),
        Some(summary) => {
            let mark = if report.is_marked(&row.measure, engine) {
                MARK
            } else {
                ""
            };
            let median = amounts::show(summary.median, unit);
            if summary.minimum == summary.maximum {
                return format!("{median}{mark}");
            }
            let spread = [summary.minimum, summary.maximum]
                .map(|value| amounts::show(value, unit).replace(' ', ""));
            format!("{median}{mark} {}–{}", spread[0], spread[1])
        }
    }
}

/// Columns as wide as their widest cell: the first one to the left, the others to the right.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = lines.iter().filter(|line| line.len() > 1);
        cells
            .filter_map(|line| line.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        let mut shown = String::new();
        for (column, cell) in line.iter().enumerate() {
            let _ = match column {
                0 => write!(shown, "{cell:0$}", widths[0]),
                _ => write!(shown, "  {cell:>0$}", widths[column]),
            };
        }
        let _ = writeln!(text, "{}", shown.trim_end());
    }
    text
}

fn starts(report: &Report) -> String {
    let mut text = String::new();
    for start in &report.starts {
        let _ = writeln!(
            text,
            "\nSTART on {}: {}",
            start.engine.name(),
            start.engine.help()
        );
        for (step, time) in &start.steps {
            let _ = writeln!(
                text,
                "  {:>9}  {step}",
                amounts::show(*time, Unit::Nanoseconds)
            );
        }
    }
    text
}

/// What is not there, and why.
fn missing(report: &Report) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (column, participant) in report.participants.iter().enumerate() {
        let name = participant.engine.name();
        if let Some(reason) = &participant.reason {
            lines.push(format!("  {name:13} {reason}"));
            continue;
        }
        let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
        for row in &report.rows {
            let cell = &row.cells[column];
            if let (true, Some(reason)) = (cell.samples.is_empty(), &cell.reason) {
                let measure = row.measure.name.as_str();
                match reasons.iter_mut().find(|(known, _)| known == reason) {
                    Some((_, measures)) => measures.push(measure),
                    None => reasons.push((reason, vec![measure])),
                }
            }
        }
        for (reason, measures) in reasons {
            lines.push(format!("  {name:13} {}: {reason}", measures.join(", ")));
        }
    }
    if lines.is_empty() {
        String::new()
    } else {
        format!("\nNOT THERE\n{}\n", lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn everything_is_in_it() {
        let report = report(1.0);
        let text = show(&report);
        for row in &report.rows {
            assert!(text.contains(&row.measure.name), "{}", row.measure.name);
        }
        for engine in Engine::ALL {
            assert!(text.contains(engine.name()));
        }
        assert!(text.contains("KVM EMULATES RING 0") && text.contains("linux-kvm     a <reason>"));
        // Times and counts stand in tables of their own.
        let (times, counts) = text.split_once("GUEST INSTRUCTIONS").expect("both");
        let head = |text: &str| text.lines().nth(1).unwrap_or_default().to_owned();
        assert!(head(counts).contains("linux-icount") && !head(counts).contains("host"));
        assert!(times.contains("ns*") && !counts.contains("ns*"));
    }

    #[test]
    fn columns_are_aligned() {
        let lines = [
            vec!["a".into(), "µs".into()],
            vec!["bcd".into(), "1234".into()],
        ];
        assert_eq!(aligned(&lines), "a      µs\nbcd  1234\n");
    }
}

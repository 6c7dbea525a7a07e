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
        (
            Unit::Nanoseconds,
            "TIME: median ± half the range of the middle half",
        ),
        (Unit::Instructions, "GUEST INSTRUCTIONS"),
        (Unit::Bytes, "MEMORY"),
    ] {
        let engines = report.engines_in(unit);
        if !engines.is_empty() {
            let _ = write!(text, "\n{title}\n{}", table(report, unit, &engines));
        }
    }
    text.push_str(&ratios(report));
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
            let _ = write!(text, "  {:13} {}", engine.name(), engine.help());
            if participant.left_out > 0 {
                let runs = participant.left_out;
                let _ = write!(
                    text,
                    "; its share of the time was used up, {runs} of its runs left out"
                );
            }
            text.push('\n');
        }
    }
    text
}

/// The measures that engines take in a unit.
fn table(report: &Report, unit: Unit, engines: &[Engine]) -> String {
    let mut head = vec![String::new()];
    head.extend(engines.iter().map(|engine| engine.name().to_owned()));
    by_group(report, head, |row| {
        engines
            .iter()
            .any(|engine| row.measure.unit(*engine) == unit)
            .then(|| {
                let cells = engines.iter();
                cells
                    .map(|engine| cell(report, row, *engine, unit))
                    .collect()
            })
    })
}

/// How many times as much one engine takes as another.
fn ratios(report: &Report) -> String {
    let has = |pair: &(Engine, Engine)| {
        report
            .rows
            .iter()
            .any(|row| report.ratio(row, *pair).is_some())
    };
    let pairs: Vec<(Engine, Engine)> = PAIRS.into_iter().filter(has).collect();
    if pairs.is_empty() {
        return String::new();
    }
    let mut head = vec![String::new()];
    head.extend(
        pairs
            .iter()
            .map(|(of, to)| format!("{}:{}", of.name(), to.name())),
    );
    let table = by_group(report, head, |row| {
        let cells: Vec<Option<String>> = pairs
            .iter()
            .map(|pair| {
                let ratio = amounts::ratio(report.ratio(row, *pair)?.median);
                let marked = report.is_marked(&row.measure, pair.0) && !pair.1.on_kvm();
                Some(if marked { ratio + MARK } else { ratio })
            })
            .collect();
        let shown = |cell: Option<String>| cell.unwrap_or_else(|| "–".to_owned());
        cells
            .iter()
            .any(Option::is_some)
            .then(|| cells.into_iter().map(shown).collect())
    });
    format!("\nRATIOS: how many times as much the first takes as the second\n{table}")
}

/// A line for each measure that has cells, under the headings of their groups.
fn by_group(
    report: &Report,
    head: Vec<String>,
    cells: impl Fn(&Row) -> Option<Vec<String>>,
) -> String {
    let mut lines = vec![head];
    for group in Group::ALL {
        let mut heading = Some(vec![format!("─ {}", group.title())]);
        for row in report.rows.iter().filter(|row| row.measure.group == group) {
            if let Some(cells) = cells(row) {
                lines.extend(heading.take());
                let name = row.measure.name.clone();
                lines.push(std::iter::once(name).chain(cells).collect());
            }
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
            let half = (summary.upper_quartile - summary.lower_quartile) / 2.0;
            let spread = if half > 0.0 && summary.median > 0.0 {
                format!(" ±{:.0}%", 100.0 * half / summary.median)
            } else {
                String::new()
            };
            format!("{median}{mark}{spread}")
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

/// What is not there, and why: engines first, then measures, those with the same reason together.
fn missing(report: &Report) -> String {
    let mut engines: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut measures: Vec<(&str, [Vec<&str>; 2])> = Vec::new();
    for (column, participant) in report.participants.iter().enumerate() {
        let name = participant.engine.name();
        if let Some(reason) = &participant.reason {
            match engines.iter_mut().find(|(known, _)| known == reason) {
                Some((_, names)) => names.push(name),
                None => engines.push((reason, vec![name])),
            }
            continue;
        }
        for row in &report.rows {
            let cell = &row.cells[column];
            let (true, Some(reason)) = (cell.samples.is_empty(), &cell.reason) else {
                continue;
            };
            let at = measures.iter().position(|(known, _)| known == reason);
            let at = at.unwrap_or_else(|| {
                measures.push((reason, [vec![], vec![]]));
                measures.len() - 1
            });
            for (names, name) in measures[at]
                .1
                .iter_mut()
                .zip([row.measure.name.as_str(), name])
            {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for (reason, names) in engines {
        lines.push(format!("  {}: {reason}", names.join(", ")));
    }
    for (reason, [measures, engines]) in measures {
        lines.push(format!(
            "  {} on {}: {reason}",
            measures.join(", "),
            engines.join(", ")
        ));
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
        assert!(text.contains("KVM EMULATES RING 0") && text.contains("linux-kvm: a <reason>"));
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

//! The report as one page that needs nothing else: no script, no network.

use super::amounts;
use super::engines::{Engine, Unit};
use super::measures::Group;
use super::plots;
use super::report::{PAIRS, Report};
use super::table;
use std::fmt::Write as _;

/// Colours and layout.
const STYLE: &str = include_str!("bench.css");

/// The page.
#[must_use]
pub fn show(report: &Report) -> String {
    let mut body = head(report);
    body.push_str(&by_size(report));
    body.push_str(&ratios(report));
    if let Some(plot) = plots::starts(&report.starts) {
        let line = "A small program from the start of the monitor's process to its end; each bar is the whole of its own \
                    run.";
        let _ = write!(
            body,
            "<section><h2>The start in steps</h2><p>{line}</p>{plot}</section>"
        );
    }
    for (unit, title) in [
        (Unit::Nanoseconds, "Time"),
        (Unit::Instructions, "Guest instructions"),
        (Unit::Bytes, "Memory"),
    ] {
        body.push_str(&figures(report, unit, title));
    }
    body.push_str(&missing(report));
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>cowbell bench</title>\
         <style>\n{STYLE}</style></head><body><main>\n{body}</main></body></html>\n"
    )
}

fn head(report: &Report) -> String {
    let facts = &report.facts;
    let mut body = String::from(
        "<h1>cowbell bench</h1>\n<p>What processes cost on every engine of this host. Less is better, everywhere.</p>\n<dl>",
    );
    let rounds = format!(
        "{}{}",
        report.rounds,
        if report.quick { " (--quick)" } else { "" }
    );
    for (name, value) in [
        ("cowbell", Some(env!("CARGO_PKG_VERSION").to_owned())),
        (
            "processor",
            Some(format!("{}, {} CPUs", facts.processor, facts.cpus)),
        ),
        ("host", Some(format!("Linux {}", facts.kernel))),
        ("ring 0 on KVM", Some(facts.ring_zero.name().to_owned())),
        ("QEMU", facts.qemu.clone()),
        (
            "compared with",
            facts
                .linux
                .as_ref()
                .map(|version| format!("Linux {version}")),
        ),
        ("rounds", Some(rounds)),
    ] {
        if let Some(value) = value {
            let _ = write!(body, "<dt>{name}</dt><dd>{}</dd>", escape(&value));
        }
    }
    body.push_str("</dl>\n");
    if let Some(warning) = table::warning(report) {
        let _ = writeln!(body, "<p class=\"warning\">{}</p>", escape(&warning));
    }
    body
}

/// Plots of fork against the size of the parent.
fn by_size(report: &Report) -> String {
    let mut plots = String::new();
    for (what, title) in [("fork", "fork"), ("fork+exit+wait", "fork + exit + wait")] {
        for (unit, of) in [
            (Unit::Instructions, "guest instructions"),
            (Unit::Nanoseconds, "time"),
        ] {
            if let Some(plot) = plots::by_size(report, what, unit) {
                section(&mut plots, &format!("{title}: {of}"), "", &plot);
            }
        }
    }
    side_by_side(
        "By size of the parent",
        "What a fork costs a process that has touched so much memory; both axes are logarithmic.",
        &plots,
    )
}

/// Plots of one engine against another.
fn ratios(report: &Report) -> String {
    let mut plots = String::new();
    for pair in PAIRS {
        if let Some(plot) = plots::ratios(report, pair) {
            let (of, to) = pair;
            let title = format!("{} against {}", of.name(), to.name());
            section(
                &mut plots,
                &title,
                &format!("{}: {}", of.help(), to.help()),
                &plot,
            );
        }
    }
    side_by_side(
        "One against another",
        "How many times as much the first takes as the second: medians of pairs taken in the same round, with the \
         least and the greatest. Left of 1× it takes less.",
        &plots,
    )
}

/// A heading and a line over plots, if there are any.
fn side_by_side(title: &str, line: &str, plots: &str) -> String {
    if plots.is_empty() {
        return String::new();
    }
    format!("<section><h2>{title}</h2><p>{line}</p><div class=\"plots\">{plots}</div></section>\n")
}

/// A heading, a line, and a plot.
fn section(body: &mut String, title: &str, line: &str, plot: &str) {
    let _ = write!(body, "<section><h3>{}</h3>", escape(title));
    if !line.is_empty() {
        let _ = write!(body, "<p>{}</p>", escape(line));
    }
    let _ = writeln!(body, "{plot}</section>");
}

fn figures(report: &Report, unit: Unit, title: &str) -> String {
    let engines = report.engines_in(unit);
    if engines.is_empty() {
        return String::new();
    }
    let mut body = format!(
        "<section><h2>{title}</h2><div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"{title}\">\
             <table><thead><tr><th scope=\"col\">measure</th>"
    );
    for engine in &engines {
        let _ = write!(
            body,
            "<th scope=\"col\" title=\"{}\">{}</th>",
            escape(engine.help()),
            engine.name()
        );
    }
    body.push_str("</tr></thead><tbody>\n");
    for group in Group::ALL {
        let rows = report.rows.iter().filter(|row| {
            row.measure.group == group
                && engines
                    .iter()
                    .any(|engine| row.measure.unit(*engine) == unit)
        });
        for (index, row) in rows.enumerate() {
            if index == 0 {
                let columns = engines.len() + 1;
                let _ = writeln!(
                    body,
                    "<tr><th class=\"group\" scope=\"colgroup\" colspan=\"{columns}\">{}</th></tr>",
                    group.title()
                );
            }
            let measure = &row.measure;
            let help = escape(&measure.help);
            let _ = write!(
                body,
                "<tr><th scope=\"row\" title=\"{help}\">{}</th>",
                escape(&measure.name)
            );
            for engine in &engines {
                let cell = report.cell(row, *engine);
                let summary = cell.and_then(|cell| cell.summary());
                match summary.filter(|_| measure.unit(*engine) == unit) {
                    None => body.push_str("<td>–</td>"),
                    Some(summary) => {
                        let mark = if report.is_marked(measure, *engine) {
                            " *"
                        } else {
                            ""
                        };
                        let _ = write!(body, "<td>{}{mark}", amounts::show(summary.median, unit));
                        if summary.minimum < summary.maximum {
                            let [least, most] = [summary.minimum, summary.maximum]
                                .map(|value| amounts::show(value, unit));
                            let _ = write!(body, "<small>{least} – {most}</small>");
                        }
                        body.push_str("</td>");
                    }
                }
            }
            body.push_str("</tr>\n");
        }
    }
    body + "</tbody></table></div></section>\n"
}

fn missing(report: &Report) -> String {
    let mut body = String::from("<section><h2>Engines</h2><dl>");
    for participant in &report.participants {
        let engine: Engine = participant.engine;
        let _ = write!(
            body,
            "<dt class=\"e-{0}\">{0}</dt><dd>{1}",
            engine.name(),
            escape(engine.help())
        );
        if let Some(reason) = &participant.reason {
            let _ = write!(body, "<br><em>not there: {}</em>", escape(reason));
        }
        body.push_str("</dd>");
    }
    body + "</dl></section>\n"
}

/// Text as it stands in HTML.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn the_page_needs_nothing_else() {
        let page = show(&report(1.0));
        for outside in ["<script", "<link", "src=", "url(", "@import", "https://"] {
            assert!(!page.contains(outside), "{outside}");
        }
        // The one address is the name of SVG's namespace.
        let addresses: Vec<_> = page.match_indices("http://").collect();
        assert!(
            addresses
                .iter()
                .all(|(at, _)| page[*at..].starts_with("http://www.w3.org/2000/svg"))
        );
        assert!(page.contains("prefers-color-scheme: dark"));
        assert!(page.contains("a &lt;reason&gt; &amp; &quot;more&quot;"));
        for tag in ["section", "table", "svg", "g", "dl", "tr"] {
            let count = |text: String| page.matches(&text).count();
            let opened = count(format!("<{tag}>")) + count(format!("<{tag} "));
            assert_eq!(opened, count(format!("</{tag}>")), "{tag}");
        }
    }
}

//! Figures in Prometheus' text exposition format, version 0.0.4.

use super::json::nanoseconds;
use super::{Figure, Report};
use contract::counters::Kind;
use std::fmt::Write;

pub fn show(report: &Report) -> String {
    let mut text = Text::default();
    let status = [("engine", report.engine), ("ending", report.ending)];
    text.head(
        "run_status",
        "cowbell's exit status, and how the run ended",
        Kind::Gauge,
    );
    text.sample("run_status", &status, report.status.into());
    for figure in report.guest.iter().flatten() {
        text.figure(figure);
    }
    text.labelled(
        "system_calls_by_name",
        "System calls by name",
        "name",
        &report.system_calls,
    );
    text.labelled(
        "system_calls_missing_by_name",
        "System calls answered with ENOSYS, by name",
        "name",
        &report.system_calls_missing,
    );
    if let Ok(exits) = &report.exits {
        type Of = fn(&crate::machine::ExitFigures) -> u64;
        let metrics: [(&str, &str, Kind, Of); 4] = [
            (
                "vm_exits",
                "Exits from the guest by reason",
                Kind::Counter,
                |exit| exit.count,
            ),
            (
                "vm_exits_nanoseconds_sum",
                "Time outside the guest by reason",
                Kind::Counter,
                |exit| nanoseconds(exit.sum),
            ),
            (
                "vm_exits_nanoseconds_minimum",
                "Shortest time outside the guest by reason",
                Kind::Gauge,
                |exit| nanoseconds(exit.minimum),
            ),
            (
                "vm_exits_nanoseconds_maximum",
                "Longest time outside the guest by reason",
                Kind::Gauge,
                |exit| nanoseconds(exit.maximum),
            ),
        ];
        for (name, help, kind, of) in metrics {
            let name = full_name(name, kind);
            text.head(&name, help, kind);
            for (reason, figures) in exits {
                text.sample(&name, &[("reason", reason)], of(figures));
            }
        }
    }
    if let Ok(figures) = &report.engine_figures {
        // KVM mixes kinds that rise and fall; the type says the weaker.
        text.head("kvm_statistic", "KVM's own statistics by name", Kind::Gauge);
        for (name, value) in figures {
            text.sample("kvm_statistic", &[("name", name)], *value);
        }
    }
    for figure in report
        .phases
        .iter()
        .chain(&report.memory)
        .chain(&report.hardware)
    {
        text.figure(figure);
    }
    let unavailable = report.unavailable();
    if !unavailable.is_empty() {
        text.head(
            "unavailable",
            "Figures that this host or engine cannot give, and why",
            Kind::Gauge,
        );
        for (name, reason) in unavailable {
            text.sample("unavailable", &[("name", name), ("reason", reason)], 1);
        }
    }
    text.0
}

/// Names of metrics that only rise end so, by the conventions of Prometheus.
fn full_name(name: &str, kind: Kind) -> String {
    match kind {
        Kind::Counter => format!("{name}_total"),
        Kind::Gauge => name.to_owned(),
    }
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn figure(&mut self, figure: &Figure) {
        let Ok(value) = figure.value else { return };
        let name = full_name(figure.name, figure.kind);
        self.head(&name, figure.help, figure.kind);
        self.sample(&name, &[], value);
    }

    fn labelled(&mut self, name: &str, help: &str, label: &str, samples: &[(String, u64)]) {
        let name = full_name(name, Kind::Counter);
        self.head(&name, help, Kind::Counter);
        for (value, count) in samples {
            self.sample(&name, &[(label, value)], *count);
        }
    }

    fn head(&mut self, name: &str, help: &str, kind: Kind) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        let _ = writeln!(
            self.0,
            "# HELP cowbell_{name} {help}\n# TYPE cowbell_{name} {kind}"
        );
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        let _ = write!(self.0, "cowbell_{name}");
        for (index, (label, text)) in labels.iter().enumerate() {
            let text = text
                .replace('\\', r"\\")
                .replace('"', "\\\"")
                .replace('\n', r"\n");
            let _ = write!(
                self.0,
                "{}{label}=\"{text}\"",
                if index == 0 { '{' } else { ',' }
            );
        }
        let _ = writeln!(
            self.0,
            "{} {value}",
            if labels.is_empty() { "" } else { "}" }
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{empty, full};
    use super::*;
    use std::collections::HashSet;

    /// Each sample stands under its own HELP and TYPE, once, and names are of the allowed characters.
    #[test]
    fn the_format_is_kept() {
        for report in [full(), empty()] {
            let text = show(&report);
            let mut metric = String::new();
            let mut seen = HashSet::new();
            for line in text.lines() {
                if let Some(rest) = line.strip_prefix("# HELP ") {
                    metric = rest.split(' ').next().expect("a name").to_owned();
                    assert!(seen.insert(metric.clone()), "{metric} twice");
                } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                    let (name, kind) = rest.split_once(' ').expect("name and type");
                    assert_eq!(name, metric);
                    assert!(kind == "gauge" || name.ends_with("_total"), "{name}");
                } else {
                    let name = line.split(['{', ' ']).next().expect("a name");
                    assert_eq!(name, metric);
                    assert!(name.bytes().all(|byte| byte.is_ascii_lowercase()
                        || byte.is_ascii_digit()
                        || byte == b'_'));
                    let value = line.rsplit(' ').next().expect("a value");
                    assert!(value.parse::<u64>().is_ok(), "{line}");
                    assert!(
                        seen.insert(line.rsplit_once(' ').expect("a value").0.to_owned() + "="),
                        "{line}"
                    );
                }
            }
        }
    }

    #[test]
    fn labels_are_escaped() {
        let mut text = Text::default();
        text.sample("x", &[("a", "say \"hi\"\\\n")], 1);
        assert_eq!(text.0, "cowbell_x{a=\"say \\\"hi\\\"\\\\\\n\"} 1\n");
    }
}

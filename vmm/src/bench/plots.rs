//! Plots as inline SVG. Colours are the page's: each engine has a class, so that light and dark need one drawing.

use super::amounts;
use super::engines::{Engine, Unit};
use super::report::{Report, Row, Start};
use super::statistics::Summary;
use std::fmt::Write as _;

/// Width of every drawing: what a telephone's screen still shows legibly, and two of which stand side by side elsewhere.
const WIDTH: f64 = 480.0;
/// Room that a label at an axis of ratios takes.
const TICK: f64 = 58.0;

/// A cost against the size of the parent, both axes logarithmic, one line an engine. None without two sizes.
#[must_use]
pub fn by_size(report: &Report, what: &str, unit: Unit) -> Option<String> {
    const HEIGHT: f64 = 320.0;
    const LEFT: f64 = 90.0;
    const RIGHT: f64 = 126.0;
    const TOP: f64 = 14.0;
    const BOTTOM: f64 = 46.0;
    let prefix = format!("{what}@");
    let rows: Vec<(f64, &Row)> = report
        .rows
        .iter()
        .filter(|row| row.measure.name.starts_with(&prefix))
        .filter_map(|row| Some((f64::from(row.measure.size?), row)))
        .collect();
    let lines: Vec<(Engine, Vec<(f64, Summary)>)> = report
        .participants
        .iter()
        .map(|participant| participant.engine)
        .filter(|engine| engine.unit() == unit)
        .map(|engine| {
            let points = rows
                .iter()
                .filter_map(|(size, row)| Some((*size, report.cell(row, engine)?.summary()?)));
            (engine, points.collect())
        })
        .filter(|(_, points): &(Engine, Vec<_>)| !points.is_empty())
        .collect();
    let points = || lines.iter().flat_map(|(_, points)| points);
    let sizes = Axis::around(points().map(|(size, _)| *size))?;
    let costs =
        Axis::around(points().flat_map(|(_, cost)| [cost.minimum, cost.maximum]))?.to_decades();
    if sizes.low >= sizes.high {
        return None;
    }
    let x = |size: f64| LEFT + sizes.part(size) * (WIDTH - LEFT - RIGHT);
    let y = |cost: f64| HEIGHT - BOTTOM - costs.part(cost) * (HEIGHT - TOP - BOTTOM);
    let mut svg = open(HEIGHT, &format!("{what} by size of the parent"));
    for cost in costs.decades() {
        let _ = write!(
            svg,
            r#"<path class="grid" d="M{LEFT} {y:.1}H{right}"/><text x="{label}" y="{text:.1}" text-anchor="end">{shown}</text>"#,
            y = y(cost),
            right = WIDTH - RIGHT,
            label = LEFT - 8.0,
            text = y(cost) + 4.0,
            shown = amounts::show(cost, unit),
        );
    }
    for (size, _) in &rows {
        let _ = write!(
            svg,
            r#"<path class="grid" d="M{x:.1} {TOP}V{bottom}"/><text x="{x:.1}" y="{label}" text-anchor="middle">{size}</text>"#,
            x = x(*size),
            bottom = HEIGHT - BOTTOM,
            label = HEIGHT - BOTTOM + 18.0,
        );
    }
    let _ = write!(
        svg,
        r#"<text x="{:.1}" y="{}" text-anchor="middle">touched memory of the parent, MiB</text>"#,
        f64::midpoint(LEFT, WIDTH - RIGHT),
        HEIGHT - 6.0
    );
    // Names stand to the right, at the height of their lines' ends, moved apart where lines end together. A line that
    // ends early is led there.
    let mut labels: Vec<(Engine, [f64; 2], f64)> = lines
        .iter()
        .filter_map(|(engine, points)| {
            let (size, cost) = points.last()?;
            let height = y(cost.median);
            Some((*engine, [x(*size), height], height))
        })
        .collect();
    labels.sort_by(|a, b| a.2.total_cmp(&b.2));
    for at in 1..labels.len() {
        labels[at].2 = labels[at].2.max(labels[at - 1].2 + 15.0);
    }
    for (engine, points) in &lines {
        let name = engine.name();
        let path: Vec<String> = points
            .iter()
            .map(|(size, cost)| format!("{:.1} {:.1}", x(*size), y(cost.median)))
            .collect();
        let _ = write!(
            svg,
            r#"<g class="e-{name}"><path class="line" d="M{}"/>"#,
            path.join("L")
        );
        for (size, cost) in points {
            let _ = write!(
                svg,
                r#"<path class="spread" d="M{x:.1} {top:.1}V{bottom:.1}"/><circle cx="{x:.1}" cy="{y:.1}" r="4"><title>{name}, {size} MiB: {shown}</title></circle>"#,
                x = x(*size),
                y = y(cost.median),
                top = y(cost.maximum),
                bottom = y(cost.minimum),
                shown = amounts::show(cost.median, unit),
            );
        }
        svg.push_str("</g>");
    }
    let right = WIDTH - RIGHT;
    for (engine, [x, end], y) in labels {
        let (name, label) = (engine.name(), engine.label());
        let marked = rows
            .iter()
            .any(|(_, row)| report.is_marked(&row.measure, engine));
        let star = if marked { " *" } else { "" };
        if x < right {
            let _ = write!(
                svg,
                r#"<path class="e-{name} leader" d="M{x:.1} {end:.1}L{right} {y:.1}"/>"#
            );
        }
        let _ = write!(
            svg,
            r#"<text class="e-{name} name" x="{:.1}" y="{:.1}">{label}{star}</text>"#,
            right + 9.0,
            y + 4.0
        );
    }
    Some(svg + "</svg>")
}

/// A bar for each measure: how many times as much the first engine takes as the second, left of the middle where it
/// takes less. None where the two have nothing in common.
#[must_use]
pub fn ratios(report: &Report, pair: (Engine, Engine)) -> Option<String> {
    const LEFT: f64 = 190.0;
    const RIGHT: f64 = 62.0;
    const TOP: f64 = 26.0;
    const STEP: f64 = 20.0;
    let bars: Vec<(&Row, Summary)> = report
        .rows
        .iter()
        .filter_map(|row| Some((row, report.ratio(row, pair)?)))
        .filter(|(_, ratio)| ratio.median > 0.0)
        .collect();
    let axis = Axis::around(
        bars.iter()
            .flat_map(|(_, ratio)| [ratio.minimum.max(1e-9), ratio.maximum])
            .chain([0.5, 2.0]),
    )
    .filter(|_| !bars.is_empty())?
    .to_decades();
    let height = TOP + STEP * bars.len() as f64 + 6.0;
    let x = |ratio: f64| LEFT + axis.part(ratio) * (WIDTH - LEFT - RIGHT);
    let mut svg = open(
        height,
        &format!("{} against {}", pair.0.name(), pair.1.name()),
    );
    let every = (TICK / (x(10.0) - x(1.0))).ceil() as i32;
    for power in axis.powers() {
        let ratio = 10_f64.powi(power);
        let (x, top) = (x(ratio), TOP - 6.0);
        let class = if power == 0 { "axis" } else { "grid" };
        let _ = write!(svg, r#"<path class="{class}" d="M{x:.1} {top}V{height}"/>"#);
        if power % every == 0 {
            let _ = write!(
                svg,
                r#"<text x="{x:.1}" y="14" text-anchor="middle">{}</text>"#,
                tick(ratio)
            );
        }
    }
    for (index, (row, ratio)) in bars.iter().enumerate() {
        let y = TOP + STEP * index as f64;
        let (from, to) = (x(ratio.median.min(1.0)), x(ratio.median.max(1.0)));
        let name = &row.measure.name;
        let marked = report.is_marked(&row.measure, pair.0) && !pair.1.on_kvm();
        let class = match (marked, ratio.median <= 1.0) {
            (true, _) => "marked",
            (_, true) => "less",
            (_, false) => "more",
        };
        let shown = amounts::ratio(ratio.median);
        let _ = write!(
            svg,
            r#"<text x="{label}" y="{text:.1}" text-anchor="end">{name}{star}</text><rect class="{class}" x="{from:.1}" y="{top:.1}" width="{width:.1}" height="13"><title>{name}: {shown}</title></rect><path class="spread" d="M{least:.1} {middle:.1}H{most:.1}"/><text x="{value}" y="{text:.1}" text-anchor="end">{shown}</text>"#,
            label = LEFT - 10.0,
            text = y + 12.0,
            star = if marked { " *" } else { "" },
            top = y + 2.0,
            width = (to - from).max(1.0),
            least = x(ratio.minimum.max(1e-9)),
            most = x(ratio.maximum),
            middle = y + 8.5,
            value = WIDTH - 4.0,
        );
    }
    Some(svg + "</svg>")
}

/// A bar for each start, in steps: all of the same width, for some starts take a hundred times as long as others. What
/// each colour stands for, and how long it took, is a table below.
#[must_use]
pub fn starts(starts: &[Start]) -> Option<String> {
    const LEFT: f64 = 82.0;
    const RIGHT: f64 = 66.0;
    const STEP: f64 = 30.0;
    let starts: Vec<&Start> = starts.iter().filter(|start| start.total() > 0.0).collect();
    if starts.is_empty() {
        return None;
    }
    let known = steps(&starts);
    let mut svg = open(STEP * starts.len() as f64, "starts in steps");
    for (index, start) in starts.iter().enumerate() {
        let y = STEP * index as f64;
        let name = start.engine.name();
        let text = y + 18.0;
        let _ = write!(
            svg,
            r#"<text x="{}" y="{text}" text-anchor="end">{name}</text>"#,
            LEFT - 10.0,
        );
        let scale = (WIDTH - LEFT - RIGHT) / start.total();
        let mut x = LEFT;
        for (step, time) in &start.steps {
            let colour = known.iter().position(|other| other == step).unwrap_or(0);
            let _ = write!(
                svg,
                r#"<rect class="s-{colour}" x="{x:.1}" y="{y}" width="{width:.1}" height="24"><title>{step}: {shown}</title></rect>"#,
                y = y + 2.0,
                width = time * scale,
                shown = amounts::show(*time, Unit::Nanoseconds),
            );
            x += time * scale;
        }
        let shown = amounts::show(start.total(), Unit::Nanoseconds);
        let _ = write!(svg, r#"<text x="{:.1}" y="{text}">{shown}</text>"#, x + 8.0);
    }
    svg.push_str("</svg>");
    Some(svg + &steps_table(&starts, &known))
}

/// The steps of all starts, each once.
fn steps(starts: &[&Start]) -> Vec<&'static str> {
    let mut known: Vec<&str> = Vec::new();
    for (step, _) in starts.iter().flat_map(|start| &start.steps) {
        if !known.contains(step) {
            known.push(step);
        }
    }
    known
}

/// A line for each step, a column for each start.
fn steps_table(starts: &[&Start], known: &[&str]) -> String {
    let mut table = String::from(
        "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"starts in steps\"><table class=\"steps\"><thead><tr><th scope=\"col\">step</th>",
    );
    for start in starts {
        let _ = write!(table, "<th scope=\"col\">{}</th>", start.engine.name());
    }
    table.push_str("</tr></thead><tbody>\n");
    for (colour, step) in known.iter().enumerate() {
        let _ = write!(
            table,
            "<tr><th scope=\"row\"><i class=\"key s-{colour}\"></i>{step}</th>"
        );
        for start in starts {
            let time = start.steps.iter().find(|(other, _)| other == step);
            let shown = time.map(|(_, time)| amounts::show(*time, Unit::Nanoseconds));
            let _ = write!(table, "<td>{}</td>", shown.as_deref().unwrap_or("–"));
        }
        table.push_str("</tr>\n");
    }
    table + "</tbody></table></div>"
}

fn open(height: f64, title: &str) -> String {
    format!(
        r#"<svg viewBox="0 0 {WIDTH} {height:.0}" role="img" aria-label="{title}" xmlns="http://www.w3.org/2000/svg">"#
    )
}

/// How a power of ten stands at an axis of ratios.
fn tick(ratio: f64) -> String {
    if ratio < 1.0 {
        format!("1/{:.0}", 1.0 / ratio)
    } else {
        format!("{ratio:.0}×")
    }
}

/// A logarithmic axis.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    /// Logarithms to the base 10 of its ends.
    low: f64,
    high: f64,
}

impl Axis {
    /// One that holds these values; none where there are none, or where one has no logarithm.
    fn around(values: impl Iterator<Item = f64>) -> Option<Self> {
        let logarithms: Vec<f64> = values.map(f64::log10).collect();
        let (low, high) = logarithms
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(*value), high.max(*value))
            });
        (low.is_finite() && high.is_finite()).then_some(Self { low, high })
    }

    /// With powers of ten at its ends.
    fn to_decades(self) -> Self {
        let low = self.low.floor();
        Self {
            low,
            high: self.high.ceil().max(low + 1.0),
        }
    }

    /// The exponents of the powers of ten on it.
    fn powers(self) -> impl Iterator<Item = i32> {
        self.low.ceil() as i32..=self.high.floor() as i32
    }

    /// The powers of ten on it.
    fn decades(self) -> impl Iterator<Item = f64> {
        self.powers().map(|power| 10_f64.powi(power))
    }

    /// Where a value lies between its ends.
    fn part(self, value: f64) -> f64 {
        (value.log10() - self.low) / (self.high - self.low)
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn axes() {
        let axis = Axis::around([30.0, 2000.0].into_iter())
            .expect("values")
            .to_decades();
        assert_eq!(
            axis,
            Axis {
                low: 1.0,
                high: 4.0
            }
        );
        assert_eq!(
            axis.decades().collect::<Vec<f64>>(),
            [10.0, 100.0, 1000.0, 10_000.0]
        );
        assert_eq!(axis.part(100.0), 1.0 / 3.0);
        assert_eq!(Axis::around([0.0].into_iter()), None);
        assert_eq!(Axis::around(std::iter::empty()), None);
        assert_eq!(
            (tick(0.01), tick(1.0), tick(100.0)),
            ("1/100".into(), "1×".into(), "100×".into())
        );
    }

    #[test]
    fn every_engine_and_measure_is_drawn() {
        let report = report(1.0);
        let svg = by_size(&report, "fork", Unit::Instructions).expect("a plot");
        assert!(svg.contains("e-icount") && svg.contains("e-linux-icount"));
        assert!(!svg.contains("e-host") && !svg.contains("NaN") && !svg.contains("inf"));
        let svg = ratios(&report, (Engine::CowbellTcg, Engine::LinuxTcg)).expect("a plot");
        assert!(svg.contains("getppid") && svg.contains("class=\"less\""));
        assert!(ratios(&report, (Engine::CowbellKvm, Engine::LinuxKvm)).is_none());
        let svg = starts(&report.starts).expect("a plot");
        assert!(svg.contains("3.00 ms") && svg.contains("s-1"));
        assert!(starts(&[]).is_none());
    }
}

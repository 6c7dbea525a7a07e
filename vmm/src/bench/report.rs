//! Everything that was found out, before it is shown.

use super::engines::{Engine, Unit};
use super::facts::Facts;
use super::measures::{Bound, Measure};
use super::statistics::{Sample, Summary, ratios};

/// Pairs that are compared: how many times the second the first takes.
pub const PAIRS: [(Engine, Engine); 7] = [
    (Engine::CowbellKvm, Engine::CowbellTcg),
    (Engine::CowbellKvm, Engine::CowbellQemuKvm),
    (Engine::CowbellKvm, Engine::CowbellQ35Kvm),
    (Engine::CowbellKvm, Engine::LinuxKvm),
    (Engine::CowbellKvm, Engine::Host),
    (Engine::CowbellTcg, Engine::LinuxTcg),
    (Engine::CowbellIcount, Engine::LinuxIcount),
];

/// Samples of one measure on one engine.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// The samples.
    pub samples: Vec<Sample>,
    /// Why there are none; or why there are fewer.
    pub reason: Option<String>,
}

impl Cell {
    /// What they come to.
    #[must_use]
    pub fn summary(&self) -> Option<Summary> {
        Summary::of(self.samples.iter().map(|(_, value)| *value))
    }
}

/// An engine, and why it took no part, where it did not.
#[derive(Clone, Debug)]
pub struct Participant {
    /// The engine.
    pub engine: Engine,
    /// Why it took no part, or no part any more.
    pub reason: Option<String>,
    /// Runs left out because its share of the time was used up.
    pub left_out: usize,
}

/// A measure on all engines, in their order.
#[derive(Clone, Debug)]
pub struct Row {
    /// The measure.
    pub measure: Measure,
    /// One for each participant.
    pub cells: Vec<Cell>,
}

/// Steps of a start, one after the other.
#[derive(Clone, Debug)]
pub struct Start {
    /// The engine.
    pub engine: Engine,
    /// Name and nanoseconds of each.
    pub steps: Vec<(&'static str, f64)>,
}

impl Start {
    /// Nanoseconds of all steps.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.steps.iter().map(|(_, time)| time).sum()
    }
}

/// All of it.
#[derive(Clone, Debug)]
pub struct Report {
    /// Seconds since 1970 when it was begun.
    pub time: u64,
    /// Whether it was a quick one.
    pub quick: bool,
    /// Rounds.
    pub rounds: usize,
    /// What the host is.
    pub facts: Facts,
    /// The engines.
    pub participants: Vec<Participant>,
    /// The measures.
    pub rows: Vec<Row>,
    /// Starts in steps.
    pub starts: Vec<Start>,
}

impl Report {
    /// The cell of a measure on an engine.
    #[must_use]
    pub fn cell<'a>(&self, row: &'a Row, engine: Engine) -> Option<&'a Cell> {
        let at = self
            .participants
            .iter()
            .position(|participant| participant.engine == engine)?;
        row.cells.get(at)
    }

    /// How many times as much an engine takes as another, pair by pair. None where they count different things.
    #[must_use]
    pub fn ratio(&self, row: &Row, (of, to): (Engine, Engine)) -> Option<Summary> {
        if row.measure.unit(of) != row.measure.unit(to) {
            return None;
        }
        ratios(&self.cell(row, of)?.samples, &self.cell(row, to)?.samples)
    }

    /// Whether what is slow here is the host's emulation of ring 0.
    #[must_use]
    pub fn is_marked(&self, measure: &Measure, engine: Engine) -> bool {
        self.facts.emulated() && engine.on_kvm() && measure.bound == Bound::Kernel
    }

    /// Whether there is any sample at all.
    #[must_use]
    pub fn has_samples(&self) -> bool {
        let mut cells = self.rows.iter().flat_map(|row| &row.cells);
        cells.any(|cell| !cell.samples.is_empty())
    }

    /// Engines that gave samples in a unit, in order.
    #[must_use]
    pub fn engines_in(&self, unit: Unit) -> Vec<Engine> {
        let gave = |engine: Engine| {
            self.rows.iter().any(|row| {
                row.measure.unit(engine) == unit
                    && self
                        .cell(row, engine)
                        .is_some_and(|cell| !cell.samples.is_empty())
            })
        };
        self.participants
            .iter()
            .map(|participant| participant.engine)
            .filter(|engine| gave(*engine))
            .collect()
    }
}

#[cfg(test)]
pub mod tests {
    use super::super::facts::{RingZero, Speeds};
    use super::super::measures;
    use super::*;

    /// A report in which every measure on every engine took `scale` times something, but one has no sample.
    pub fn report(scale: f64) -> Report {
        let participants: Vec<Participant> = Engine::ALL
            .iter()
            .map(|&engine| Participant {
                engine,
                reason: (engine == Engine::LinuxKvm).then(|| "a <reason> & \"more\"".to_owned()),
                left_out: usize::from(engine == Engine::CowbellQ35Kvm),
            })
            .collect();
        let rows = measures::all(&measures::SIZES)
            .into_iter()
            .enumerate()
            .map(|(row, measure)| Row {
                cells: Engine::ALL
                    .iter()
                    .enumerate()
                    .map(|(column, &engine)| {
                        if engine == Engine::LinuxKvm {
                            return Cell {
                                samples: vec![],
                                reason: Some("not there".to_owned()),
                            };
                        }
                        let value = scale * (row + 1) as f64 * 10_f64.powi(column as i32);
                        Cell {
                            samples: vec![(0, value * 0.99), (1, value), (2, value * 1.01)],
                            reason: None,
                        }
                    })
                    .collect(),
                measure,
            })
            .collect();
        Report {
            time: 1_700_000_000,
            quick: false,
            rounds: 3,
            facts: Facts {
                processor: "A processor".to_owned(),
                cpus: 2,
                memory: Some(8 << 30),
                kernel: "6.1.0".to_owned(),
                ring_zero: RingZero::Emulated(Speeds {
                    ring_0: 2e6,
                    ring_3: 3e9,
                }),
                tsc_hertz: 2.5e9,
                qemu: None,
                linux: Some("6.1.0".to_owned()),
            },
            participants,
            rows,
            starts: vec![Start {
                engine: Engine::CowbellKvm,
                steps: vec![("engine", 1e6), ("kernel", 2e6)],
            }],
        }
    }

    #[test]
    fn counts_and_times_are_never_compared() {
        let report = report(1.0);
        let row = &report.rows[10];
        assert!(report.ratio(row, PAIRS[0]).is_some());
        let mixed = (Engine::CowbellKvm, Engine::CowbellIcount);
        assert_eq!(report.ratio(row, mixed), None);
        let counted = report.engines_in(Unit::Instructions);
        assert_eq!(counted, [Engine::CowbellIcount, Engine::LinuxIcount]);
        assert!(
            !report
                .engines_in(Unit::Nanoseconds)
                .contains(&Engine::LinuxKvm)
        );
    }
}

//! The figures of a run: guest counters and what the host saw. Gathered once, shown in three formats under the same
//! names.

mod json;
mod prometheus;
mod table;

use crate::command_line::StatsFormat;
use crate::ending::Ending;
use crate::machine::{ExitFigures, Outcome};
use crate::records::{Counters, Presence};
use contract::counters::{Counter, Kind};

/// A figure with a name of its own.
pub struct Figure {
    /// Name, its unit at the end.
    pub name: &'static str,
    /// One line that says what it is.
    pub help: &'static str,
    /// Whether it can fall.
    pub kind: Kind,
    /// Its value; or why there is none.
    pub value: Result<u64, String>,
}

/// All figures of a run.
pub struct Report {
    /// What ran the guest: `kvm` or `tcg`.
    pub engine: &'static str,
    /// How it ended, in a word.
    pub ending: &'static str,
    /// cowbell's exit status.
    pub status: u8,
    /// The kernel's counters, all of them; or why there are none.
    pub guest: Result<Vec<Figure>, String>,
    /// System calls that were made: name and how often.
    pub system_calls: Vec<(String, u64)>,
    /// Those of them that the kernel answered with ENOSYS.
    pub system_calls_missing: Vec<(String, u64)>,
    /// Exits from the guest by reason; or why there are none.
    pub exits: Result<Vec<(&'static str, ExitFigures)>, String>,
    /// The engine's own figures; or why there are none.
    pub engine_figures: Result<Vec<(String, u64)>, String>,
    /// Steps of the start, in nanoseconds since the process was started.
    pub phases: Vec<Figure>,
    /// Memory on the host.
    pub memory: Vec<Figure>,
    /// Hardware counters.
    pub hardware: Vec<Figure>,
}

impl Report {
    /// Gathers all.
    #[must_use]
    pub fn new(
        engine: &'static str,
        outcome: &Outcome,
        status: u8,
        counters: Option<&Counters>,
    ) -> Self {
        let calls = |wanted| -> Vec<(String, u64)> {
            let all = counters.into_iter().flat_map(Counters::system_calls);
            all.filter(|(_, _, presence)| *presence == wanted)
                .map(|(name, count, _)| (name, count))
                .collect()
        };
        let exits = if outcome.exits.is_empty() {
            Err("QEMU does not tell the exits from its guest".to_owned())
        } else {
            Ok(outcome
                .exits
                .iter()
                .map(|(reason, figures)| (*reason, *figures))
                .collect())
        };
        Self {
            engine,
            ending: outcome.ending.name(),
            status,
            guest: counters
                .map(guest_figures)
                .ok_or_else(|| why_no_counters(&outcome.ending)),
            system_calls: calls(Presence::There),
            system_calls_missing: calls(Presence::Missing),
            exits,
            engine_figures: outcome.engine_figures.clone(),
            phases: phases(outcome),
            memory: memory(outcome),
            hardware: hardware(outcome),
        }
    }

    /// As text in a format, with a newline at its end.
    #[must_use]
    pub fn show(&self, format: StatsFormat) -> String {
        match format {
            StatsFormat::Table => table::show(self),
            StatsFormat::Json => json::show(self),
            StatsFormat::Prometheus => prometheus::show(self),
        }
    }

    /// What has no value, and why.
    fn unavailable(&self) -> Vec<(&str, &str)> {
        let groups = [
            ("guest", self.guest.as_ref().err()),
            ("vm_exits", self.exits.as_ref().err()),
            ("kvm", self.engine_figures.as_ref().err()),
        ];
        let figures = self.phases.iter().chain(&self.memory).chain(&self.hardware);
        groups
            .into_iter()
            .chain(figures.map(|figure| (figure.name, figure.value.as_ref().err())))
            .filter_map(|(name, reason)| Some((name, reason?.as_str())))
            .collect()
    }
}

fn why_no_counters(ending: &Ending) -> String {
    match ending {
        Ending::Engine(_) => "the machine did not get as far as its counters".to_owned(),
        _ => "this kernel has no cowbell note that says where its counters are".to_owned(),
    }
}

fn guest_figures(counters: &Counters) -> Vec<Figure> {
    let figure = |counter: &Counter| Figure {
        name: counter.name(),
        help: counter.help(),
        kind: counter.kind(),
        value: Ok(counters.get(*counter)),
    };
    Counter::ALL.iter().map(figure).collect()
}

fn phases(outcome: &Outcome) -> Vec<Figure> {
    let unknown = "only the KVM engine can tell";
    let reached = |value: Option<u64>, reason: &str| value.ok_or_else(|| reason.to_owned());
    let phases = &outcome.phases;
    let figure = |name, help, value| Figure {
        name,
        help,
        kind: Kind::Gauge,
        value,
    };
    vec![
        figure(
            "process_start_nanoseconds",
            "Start of the process: where the others are counted from",
            Ok(0),
        ),
        figure(
            "engine_ready_nanoseconds",
            "The virtual machine, its memory and its processor are there (QEMU: it has been started)",
            reached(phases.engine_ready, "not reached"),
        ),
        figure(
            "first_entry_nanoseconds",
            "The guest is entered for the first time",
            reached(phases.first_entry, unknown),
        ),
        figure(
            "first_user_instruction_nanoseconds",
            "The first instruction of the first process",
            reached(
                phases.first_user,
                if phases.first_entry.is_some() {
                    "not reached, or this kernel does not tell"
                } else {
                    unknown
                },
            ),
        ),
        figure(
            "last_exit_nanoseconds",
            "The last exit from the guest",
            reached(phases.last_exit, "not reached"),
        ),
    ]
}

fn memory(outcome: &Outcome) -> Vec<Figure> {
    let figure = |name, help, value: &Result<u64, String>| Figure {
        name,
        help,
        kind: Kind::Gauge,
        value: value.clone(),
    };
    vec![
        figure(
            "guest_memory_touched_bytes",
            "Guest memory that the host has had to back, and all of a kernel and archive of the user's; pages mapped from the executable are not counted",
            &outcome.memory_touched,
        ),
        figure(
            "monitor_memory_bytes",
            "Resident memory of the monitor (with TCG: of QEMU) beside the guest's",
            &outcome.monitor_memory,
        ),
    ]
}

fn hardware(outcome: &Outcome) -> Vec<Figure> {
    let figure = |name, help, value| Figure {
        name,
        help,
        kind: Kind::Counter,
        value,
    };
    let of = |value: fn(crate::machine::Hardware) -> u64| outcome.hardware.clone().map(value);
    vec![
        figure(
            "guest_cycles",
            "CPU cycles spent in the guest",
            of(|hardware| hardware.cycles),
        ),
        figure(
            "guest_instructions",
            "Instructions retired in the guest",
            of(|hardware| hardware.instructions),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn figure(name: &'static str, value: Result<u64, String>) -> Figure {
        Figure {
            name,
            help: "help",
            kind: Kind::Gauge,
            value,
        }
    }

    const PHASES: [&str; 5] = [
        "process_start_nanoseconds",
        "engine_ready_nanoseconds",
        "first_entry_nanoseconds",
        "first_user_instruction_nanoseconds",
        "last_exit_nanoseconds",
    ];

    /// A report with everything.
    pub fn full() -> Report {
        let mut exits = std::collections::BTreeMap::new();
        ExitFigures::add(&mut exits, "halt", Duration::from_nanos(5));
        ExitFigures::add(&mut exits, "halt", Duration::from_nanos(7));
        assert_eq!(exits["halt"].sum, Duration::from_nanos(12));
        let guest = |counter: &Counter| Figure {
            name: counter.name(),
            help: counter.help(),
            kind: counter.kind(),
            value: Ok(3),
        };
        Report {
            engine: "kvm",
            ending: "exited",
            status: 0,
            guest: Ok(Counter::ALL.iter().map(guest).collect()),
            system_calls: vec![("write".to_owned(), 7)],
            system_calls_missing: vec![("sendfile".to_owned(), 1)],
            exits: Ok(exits.into_iter().collect()),
            engine_figures: Ok(vec![("vcpu_exits".to_owned(), 9)]),
            phases: PHASES.iter().map(|name| figure(name, Ok(1))).collect(),
            memory: vec![
                figure("guest_memory_touched_bytes", Ok(4096)),
                figure("monitor_memory_bytes", Ok(1)),
            ],
            hardware: vec![
                figure("guest_cycles", Ok(1)),
                figure("guest_instructions", Ok(1)),
            ],
        }
    }

    /// A report with nothing but reasons.
    pub fn empty() -> Report {
        let reason = || "not supported here".to_owned();
        Report {
            guest: Err(reason()),
            system_calls: vec![],
            system_calls_missing: vec![],
            exits: Err(reason()),
            engine_figures: Err(reason()),
            phases: PHASES
                .iter()
                .map(|name| figure(name, Err(reason())))
                .collect(),
            memory: vec![
                figure("guest_memory_touched_bytes", Err(reason())),
                figure("monitor_memory_bytes", Err(reason())),
            ],
            hardware: vec![
                figure("guest_cycles", Err(reason())),
                figure("guest_instructions", Err(reason())),
            ],
            ..full()
        }
    }
}

//! What is measured.

use super::engines::{Engine, Unit};

/// Sizes of a parent that is forked, in MiB.
pub const SIZES: [u32; 5] = [1, 4, 16, 64, 256];
/// The sizes of a quick run.
pub const QUICK_SIZES: [u32; 2] = [1, 16];

/// Where a measure belongs in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// From nothing to a first process, and whole runs.
    Start,
    /// System calls and processes.
    Processes,
    /// Faults, and fork by size.
    Memory,
    /// Work of the program, and output.
    Work,
}

impl Group {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Start, Self::Processes, Self::Memory, Self::Work];

    /// Its heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Start => "start and whole runs",
            Self::Processes => "system calls and processes",
            Self::Memory => "memory",
            Self::Work => "work and output",
        }
    }
}

/// Where a measure's time goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Into the kernel of the machine.
    Kernel,
    /// Into the program, or the host.
    Elsewhere,
}

/// Who takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The program `measure`, from inside.
    Inside,
    /// The bench, by running `/bin/true` and looking at the process.
    WholeRun,
    /// cowbell's own figures of a run (`--stats`).
    Stats(&'static str),
}

/// A measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Its name in options and JSON.
    pub name: String,
    /// What it is.
    pub help: String,
    /// Where it belongs.
    pub group: Group,
    /// Where its time goes.
    pub bound: Bound,
    /// Who takes it.
    pub source: Source,
    /// MiB of the parent, where it has a size.
    pub size: Option<u32>,
}

impl Measure {
    /// What its samples count on an engine.
    #[must_use]
    pub fn unit(&self, engine: Engine) -> Unit {
        match (self.source, self.name.as_str()) {
            (Source::Stats(_), _) | (_, "true-memory" | "binary") => Unit::Bytes,
            (Source::WholeRun, _) => Unit::Nanoseconds,
            _ => engine.unit(),
        }
    }
}

/// All measures; those by size for these sizes.
#[must_use]
pub fn all(sizes: &[u32]) -> Vec<Measure> {
    use {Bound::*, Group::*, Source::*};
    let fixed = [
        (
            "true",
            "a whole run of /bin/true, from start to end",
            Start,
            Kernel,
            WholeRun,
        ),
        (
            "true-memory",
            "peak resident memory of that run's process on the host",
            Start,
            Elsewhere,
            WholeRun,
        ),
        (
            "monitor-memory",
            "of it, the monitor's own",
            Start,
            Elsewhere,
            Stats("monitor_memory_bytes"),
        ),
        (
            "guest-memory",
            "guest memory that boot and /bin/true touch",
            Start,
            Elsewhere,
            Stats("guest_memory_touched_bytes"),
        ),
        (
            "binary",
            "this executable, kernel and initramfs in it",
            Start,
            Elsewhere,
            WholeRun,
        ),
        (
            "boot",
            "to the first instruction of the first process: from the start of the monitor; counted: from reset",
            Start,
            Kernel,
            Inside,
        ),
        (
            "kernel-boot",
            "of it, from the kernel's entry on",
            Start,
            Kernel,
            Inside,
        ),
        (
            "getppid",
            "the least system call",
            Processes,
            Kernel,
            Inside,
        ),
        (
            "fork+exit+wait",
            "of a small process",
            Processes,
            Kernel,
            Inside,
        ),
        (
            "vfork+exit+wait",
            "the same on the parent's memory",
            Processes,
            Kernel,
            Inside,
        ),
        (
            "fork+exec-tiny+wait",
            "a program that only exits",
            Processes,
            Kernel,
            Inside,
        ),
        (
            "vfork+exec-tiny+wait",
            "the same by vfork",
            Processes,
            Kernel,
            Inside,
        ),
        (
            "fork+exec-measure+wait",
            "a larger program, no C library",
            Processes,
            Kernel,
            Inside,
        ),
        (
            "vfork+exec-measure+wait",
            "the same by vfork",
            Processes,
            Kernel,
            Inside,
        ),
        (
            "fork+exec-glibc+wait",
            "a static program with glibc",
            Processes,
            Kernel,
            Inside,
        ),
        (
            "vfork+exec-glibc+wait",
            "the same by vfork",
            Processes,
            Kernel,
            Inside,
        ),
        (
            "pipe-round-trip",
            "a byte to another process and back",
            Processes,
            Kernel,
            Inside,
        ),
        (
            "context-switch",
            "one hop of a byte round eight processes",
            Processes,
            Kernel,
            Inside,
        ),
        (
            "zero-fill-fault",
            "first write to a fresh page",
            Memory,
            Kernel,
            Inside,
        ),
        (
            "cow-fault",
            "first write to a page shared by fork",
            Memory,
            Kernel,
            Inside,
        ),
        (
            "compute",
            "4 million steps in registers",
            Work,
            Elsewhere,
            Inside,
        ),
        (
            "memory-walk",
            "100,000 dependent loads within 4 MiB",
            Work,
            Elsewhere,
            Inside,
        ),
        ("memory-copy", "2 MiB copied", Work, Elsewhere, Inside),
        ("console-KiB", "1 KiB of output", Work, Kernel, Inside),
    ];
    let mut measures: Vec<Measure> = fixed
        .into_iter()
        .map(|(name, help, group, bound, source)| Measure {
            name: name.to_owned(),
            help: help.to_owned(),
            group,
            bound,
            source,
            size: None,
        })
        .collect();
    for what in ["fork", "fork+exit+wait"] {
        measures.extend(sizes.iter().map(|&size| Measure {
            name: format!("{what}@{size}M"),
            help: format!("{what} of a parent with {size} MiB"),
            group: Memory,
            bound: Kernel,
            source: Inside,
            size: Some(size),
        }));
    }
    // By group; within one in the order above.
    measures.sort_by_key(|measure| measure.group);
    measures
}

/// Those whose name has one of these texts in it; all of them where there are no texts.
#[must_use]
pub fn chosen(mut measures: Vec<Measure>, only: &[String]) -> Vec<Measure> {
    if !only.is_empty() {
        measures.retain(|measure| only.iter().any(|text| measure.name.contains(text.as_str())));
    }
    measures
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_single_and_chosen_by_part() {
        let measures = all(&SIZES);
        let names: BTreeSet<&str> = measures
            .iter()
            .map(|measure| measure.name.as_str())
            .collect();
        assert_eq!(names.len(), measures.len());
        // They travel on kernel command lines and stand before a tab.
        let plain = |name: &str| !name.contains([' ', '\t', '%', '"']);
        assert!(names.iter().all(|name| plain(name)));
        let some = chosen(all(&[1, 4]), &["fork@".to_owned(), "getp".to_owned()]);
        let names: Vec<&str> = some.iter().map(|measure| measure.name.as_str()).collect();
        assert_eq!(names, ["getppid", "fork@1M", "fork@4M"]);
    }
}

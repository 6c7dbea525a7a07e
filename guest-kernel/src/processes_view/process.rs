//! What `/proc/PID` says of a process, and `/proc/PID/task/TID` of a thread.
use super::{CLOCK_TICK, ProcessesView};
use crate::arch::clock;
use crate::memory::space::AddressSpace;
use crate::memory::user::UserBuffer;
use crate::process::credentials::Which;
use crate::process::limits::{INFINITY, Resource};
use crate::process::signal::{self, Disposition};
use crate::process::{Process, ProcessSlot, Thread};
use contract::{Errno, PAGE};
use core::fmt::Result;
use core::ops::Range;
use files::{Output, ProcessFile};

/// Device number of `/dev/console`.
const CONSOLE: u32 = 0x501;

/// What is mounted, as `mount` and `df` read it.
const MOUNTS: &str = "tmpfs / tmpfs rw,relatime 0 0\nproc /proc proc rw,relatime 0 0\n";

/// Names and units of the limits, in the order of `/proc/PID/limits`.
const LIMITS: [(&str, Resource, &str); 16] = [
    ("Max cpu time", Resource::Cpu, "seconds"),
    ("Max file size", Resource::FileSize, "bytes"),
    ("Max data size", Resource::Data, "bytes"),
    ("Max stack size", Resource::Stack, "bytes"),
    ("Max core file size", Resource::Core, "bytes"),
    ("Max resident set", Resource::Resident, "bytes"),
    ("Max processes", Resource::Processes, "processes"),
    ("Max open files", Resource::Descriptors, "files"),
    ("Max locked memory", Resource::Locked, "bytes"),
    ("Max address space", Resource::AddressSpace, "bytes"),
    ("Max file locks", Resource::FileLocks, "locks"),
    ("Max pending signals", Resource::PendingSignals, "signals"),
    ("Max msgqueue size", Resource::MessageQueues, "bytes"),
    ("Max nice priority", Resource::Nice, ""),
    ("Max realtime priority", Resource::RealTimePriority, ""),
    ("Max realtime timeout", Resource::RealTime, "us"),
];

/// A process, or a thread of it that is looked at by itself.
struct Subject<'a> {
    slot: ProcessSlot,
    process: &'a Process,
    /// The thread, where it is about that alone; else the process's first one, if that has not ended.
    thread: Option<&'a Thread>,
    id: u32,
    name: &'a [u8],
    state: char,
}

impl ProcessesView<'_> {
    /// Writes a file of a process, or of the thread `thread` of it; `None` where that has gone.
    pub(super) fn write_process(
        &self,
        pid: u32,
        thread: Option<u32>,
        file: ProcessFile,
        out: &mut dyn Output,
    ) -> Option<()> {
        let (slot, process) = self.find(pid)?;
        let subject = match thread {
            None => Subject {
                slot,
                process,
                thread: self.processes.leader(slot),
                id: pid,
                name: self.processes.name_of(slot),
                state: self.processes.state_letter(slot),
            },
            Some(id) if id == pid && self.processes.leader(slot).is_none() => Subject {
                slot,
                process,
                thread: None,
                id,
                name: self.processes.name_of(slot),
                state: 'Z',
            },
            Some(id) => {
                let thread = self.thread(slot, id)?;
                Subject {
                    slot,
                    process,
                    thread: Some(thread),
                    id,
                    name: thread.name(),
                    state: thread.state_letter(),
                }
            }
        };
        // What cannot be written is `Output`'s own to remember.
        let _ = match file {
            ProcessFile::Stat => self.write_stat(&subject, out),
            ProcessFile::Status => self.write_status(&subject, out),
            ProcessFile::Cmdline => write_memory(process, AddressSpace::arguments, out),
            ProcessFile::Environ => write_memory(process, AddressSpace::environment, out),
            ProcessFile::Comm => {
                out.bytes(subject.name);
                out.write_str("\n")
            }
            ProcessFile::Statm => match &process.memory {
                Some(memory) => memory.write_statm(out),
                None => out.write_str("0 0 0 0 0 0 0\n"),
            },
            ProcessFile::Maps => match &process.memory {
                Some(memory) => memory.write_map(out),
                None => Ok(()),
            },
            ProcessFile::Limits => write_limits(process, out),
            // It is no text.
            ProcessFile::PageMap => Ok(()),
            ProcessFile::Mounts => out.write_str(MOUNTS),
        };
        Some(())
    }

    /// The 52 fields of proc(5), those that nobody here keeps as 0.
    fn write_stat(&self, subject: &Subject<'_>, out: &mut dyn Output) -> Result {
        let process = subject.process;
        let (resident, mapped) = sizes(process);
        let places = process
            .memory
            .as_ref()
            .map(|memory| memory.shown_places())
            .unwrap_or_default();
        let sets = signal_sets(subject);
        let (mut own, mut children) = (process.usage, process.children_usage);
        let (times, children_times) = (own.times(), children.times());
        let (terminal, foreground) = match self.console.session() {
            Some(session) if session.leader == process.session => {
                (CONSOLE, session.foreground.0 as i32)
            }
            _ => (0, -1),
        };
        let started = clock::ticks_to_nanoseconds(process.started) / CLOCK_TICK;
        write!(out, "{} (", subject.id)?;
        out.bytes(subject.name);
        writeln!(
            out,
            ") {} {} {} {} {terminal} {foreground} 0 {} {} 0 0 {} {} {} {} 20 0 {} 0 {started} {} {resident} {INFINITY} \
             {} {} {} 0 0 {} {} {} {} 0 0 0 17 0 0 0 0 0 0 {} {} {} {} {} {} {} 0",
            subject.state,
            self.processes.parent_pid(subject.slot).0,
            process.group.0,
            process.session.0,
            own.faults,
            children.faults,
            times.user / CLOCK_TICK,
            times.system / CLOCK_TICK,
            children_times.user / CLOCK_TICK,
            children_times.system / CLOCK_TICK,
            self.processes.threads_shown(subject.slot),
            mapped * PAGE,
            places.code,
            places.code_end,
            places.stack,
            sets.pending as u32,
            sets.blocked as u32,
            sets.ignored as u32,
            sets.caught as u32,
            places.data,
            places.data_end,
            places.heap,
            places.arguments.start,
            places.arguments.end,
            places.environment.start,
            places.environment.end,
        )
    }

    fn write_status(&self, subject: &Subject<'_>, out: &mut dyn Output) -> Result {
        let process = subject.process;
        let state = match subject.state {
            'R' => "R (running)",
            'Z' => "Z (zombie)",
            'D' => "D (disk sleep)",
            'T' => "T (stopped)",
            _ => "S (sleeping)",
        };
        out.write_str("Name:\t")?;
        out.bytes(subject.name);
        writeln!(
            out,
            "\nUmask:\t{:04o}\nState:\t{state}\nTgid:\t{}\nNgid:\t0\nPid:\t{}\nPPid:\t{}\nTracerPid:\t0",
            process.umask,
            process.pid.0,
            subject.id,
            self.processes.parent_pid(subject.slot).0,
        )?;
        for (label, which) in [("Uid", Which::User), ("Gid", Which::Group)] {
            let ids = process.credentials.ids(which);
            writeln!(
                out,
                "{label}:\t{}\t{}\t{}\t{}",
                ids.real, ids.effective, ids.saved, ids.files
            )?;
        }
        write!(
            out,
            "FDSize:\t{}\nGroups:\t",
            process.descriptors.capacity()
        )?;
        for group in process.credentials.groups() {
            write!(out, "{group} ")?;
        }
        out.write_str("\n")?;
        if let Some(memory) = &process.memory {
            memory.write_status(out)?;
        }
        let sets = signal_sets(subject);
        let queued = process.limits.soft(Resource::PendingSignals);
        writeln!(
            out,
            "Threads:\t{}\nSigQ:\t{}/{queued}\nSigPnd:\t{:016x}\nShdPnd:\t{:016x}\nSigBlk:\t{:016x}\n\
             SigIgn:\t{:016x}\nSigCgt:\t{:016x}\n\
             voluntary_ctxt_switches:\t{}\nnonvoluntary_ctxt_switches:\t{}",
            self.processes.threads_shown(subject.slot),
            signal::queued(),
            sets.pending,
            process.signals.pending.set(),
            sets.blocked,
            sets.ignored,
            sets.caught,
            process.usage.voluntary(),
            process.usage.involuntary,
        )
    }
}

/// Sets of signals.
struct SignalSets {
    pending: u64,
    blocked: u64,
    ignored: u64,
    caught: u64,
}

fn signal_sets(subject: &Subject<'_>) -> SignalSets {
    let own = subject.thread.map(|thread| &thread.signals);
    let mut sets = SignalSets {
        pending: own.map_or(0, |own| own.pending.set()),
        blocked: own.map_or(0, |own| own.blocked),
        ignored: 0,
        caught: 0,
    };
    for number in 1..=signal::LAST {
        let signals = &subject.process.signals;
        match signals.disposition(number) {
            Disposition::Handler => sets.caught |= signal::bit(number),
            // What is ignored by default does not count: only what the process ignores itself.
            Disposition::Ignore if signals.action(number).handler != 0 => {
                sets.ignored |= signal::bit(number);
            }
            _ => {}
        }
    }
    sets
}

fn write_limits(process: &Process, out: &mut dyn Output) -> Result {
    writeln!(
        out,
        "{:<25} {:<20} {:<20} {:<10}",
        "Limit", "Soft Limit", "Hard Limit", "Units"
    )?;
    for (name, resource, unit) in LIMITS {
        let limit = process.limits.get(resource);
        write!(out, "{name:<25} ")?;
        for value in [limit.soft, limit.hard] {
            match value {
                INFINITY => write!(out, "{:<20} ", "unlimited")?,
                value => write!(out, "{value:<20} ")?,
            }
        }
        if unit.is_empty() {
            writeln!(out)?;
        } else {
            writeln!(out, "{unit:<10}")?;
        }
    }
    Ok(())
}

/// Resident and mapped pages.
fn sizes(process: &Process) -> (u64, u64) {
    process
        .memory
        .as_ref()
        .map_or((0, 0), |memory| memory.sizes())
}

/// Bytes of a process's own memory; what it has unmapped is left out.
fn write_memory(
    process: &Process,
    which: fn(&AddressSpace) -> Range<u64>,
    out: &mut dyn Output,
) -> Result {
    let Some(space) = &process.memory else {
        return Ok(());
    };
    let range = which(space);
    let buffer = UserBuffer {
        address: range.start,
        length: range.end - range.start,
    };
    let _ = buffer.read_pieces::<Errno>(space, |_, piece| {
        out.bytes(piece);
        Ok(piece.len())
    });
    Ok(())
}

//! What `/proc` shows (proc(5)).
use crate::arch::clock;
use crate::memory::space::AddressSpace;
use crate::memory::user::UserBuffer;
use crate::process::{Pid, Process, ProcessSlot, ProcessTable};
use crate::records::COUNTERS;
use contract::counters::{Counter, FIRST_SYSTEM_CALL, MISSING, SYSTEM_CALLS};
use contract::{Errno, PAGE_SIZE, Sysno};
use core::ops::Range;
use core::sync::atomic::Ordering::Relaxed;
use files::{DescriptionId, InodeId, Output, ProcContent, ProcSource, ProcessFile, SystemFile};

const SECOND: u64 = 1_000_000_000;
/// Nanoseconds of a clock tick: 100 a second (AT_CLKTCK).
const CLOCK_TICK: u64 = SECOND / 100;

/// The processes as the files see them.
pub struct ProcessesView<'a> {
    pub processes: &'a ProcessTable,
}

impl ProcessesView<'_> {
    fn find(&self, pid: u32) -> Option<(ProcessSlot, &Process)> {
        let slot = self.processes.find(Pid(pid))?;
        Some((slot, &self.processes[slot]))
    }

    fn write_process(&self, pid: u32, file: ProcessFile, out: &mut dyn Output) -> Option<()> {
        let (slot, process) = self.find(pid)?;
        match file {
            ProcessFile::Stat => self.write_stat(slot, process, out),
            ProcessFile::Status => self.write_status(slot, process, out),
            ProcessFile::Cmdline => write_memory(process, AddressSpace::arguments, out),
            ProcessFile::Environ => write_memory(process, AddressSpace::environment, out),
            ProcessFile::Comm => {
                out.bytes(self.processes.name_of(slot));
                out.bytes(b"\n");
            }
            ProcessFile::Statm => {
                let (resident, mapped) = sizes(process);
                writeln!(out, "{mapped} {resident} 0 0 0 {mapped} 0").ok()?;
            }
            ProcessFile::Maps => {
                if let Some(memory) = &process.memory {
                    memory.write_map(out).ok()?;
                }
            }
        }
        Some(())
    }

    fn write_stat(&self, slot: ProcessSlot, process: &Process, out: &mut dyn Output) {
        let (resident, mapped) = sizes(process);
        // Errors of `Output` are its own to keep.
        let _ = write!(out, "{} (", process.pid.0);
        out.bytes(self.processes.name_of(slot));
        let _ = writeln!(
            out,
            ") {} {} {} {} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 {} {} {resident} 18446744073709551615 \
             0 0 0 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
            self.processes.state_letter(slot),
            self.processes.parent_pid(slot).0,
            process.group.0,
            process.session.0,
            clock::ticks_to_nanoseconds(process.started) / CLOCK_TICK,
            mapped * PAGE_SIZE as u64,
        );
    }

    fn write_status(&self, slot: ProcessSlot, process: &Process, out: &mut dyn Output) {
        let state = match self.processes.state_letter(slot) {
            'R' => "R (running)",
            'Z' => "Z (zombie)",
            'D' => "D (disk sleep)",
            _ => "S (sleeping)",
        };
        let (resident, mapped) = sizes(process);
        let (blocked, pending) = self.processes.leader(slot).map_or((0, 0), |thread| {
            (thread.signals.blocked, thread.signals.pending.set())
        });
        let kib = PAGE_SIZE as u64 / 1024;
        out.bytes(b"Name:\t");
        out.bytes(self.processes.name_of(slot));
        let _ = writeln!(
            out,
            "\nUmask:\t{:04o}\nState:\t{state}\nTgid:\t{pid}\nPid:\t{pid}\nPPid:\t{}\nTracerPid:\t0\n\
             Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nVmSize:\t{:8} kB\nVmRSS:\t{:8} kB\nThreads:\t{}\n\
             SigBlk:\t{:016x}\nSigPnd:\t{:016x}",
            process.umask,
            self.processes.parent_pid(slot).0,
            mapped * kib,
            resident * kib,
            process.threads.count,
            blocked,
            pending,
            pid = process.pid.0,
        );
    }

    fn write_system(&self, file: SystemFile, out: &mut dyn Output) -> Option<()> {
        match file {
            SystemFile::Cowbell => write_counters(out),
            SystemFile::Uptime => {
                let now = clock::now();
                writeln!(out, "{}.{:02} 0.00", now / SECOND, now % SECOND / CLOCK_TICK)
            }
            SystemFile::Meminfo => {
                let kib = PAGE_SIZE as u64 / 1024;
                let total = COUNTERS.get(Counter::FramesTotal) * kib;
                let free = COUNTERS.get(Counter::FramesFree) * kib;
                let tables = COUNTERS.get(Counter::FramesTables) * kib;
                writeln!(
                    out,
                    "MemTotal:       {total:8} kB\nMemFree:        {free:8} kB\n\
                     MemAvailable:   {free:8} kB\nBuffers:               0 kB\nCached:                0 kB\n\
                     SwapTotal:             0 kB\nSwapFree:              0 kB\nPageTables:     {tables:8} kB"
                )
            }
            SystemFile::Loadavg => {
                let last = self.processes.slots().map(|slot| self.processes[slot].pid.0).max();
                writeln!(out, "0.00 0.00 0.00 1/{} {}", self.processes.thread_count(), last.unwrap_or(0))
            }
            SystemFile::Version => {
                writeln!(out, "Linux version 6.1.0-cowbell (cowbell {})", env!("CARGO_PKG_VERSION"))
            }
            SystemFile::Mounts => {
                writeln!(out, "rootfs / rootfs rw 0 0\nproc /proc proc rw 0 0")
            }
            SystemFile::Filesystems => writeln!(out, "nodev\trootfs\nnodev\tproc"),
            SystemFile::Cpuinfo => writeln!(out, "processor\t: 0"),
            SystemFile::Stat => writeln!(
                out,
                "cpu  0 0 0 0 0 0 0 0 0 0\nctxt {}\nbtime {}\nprocesses {}\nprocs_running 1\nprocs_blocked 0",
                COUNTERS.get(Counter::ContextSwitches),
                (clock::realtime() - clock::now()) / SECOND,
                COUNTERS.get(Counter::Forks) + COUNTERS.get(Counter::Vforks) + 1,
            ),
        }
        .ok()
    }
}

impl ProcSource for ProcessesView<'_> {
    fn next_process(&self, from: u32) -> Option<u32> {
        self.processes
            .next_by_pid(from)
            .map(|slot| self.processes[slot].pid.0)
    }

    fn write(&self, content: ProcContent, out: &mut dyn Output) -> Result<(), Errno> {
        match content {
            ProcContent::Process(pid, file) => self.write_process(pid, file, out),
            ProcContent::System(file) => self.write_system(file, out),
        }
        .ok_or(Errno::ESRCH)
    }

    fn executable(&self, process: u32) -> Option<&[u8]> {
        Some(&self.find(process)?.1.executable)
    }

    fn working_directory(&self, process: u32) -> Option<InodeId> {
        Some(self.find(process)?.1.working_directory)
    }

    fn descriptor(&self, process: u32, fd: u32) -> Option<DescriptionId> {
        self.find(process)?.1.descriptors.get(fd).ok()
    }

    fn next_descriptor(&self, process: u32, from: u32) -> Option<u32> {
        self.find(process)?.1.descriptors.next_open(from)
    }
}

/// Resident and mapped pages.
fn sizes(process: &Process) -> (u64, u64) {
    process
        .memory
        .as_ref()
        .map_or((0, 0), |memory| memory.sizes())
}

/// Bytes of a process's own memory; what it has unmapped is left out.
fn write_memory(process: &Process, which: fn(&AddressSpace) -> Range<u64>, out: &mut dyn Output) {
    let Some(memory) = &process.memory else {
        return;
    };
    let space = memory;
    let range = which(space);
    let buffer = UserBuffer {
        address: range.start,
        length: range.end - range.start,
    };
    let _ = buffer.read_pieces::<Errno>(space, |_, piece| {
        out.bytes(piece);
        Ok(piece.len())
    });
}

/// The counters, a line each; system calls that were made.
fn write_counters(out: &mut dyn Output) -> core::fmt::Result {
    for &counter in Counter::ALL {
        writeln!(out, "{} {}", counter.name(), COUNTERS.get(counter))?;
    }
    for number in 0..SYSTEM_CALLS {
        let calls = COUNTERS.words[FIRST_SYSTEM_CALL + number].load(Relaxed) & !MISSING;
        if calls != 0 {
            match Sysno::new(number) {
                Some(name) => writeln!(out, "system_call_{} {calls}", name.name())?,
                None => writeln!(out, "system_call_{number} {calls}")?,
            }
        }
    }
    Ok(())
}

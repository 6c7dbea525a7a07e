//! What `/proc` says of the system, and `/proc/sys` of its settings.
use super::{CLOCK_TICK, ProcessesView, SECOND};
use crate::arch::{clock, registers};
use crate::process::State;
use crate::process::accounting::{self, Times};
use crate::process::table::PID_MAX;
use crate::random;
use crate::records::COUNTERS;
use crate::system_calls::host::{RELEASE, VERSION};
use contract::counters::{Counter, FIRST_SYSTEM_CALL, MISSING, SYSTEM_CALLS};
use contract::{PAGE, Sysno};
use core::fmt::Result;
use core::sync::atomic::Ordering::Relaxed;
use files::{DESCRIPTOR_LIMIT, Output, SysFile, SystemFile};

/// CPUID.01H:EDX, bit by bit, as `/proc/cpuinfo` calls them; what has no name there is empty.
const FEATURES: [&str; 32] = [
    "fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", "", "sep", "mtrr", "pge",
    "mca", "cmov", "pat", "pse36", "pn", "clflush", "", "dts", "acpi", "mmx", "fxsr", "sse",
    "sse2", "ss", "ht", "tm", "ia64", "pbe",
];

impl ProcessesView<'_> {
    pub(super) fn write_system(&self, file: SystemFile, out: &mut dyn Output) -> Result {
        match file {
            SystemFile::Cowbell => write_counters(out),
            SystemFile::Uptime => {
                let (_, idle) = accounting::of_machine();
                let [now, idle] = [clock::now(), idle].map(|time| (time / SECOND, time % SECOND));
                let [part, idle_part] = [now.1, idle.1].map(|part| part / CLOCK_TICK);
                writeln!(out, "{}.{part:02} {}.{idle_part:02}", now.0, idle.0)
            }
            SystemFile::Meminfo => write_memory(out),
            SystemFile::Loadavg => {
                let last = self
                    .processes
                    .slots()
                    .map(|slot| self.processes[slot].pid.0)
                    .max();
                let threads = self.processes.thread_count();
                let running = self.running_threads();
                let last = last.unwrap_or(0);
                writeln!(out, "0.00 0.00 0.00 {running}/{threads} {last}")
            }
            SystemFile::Version => writeln!(out, "Linux version {RELEASE} ({VERSION})"),
            SystemFile::Filesystems => {
                out.write_str("nodev\ttmpfs\nnodev\tproc\nnodev\tpipefs\nnodev\tsockfs\n")
            }
            SystemFile::Cpuinfo => write_processor(out),
            SystemFile::Stat => {
                let (Times { user, system }, idle) = accounting::of_machine();
                let [user, system, idle] = [user, system, idle].map(|time| time / CLOCK_TICK);
                let cpu = format_args!("{user} 0 {system} {idle} 0 0 0 0 0 0");
                writeln!(
                    out,
                    "cpu  {cpu}\ncpu0 {cpu}\nintr {}\nctxt {}\nbtime {}\nprocesses {}\n\
                     procs_running {}\nprocs_blocked 0",
                    COUNTERS.get(Counter::TimerTicks),
                    COUNTERS.get(Counter::ContextSwitches),
                    clock::realtime().saturating_sub(clock::now()) / SECOND,
                    COUNTERS.get(Counter::Forks) + COUNTERS.get(Counter::Vforks) + 1,
                    self.running_threads(),
                )
            }
        }
    }

    /// Threads that run or could.
    fn running_threads(&self) -> usize {
        let processes = self.processes;
        let threads = processes
            .slots()
            .flat_map(|slot| processes.threads_of(slot));
        threads
            .filter(|&thread| {
                let state = processes[thread].state;
                matches!(state, State::Running | State::Runnable(_))
            })
            .count()
    }

    pub(super) fn write_setting(&self, file: SysFile, out: &mut dyn Output) -> Result {
        match file {
            SysFile::HostName => {
                out.bytes(self.names.host.bytes());
                out.write_str("\n")
            }
            SysFile::DomainName => {
                out.bytes(self.names.domain.bytes());
                out.write_str("\n")
            }
            SysFile::CorePattern => out.write_str("core\n"),
            SysFile::Tainted => out.write_str("0\n"),
            SysFile::OsType => out.write_str("Linux\n"),
            SysFile::OsRelease => writeln!(out, "{RELEASE}"),
            SysFile::Version => writeln!(out, "{VERSION}"),
            SysFile::PidMax => writeln!(out, "{}", PID_MAX + 1),
            SysFile::NrOpen => writeln!(out, "{DESCRIPTOR_LIMIT}"),
            SysFile::PipeMaxSize => writeln!(out, "{}", self.pipe_limit),
            // Root, whom it does not bind, is who there is.
            SysFile::PipeUserPagesSoft => out.write_str("16384\n"),
            // Memory is promised without being kept free: what Linux calls heuristic is nearest.
            SysFile::OvercommitMemory => out.write_str("0\n"),
            SysFile::BootId => write_uuid(self.names.boot(), out),
            SysFile::Uuid => write_uuid(random::words(), out),
        }
    }
}

/// A version 4 UUID (RFC 9562) of random bits.
fn write_uuid([high, low]: [u64; 2], out: &mut dyn Output) -> Result {
    const VERSION: u64 = 0x4000;
    const VARIANT: u64 = 0x8000;
    writeln!(
        out,
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff | VERSION,
        low >> 48 & 0x3fff | VARIANT,
        low & 0xffff_ffff_ffff,
    )
}

fn write_memory(out: &mut dyn Output) -> Result {
    let kib = PAGE / 1024;
    let total = COUNTERS.get(Counter::FramesTotal) * kib;
    let free = COUNTERS.get(Counter::FramesFree) * kib;
    let tables = COUNTERS.get(Counter::FramesTables) * kib;
    for (name, value) in [
        ("MemTotal:", total),
        ("MemFree:", free),
        ("MemAvailable:", free),
        ("Buffers:", 0),
        ("Cached:", 0),
        ("SwapCached:", 0),
        ("SwapTotal:", 0),
        ("SwapFree:", 0),
        ("Dirty:", 0),
        ("Writeback:", 0),
        ("Shmem:", 0),
        ("Slab:", 0),
        ("SReclaimable:", 0),
        ("PageTables:", tables),
    ] {
        writeln!(out, "{name:<16}{value:8} kB")?;
    }
    Ok(())
}

fn write_processor(out: &mut dyn Output) -> Result {
    let vendor = registers::cpuid(0, 0);
    out.write_str("processor\t: 0\nvendor_id\t: ")?;
    for word in [vendor.ebx, vendor.edx, vendor.ecx] {
        out.bytes(&word.to_le_bytes());
    }
    let signature = registers::cpuid(1, 0);
    let (family, model) = (signature.eax >> 8 & 0xf, signature.eax >> 4 & 0xf);
    // The extended parts count as the manuals say (CPUID, "Version Information").
    let extended_model = if matches!(family, 6 | 15) {
        signature.eax >> 16 & 0xf
    } else {
        0
    };
    let family = match family {
        15 => 15 + (signature.eax >> 20 & 0xff),
        family => family,
    };
    write!(
        out,
        "\ncpu family\t: {family}\nmodel\t\t: {}\nmodel name\t: ",
        extended_model << 4 | model
    )?;
    for leaf in 0x8000_0002..=0x8000_0004 {
        let brand = registers::cpuid(leaf, 0);
        for word in [brand.eax, brand.ebx, brand.ecx, brand.edx] {
            for byte in word.to_le_bytes().into_iter().filter(|&byte| byte != 0) {
                out.bytes(&[byte]);
            }
        }
    }
    let khz = COUNTERS.get(Counter::TscFrequency) / 1000;
    write!(
        out,
        "\nstepping\t: {}\ncpu MHz\t\t: {}.{:03}\nphysical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\n\
         fpu\t\t: yes\nwp\t\t: yes\nflags\t\t:",
        signature.eax & 0xf,
        khz / 1000,
        khz % 1000,
    )?;
    for (bit, name) in FEATURES.iter().enumerate() {
        if signature.edx >> bit & 1 != 0 && !name.is_empty() {
            write!(out, " {name}")?;
        }
    }
    let bogomips = khz / 500;
    writeln!(out, "\nbogomips\t: {bogomips}.{:02}\n", khz % 500 / 5)
}

/// The counters, a line each; system calls that were made.
fn write_counters(out: &mut dyn Output) -> Result {
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

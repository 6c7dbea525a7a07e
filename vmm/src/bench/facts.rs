//! What the host is: figures mean little without it.

use crate::memory::host_size;
use crate::{doctor, kvm, qemu};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long the time-stamp counter is compared with the clock.
const CALIBRATION: Duration = Duration::from_millis(50);

/// How KVM runs ring 0.
#[derive(Clone, Debug, PartialEq)]
pub enum RingZero {
    /// By hardware.
    Hardware(Speeds),
    /// Instruction by instruction: what a kernel does there is slow, whatever the kernel.
    Emulated(Speeds),
    /// Not known, and why.
    Unknown(String),
}

/// Instructions a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Speeds {
    /// In ring 0.
    pub ring_0: f64,
    /// In ring 3.
    pub ring_3: f64,
}

impl RingZero {
    /// Its name in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Hardware(_) => "hardware",
            Self::Emulated(_) => "emulated",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// What is known of the host.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Model of the processor.
    pub processor: String,
    /// CPUs that this process may use.
    pub cpus: usize,
    /// Bytes of memory.
    pub memory: Option<u64>,
    /// Release of the host's kernel.
    pub kernel: String,
    /// How KVM runs ring 0.
    pub ring_zero: RingZero,
    /// Ticks of the time-stamp counter a second.
    pub tsc_hertz: f64,
    /// First line of QEMU's version.
    pub qemu: Option<String>,
    /// Version of the Linux to compare with.
    pub linux: Option<String>,
}

impl Facts {
    /// Looks at the host; takes a tenth of a second.
    #[must_use]
    pub fn gather() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        let info = read("/proc/cpuinfo");
        let processor = info
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or("unknown", |(_, model)| model.trim());
        Self {
            processor: processor.to_owned(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            memory: host_size(),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            ring_zero: ring_zero(),
            tsc_hertz: tsc_hertz(),
            qemu: qemu_version(),
            linux: None,
        }
    }

    /// Whether ring 0 is known to be emulated.
    #[must_use]
    pub fn emulated(&self) -> bool {
        matches!(self.ring_zero, RingZero::Emulated(_))
    }
}

fn ring_zero() -> RingZero {
    let speeds = kvm::open().and_then(|ready| doctor::ring_speeds(&ready.kvm));
    match speeds {
        Ok((ring_0, ring_3)) => {
            let speeds = Speeds { ring_0, ring_3 };
            if ring_0 < doctor::EMULATED {
                RingZero::Emulated(speeds)
            } else {
                RingZero::Hardware(speeds)
            }
        }
        Err(error) => RingZero::Unknown(format!("{error:#}")),
    }
}

/// The guests' counters run at the host's rate: KVM passes it on, and QEMU's TCG reads it.
fn tsc_hertz() -> f64 {
    // SAFETY: every processor with 64-bit mode has RDTSC, and Linux leaves it open to programs.
    let ticks = || unsafe { core::arch::x86_64::_rdtsc() };
    let (start, first) = (Instant::now(), ticks());
    std::thread::sleep(CALIBRATION);
    let (time, last) = (start.elapsed(), ticks());
    last.wrapping_sub(first) as f64 / time.as_secs_f64()
}

fn qemu_version() -> Option<String> {
    let output = Command::new(qemu::find().ok()?)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(str::to_owned)
}

//! Findings that need no probe of their own: the processor, QEMU, counters, and what the real kernel finds.

use super::{Finding, Verdict};
use crate::channel::Listener;
use crate::ending::Ending;
use crate::initramfs::Initramfs;
use crate::kernel_image::KernelImage;
use crate::machine::{Attachment, Machine, Measure};
use crate::phases::Phases;
use crate::records::Counters;
use crate::{image, interruption, kvm, qemu};
use anyhow::{Context, Result};
use contract::counters::Counter;
use kvm_ioctls::Kvm;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Memory of the machine that answers questions.
const MEMORY: u64 = 64 << 20;

/// A boot takes milliseconds, or tens of them where ring 0 is emulated.
const LIMIT: Duration = Duration::from_secs(10);

/// What kind of virtualisation the processor offers.
pub fn processor() -> Finding {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let line = info.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let model = field("model name").unwrap_or_else(|| "unknown processor".to_owned());
    let flags = field("flags").unwrap_or_default();
    let has = |flag| flags.split(' ').any(|word| word == flag);
    match (has("vmx"), has("svm")) {
        (true, _) => Finding::good("processor", format!("{model}, with VMX")),
        (_, true) => Finding::good("processor", format!("{model}, with SVM")),
        _ => Finding::problem(
            "processor",
            Verdict::Costly,
            format!("{model}, without VMX or SVM"),
            "on bare metal switch virtualisation on in the firmware; in a virtual machine ask for nested \
             virtualisation",
        ),
    }
}

/// The way to KVM.
pub fn how_to_get_kvm() -> &'static str {
    "load its module (`sudo modprobe kvm_intel` or `kvm_amd`), join the group of /dev/kvm (`sudo usermod -aG kvm \
     $USER`, then log in again); in a container pass --device /dev/kvm; else --accel tcg runs in QEMU"
}

/// Whether the processor's counters can be read.
pub fn hardware_counters() -> Finding {
    match kvm::hardware_counters() {
        Ok(_) => Finding::good("hardware counters", "cycles and instructions of the guest"),
        Err(reason) => Finding::problem(
            "hardware counters",
            Verdict::Costly,
            reason,
            "--stats shows the rest; for these use bare metal, or a virtual machine with a virtual PMU",
        ),
    }
}

/// Whether QEMU is there, and which.
pub fn qemu() -> Finding {
    let version = || -> Result<String> {
        let program = qemu::find()?;
        let output = Command::new(&program)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("{} does not start", program.display()))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(text
            .lines()
            .next()
            .unwrap_or("QEMU of unknown version")
            .to_owned())
    };
    match version() {
        Ok(version) => Finding::good("QEMU", format!("{version} (--accel tcg)")),
        Err(error) => Finding::problem(
            "QEMU",
            Verdict::Missing,
            format!("{error:#}"),
            "needed only for --accel tcg, and where there is no KVM",
        ),
    }
}

/// What the kernel found out about `syscall` and SIMD registers when it booted here.
pub fn system_calls() -> Finding {
    const SUBJECT: &str = "system calls";
    match boot() {
        Ok(counters) => {
            let simd = match counters.get(Counter::SimdState) {
                1 => "fxsave64",
                2 => "xsave64",
                3 => "xsave64 in ring 3",
                _ => "an unknown way",
            };
            if counters.get(Counter::SystemCallByFault) == 0 {
                Finding::good(
                    SUBJECT,
                    format!("`syscall` enters the kernel; SIMD registers saved by {simd}"),
                )
            } else {
                Finding::problem(
                    SUBJECT,
                    Verdict::Costly,
                    format!(
                        "`syscall` does not raise privilege here: the kernel is entered by a page fault; SIMD \
                         registers saved by {simd}"
                    ),
                    "nothing to do: the guest kernel has found it out and copes, at some microseconds a call",
                )
            }
        }
        Err(error) => Finding::problem(
            SUBJECT,
            Verdict::Missing,
            format!("the embedded kernel does not run: {error:#}"),
            "run `cowbell run --timeout 10s -- /bin/echo` and look at what it says",
        ),
    }
}

/// Whether KVM gives its own figures.
pub fn statistics(kvm: &Kvm) -> Finding {
    match kvm::has_statistics(kvm) {
        Ok(count) => Finding::good("KVM statistics", format!("{count} figures")),
        Err(reason) => Finding::problem(
            "KVM statistics",
            Verdict::Costly,
            reason,
            "--stats shows the rest",
        ),
    }
}

/// Boots the embedded kernel with a program that does next to nothing, and reads its counters.
fn boot() -> Result<Counters> {
    let kernel = KernelImage::parse(image::kernel())?;
    let machine = Machine {
        memory_size: MEMORY,
        kernel: &kernel,
        initramfs: &Initramfs::Embedded,
        command_line: b"log=memory -- /bin/echo".to_vec(),
        attachment: Attachment::Nowhere,
        measure: Measure::Nothing,
    };
    interruption::install()?;
    interruption::set_timeout(LIMIT)?;
    let outcome = kvm::run(
        kvm::open()?,
        &machine,
        &mut Listener::default(),
        Phases::begin(),
    )?;
    interruption::clear_timeout();
    anyhow::ensure!(
        matches!(outcome.ending, Ending::Guest(_)),
        "it ended by {}",
        outcome.ending.name()
    );
    Counters::read(&outcome.memory, &kernel).context("it has no counters")
}

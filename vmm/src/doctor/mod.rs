//! `cowbell doctor`: what this host offers, what is missing, and what to do about it.

mod host;
mod probe;

use crate::memory::host_size;
use crate::messages::say;
use crate::quantities::show_size;
use crate::{closed_output, kvm};
use anyhow::Result;
use contract::status::HOST_ERROR;
use kvm_ioctls::{Cap, Kvm};
use probe::Ring;
use std::fmt::Write as _;
use std::io::Write as _;

/// Below this many instructions a second ring 0 is not run by hardware.
pub const EMULATED: f64 = 50e6;

/// How good a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// As it should be.
    Good,
    /// It works, with a cost.
    Costly,
    /// It is not there.
    Missing,
}

/// One thing looked at.
struct Finding {
    subject: &'static str,
    verdict: Verdict,
    fact: String,
    /// What to do, where there is something to do.
    advice: Option<String>,
}

impl Finding {
    fn good(subject: &'static str, fact: impl Into<String>) -> Self {
        Self {
            subject,
            verdict: Verdict::Good,
            fact: fact.into(),
            advice: None,
        }
    }

    fn problem(
        subject: &'static str,
        verdict: Verdict,
        fact: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            subject,
            verdict,
            fact: fact.into(),
            advice: Some(advice.into()),
        }
    }
}

/// Looks at everything and prints a table; the exit status says whether a machine can be run.
#[must_use]
pub fn examine() -> u8 {
    if closed_output::was_closed() {
        say("standard output is closed");
        return HOST_ERROR;
    }
    let mut findings = vec![host::processor()];
    let kvm = match kvm::open() {
        Ok(ready) => {
            let kvm = &ready.kvm;
            findings.push(Finding::good(
                "KVM",
                format!("/dev/kvm, API version {}", kvm.get_api_version()),
            ));
            findings.extend(examine_kvm(kvm));
            Some(ready)
        }
        Err(error) => {
            findings.push(Finding::problem(
                "KVM",
                Verdict::Missing,
                format!("{error:#}"),
                host::how_to_get_kvm(),
            ));
            None
        }
    };
    findings.push(host::hardware_counters());
    let qemu = host::qemu();
    let has_qemu = qemu.verdict == Verdict::Good;
    findings.push(qemu);
    if let Some(size) = host_size() {
        findings.push(Finding::good(
            "memory",
            format!("{}: the largest --mem", show_size(size & !0xf_ffff)),
        ));
    }
    let (status, summary) = match (kvm.is_some(), has_qemu) {
        (true, _) => (0, "cowbell runs here, on KVM."),
        (false, true) => (
            0,
            "cowbell runs here, in QEMU without hardware help (--accel tcg).",
        ),
        (false, false) => (
            HOST_ERROR,
            "cowbell cannot run here: give it KVM or QEMU, as said above.",
        ),
    };
    let text = format!("{}\n{summary}\n", table(&findings));
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => status,
        Err(error) => {
            say(&format!("cannot write to standard output: {error}"));
            HOST_ERROR
        }
    }
}

fn examine_kvm(kvm: &Kvm) -> Vec<Finding> {
    vec![
        capabilities(kvm),
        rings(kvm),
        exits(kvm),
        host::system_calls(),
        timers(kvm),
        host::statistics(kvm),
    ]
}

/// Those that every run needs were checked when KVM was opened.
fn capabilities(kvm: &Kvm) -> Finding {
    let optional = [
        (Cap::TscDeadlineTimer, "TSC_DEADLINE_TIMER"),
        (Cap::GetTscKhz, "GET_TSC_KHZ"),
    ];
    let (there, absent): (Vec<_>, Vec<_>) = optional
        .into_iter()
        .partition(|(cap, _)| kvm.check_extension(*cap));
    let names = |caps: &[(Cap, &str)]| {
        caps.iter()
            .map(|(_, name)| *name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut fact = "USER_MEMORY, SPLIT_IRQCHIP, SIGNAL_MSI, EXT_CPUID, IMMEDIATE_EXIT".to_owned();
    if !there.is_empty() {
        let _ = write!(fact, ", {}", names(&there));
    }
    if absent.is_empty() {
        Finding::good("capabilities", fact)
    } else {
        let _ = write!(fact, "; without {}", names(&absent));
        Finding::problem(
            "capabilities",
            Verdict::Costly,
            fact,
            "nothing to do: cowbell does without those",
        )
    }
}

/// Instructions a second in a guest's ring 0 and ring 3; below [`EMULATED`] ring 0 is emulated.
///
/// # Errors
/// A guest does not run.
pub fn ring_speeds(kvm: &Kvm) -> Result<(f64, f64)> {
    Ok((
        probe::speed(kvm, Ring::Zero)?,
        probe::speed(kvm, Ring::Three)?,
    ))
}

fn rings(kvm: &Kvm) -> Finding {
    const SUBJECT: &str = "ring 0";
    match ring_speeds(kvm) {
        Ok((zero, three)) => {
            let rates = format!("{} instructions/s (ring 3: {})", rate(zero), rate(three));
            if zero < EMULATED {
                Finding::problem(
                    SUBJECT,
                    Verdict::Costly,
                    format!("emulated by KVM, {rates}"),
                    "programs run at full speed, the guest kernel does not; for its real speed use a host whose \
                     processor has VMX or SVM to give (bare metal, or nested virtualisation switched on)",
                )
            } else {
                Finding::good(SUBJECT, format!("run by hardware, {rates}"))
            }
        }
        Err(error) => Finding::problem(
            SUBJECT,
            Verdict::Missing,
            format!("could not be measured: {error:#}"),
            "run with --accel tcg and compare",
        ),
    }
}

fn exits(kvm: &Kvm) -> Finding {
    match probe::exit_time(kvm) {
        Ok(time) => Finding::good(
            "exits",
            format!(
                "{:.1} µs from the guest to cowbell and back",
                time.as_secs_f64() * 1e6
            ),
        ),
        Err(error) => Finding::problem(
            "exits",
            Verdict::Missing,
            format!("could not be measured: {error:#}"),
            "run with --accel tcg and compare",
        ),
    }
}

fn timers(kvm: &Kvm) -> Finding {
    let frequency = kvm
        .create_vm()
        .and_then(|vm| vm.create_vcpu(0))
        .and_then(|vcpu| vcpu.get_tsc_khz())
        .ok()
        .filter(|khz| *khz != 0);
    let deadline = kvm.check_extension(Cap::TscDeadlineTimer);
    let mut fact = "local APIC in KVM (x2APIC".to_owned();
    fact.push_str(if deadline { ", TSC deadline)" } else { ")" });
    match frequency {
        Some(khz) => {
            let _ = write!(
                fact,
                ", time-stamp counter at {}.{:03} MHz",
                khz / 1000,
                khz % 1000
            );
            Finding::good("timers", fact)
        }
        None => Finding::problem(
            "timers",
            Verdict::Costly,
            fact + ", time-stamp counter of unknown frequency",
            "nothing to do: the guest kernel measures it",
        ),
    }
}

/// A rate with two or three digits.
fn rate(per_second: f64) -> String {
    match per_second {
        1e9.. => format!("{:.1} billion", per_second / 1e9),
        1e6.. => format!("{:.1} million", per_second / 1e6),
        _ => format!("{:.0} thousand", per_second / 1e3),
    }
}

fn table(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let verdict = match finding.verdict {
            Verdict::Good => "ok",
            Verdict::Costly => "note",
            Verdict::Missing => "missing",
        };
        let _ = writeln!(text, "{verdict:8} {:18} {}", finding.subject, finding.fact);
        if let Some(advice) = &finding.advice {
            let _ = writeln!(text, "{:27} → {advice}", "");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_come_with_advice() {
        let findings = [
            Finding::good("a", "fine"),
            Finding::problem("b", Verdict::Missing, "not there", "do this"),
        ];
        let text = table(&findings);
        assert!(text.starts_with("ok       a "));
        assert!(text.contains("missing  b ") && text.ends_with("→ do this\n"));
    }

    #[test]
    fn rates_are_readable() {
        assert_eq!(rate(529_000.0), "529 thousand");
        assert_eq!(rate(1_900_000.0), "1.9 million");
        assert_eq!(rate(3.6e9), "3.6 billion");
    }
}

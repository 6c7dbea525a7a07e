//! What can run the guest on this host.

use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What runs the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// KVM.
    Kvm,
    /// QEMU's TCG.
    Tcg,
}

impl Engine {
    /// As `--accel` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kvm => "kvm",
            Self::Tcg => "tcg",
        }
    }
}

/// The engines of this host. QEMU is always one of them: without it there is nothing to compare with.
pub fn engines() -> &'static [Engine] {
    static ENGINES: OnceLock<&[Engine]> = OnceLock::new();
    ENGINES.get_or_init(|| {
        let qemu = Command::new("qemu-system-x86_64")
            .arg("--version")
            .stdin(Stdio::null())
            .output();
        assert!(
            qemu.is_ok_and(|output| output.status.success()),
            "qemu-system-x86_64 does not run here: scripts/test installs it"
        );
        match File::options().read(true).write(true).open("/dev/kvm") {
            Ok(_) => {
                tell("engines: kvm, tcg");
                &[Engine::Kvm, Engine::Tcg]
            }
            Err(error) => {
                assert!(
                    std::env::var_os("COWBELL_TEST_REQUIRE_KVM").is_none_or(|value| value != "1"),
                    "COWBELL_TEST_REQUIRE_KVM=1, and /dev/kvm: {error}"
                );
                tell(&format!(
                    "engines: tcg ALONE. /dev/kvm: {error}. The half of these tests that runs on KVM is LEFT OUT."
                ));
                &[Engine::Tcg]
            }
        }
    })
}

/// Writes a line past the test harness, which keeps back what a passing test prints.
fn tell(line: &str) {
    let _ = std::io::stderr().write_all(format!("\n*** {line}\n").as_bytes());
}

//! Counted instructions: exact, and so the same in every run.

use crate::machine::{Engine, Machine, engines, scratch};
use serde_json::Value;

/// Most instructions from the kernel's entry to the first one of process 1. Where ring 0 is emulated each takes half a
/// microsecond.
const BOOT: u64 = 100_000;

fn guest_figures(name: &str, program: &[&str]) -> Value {
    engines();
    let file = scratch::path(&format!("icount/{name}.json"));
    Machine::on(Engine::Tcg)
        .option(["--icount", "--stats=json", "--stats-file"])
        .option([&file])
        .program(program)
        .run()
        .expect_status(0);
    let stats: Value =
        serde_json::from_slice(&std::fs::read(&file).expect("the figures")).expect("JSON");
    let mut guest = stats["guest"].clone();
    // How long QEMU itself takes to begin is not the guest's: its clock is set to zero at the kernel's entry.
    let entry = guest["tsc_at_entry_ticks"].as_u64().expect("a count");
    let first = guest["tsc_at_first_user_ticks"].as_u64().expect("a count");
    guest["tsc_at_entry_ticks"] = 0.into();
    guest["tsc_at_first_user_ticks"] = (first - entry).into();
    guest
}

#[test]
fn figures_repeat_exactly() {
    for program in ["/bin/fork_exec", "/bin/cow_touch", "/bin/wait_any"] {
        let name = program.replace('/', "_");
        let first = guest_figures(&format!("first{name}"), &[program]);
        let second = guest_figures(&format!("second{name}"), &[program]);
        assert_eq!(first, second, "{program}");
        assert!(first["forks"].as_u64() > Some(0), "{first:#}");
    }
}

#[test]
fn boot_is_short() {
    let guest = guest_figures("boot", &["/bin/true"]);
    let instructions = guest["tsc_at_first_user_ticks"].as_u64().expect("a count");
    assert!((1..BOOT).contains(&instructions), "{instructions}");
}

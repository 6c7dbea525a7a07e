//! Exit statuses: the program's own whole range, and those of everything else that ends a machine.

use crate::machine::compiled::{self, Library};
use crate::machine::{Machine, engines, exported, scratch};
use contract::status;
use std::path::PathBuf;

fn kernel(number: u8) -> PathBuf {
    let source = scratch::source("../vmm/tests/kernels/tiny.s");
    compiled::kernel(
        &source,
        &format!("tiny{number}"),
        &format!("KERNEL={number}"),
    )
}

#[test]
fn a_program_has_the_whole_range() {
    let program = compiled::c("c/alone/status", Library::Musl);
    for &engine in engines() {
        for wanted in [
            0, 1, 2, 7, 42, 64, 99, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 137,
            143, 254, 255,
        ] {
            Machine::on(engine)
                .add(&program, "/status")
                .program(["/status", "exit", &wanted.to_string()])
                .run()
                .expect_status(wanted)
                .expect_silence();
        }
        // exit(3) takes the low eight bits.
        Machine::on(engine)
            .add(&program, "/status")
            .program(["/status", "exit", "259"])
            .run()
            .expect_status(3);
    }
}

#[test]
fn a_signal_is_128_and_its_number() {
    let program = compiled::c("c/alone/status", Library::Musl);
    for &engine in engines() {
        let ends = |arguments: &[&str], signal: u8| {
            let mut command = vec!["/status"];
            command.extend(arguments);
            Machine::on(engine)
                .add(&program, "/status")
                .program(command)
                .run()
                .expect_composure()
                .expect_status(128 + signal);
        };
        for signal in [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 13, 15, 31, 34, 64] {
            ends(&["kill", &signal.to_string()], signal);
        }
        ends(&["fault"], 11);
        ends(&["abort"], 6);
    }
}

#[test]
fn a_kernel_of_somebody_else_runs() {
    for &engine in engines() {
        Machine::on(engine)
            .option(["--kernel".as_ref(), kernel(0).as_os_str()])
            .run()
            .expect_status(7)
            .expect_output("hello\n");
    }
}

#[test]
fn a_triple_fault_shows_the_processor() {
    for &engine in engines() {
        let run = Machine::on(engine)
            .option(["--kernel".as_ref(), kernel(1).as_os_str()])
            .run()
            .expect_status(status::TRIPLE_FAULT)
            .expect_output("last words")
            .expect_said(&["cowbell: triple fault", "rip", "rsp"]);
        assert!(!run.stderr.contains("panicked at"), "{run:?}");
    }
}

#[test]
fn a_kernel_panic_shows_where() {
    // The kernel as it is, but for an instruction that there is not where fork begins.
    let (bytes, function) = exported::broken_kernel("fork");
    let kernel = scratch::file("statuses/broken.elf", &bytes);
    for &engine in engines() {
        Machine::on(engine)
            .option(["--kernel".as_ref(), kernel.as_os_str()])
            .program(["/bin/fork_exec"])
            .run()
            .expect_status(status::KERNEL_PANIC)
            .expect_said(&[
                "cowbell: the guest kernel panicked",
                "rip",
                "cr2",
                &function,
            ]);
    }
}

#[test]
fn the_timeout_ends_what_does_not_end() {
    let spin = compiled::c("c/alone/spin", Library::Musl);
    for &engine in engines() {
        for number in [2, 6] {
            Machine::on(engine)
                .option([
                    "--timeout".as_ref(),
                    "300ms".as_ref(),
                    "--kernel".as_ref(),
                    kernel(number).as_os_str(),
                ])
                .run()
                .expect_error(status::TIMEOUT)
                .names(&["--timeout"]);
        }
        for how in ["compute", "sleep", "children"] {
            Machine::on(engine)
                .add(&spin, "/spin")
                .option(["--timeout", "1500ms"])
                .program(["/spin", how])
                .run()
                .expect_error(status::TIMEOUT)
                .names(&["--timeout"]);
        }
    }
}

#[test]
fn a_doorbell_outside_memory_is_refused() {
    // QEMU has no doorbell: the kernel ends there as if nothing had happened.
    if engines().contains(&crate::machine::Engine::Kvm) {
        Machine::on(crate::machine::Engine::Kvm)
            .option(["--kernel".as_ref(), kernel(5).as_os_str()])
            .run()
            .expect_composure()
            .expect_status(status::HOST_ERROR)
            .expect_said(&["cowbell: "]);
    }
}

//! From a program: any system call with any arguments.

use crate::machine::compiled::{self, Library};
use crate::machine::{Engine, Machine, engines};

#[test]
fn every_call_with_hostile_arguments() {
    let program = compiled::c("c/alone/hostile_calls", Library::Musl);
    for &engine in engines() {
        Machine::on(engine)
            .add(&program, "/hostile_calls")
            .option(["--timeout", "200s"])
            // Where ring 0 is emulated, a process costs much.
            .program([
                "/hostile_calls",
                if engine == Engine::Kvm { "1" } else { "4" },
            ])
            .run()
            .expect_composure()
            .expect_status(0)
            .expect_output("other programs run\nsurvived\n");
    }
}

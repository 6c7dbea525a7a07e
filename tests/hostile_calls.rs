//! From a program: any system call with any arguments.

use crate::machine::compiled::{self, Library};
use crate::machine::{Machine, engines};

#[test]
fn every_call_with_hostile_arguments() {
    let program = compiled::c("c/alone/hostile_calls", Library::Musl);
    for &engine in engines() {
        Machine::on(engine)
            .add(&program, "/hostile_calls")
            .option(["--timeout", "200s"])
            .program(["/hostile_calls"])
            .run()
            .expect_composure()
            .expect_status(0)
            .expect_output("other programs run\nsurvived\n");
    }
}

//! Nine of the programs written in C, with nothing but POSIX: unmodified static Linux executables that print what
//! their Rust twins print, and what they print on Linux.

use crate::machine::compiled::{self, Library};
use crate::machine::lines::without_numbers;
use crate::machine::{Machine, engines, on_linux};

/// What is free in a program's output.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Free {
    /// Nothing but pids.
    Pids,
    /// The order of lines too: two processes run side by side.
    Order,
    /// Whether a core was dumped, which on Linux depends on the host's settings.
    CoreBit,
}

fn normal(text: &str, free: Free) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| match free {
            Free::Pids if line.contains("process") || line.contains("after its end") => {
                without_numbers(line)
            }
            Free::CoreBit => line
                .replace("0x008b", "0x000b")
                .replace("core bit 1", "core bit 0"),
            _ => line.to_owned(),
        })
        .collect();
    if free == Free::Order {
        lines.sort_unstable();
    }
    lines
}

#[track_caller]
fn twin(name: &str, free: Free) {
    let guest = format!("/{name}");
    for library in [Library::Glibc, Library::Musl] {
        let program = compiled::c(&format!("programs/{name}"), library);
        let linux = on_linux::program(&program, &[], &[], Vec::new()).expect_status(0);
        let expected = normal(&linux.text(), free);
        for &engine in engines() {
            let run = Machine::on(engine)
                .add(&program, &guest)
                .program([&guest])
                .run()
                .expect_status(0)
                .expect_silence();
            assert_eq!(
                normal(&run.text(), free),
                expected,
                "{library:?}{run:?}{linux:?}"
            );
        }
    }
    for &engine in engines() {
        let twin = Machine::on(engine)
            .program([format!("/bin/{name}")])
            .run()
            .expect_status(0);
        let program = compiled::c(&format!("programs/{name}"), Library::Musl);
        let run = Machine::on(engine)
            .add(&program, &guest)
            .program([&guest])
            .run();
        if free == Free::Order {
            assert_eq!(
                normal(&run.text(), free),
                normal(&twin.text(), free),
                "{run:?}{twin:?}"
            );
        } else {
            assert_eq!(run.text(), twin.text(), "{run:?}{twin:?}");
        }
    }
}

macro_rules! twins {
    ($($name:ident $free:ident)*) => {
        $(#[test] fn $name() { twin(stringify!($name), Free::$free); })*
    };
}

twins! {
    exec_echo Pids
    fork_exec Order
    exec_missing Pids
    fork_values Order
    fork_files Pids
    vfork_shares Pids
    wait_nohang Pids
    wait_status CoreBit
    exit_flush Pids
}

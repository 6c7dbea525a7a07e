//! Standard input: a pipe's bytes unchanged, its end, and none at all.

use crate::machine::random::Random;
use crate::machine::{Input, Machine, engines};

fn random_bytes(count: usize) -> Vec<u8> {
    let mut random = Random::seeded(5);
    (0..count).map(|_| random.next() as u8).collect()
}

#[test]
fn bytes_pass_unchanged() {
    // Every byte at a place of its own, and much of everything.
    let all: Vec<u8> = (0..=255).collect();
    for bytes in [all, random_bytes(48 << 10)] {
        for &engine in engines() {
            let run = Machine::on(engine)
                .program(["/bin/cat"])
                .stdin(Input::Bytes(bytes.clone()))
                .run()
                .expect_status(0)
                .expect_silence();
            let first_difference = run.stdout.iter().zip(&bytes).position(|(a, b)| a != b);
            assert_eq!(
                (run.stdout.len(), first_difference),
                (bytes.len(), None),
                "{engine:?}"
            );
        }
    }
}

#[test]
fn no_input_ends_at_once() {
    for &engine in engines() {
        for input in [Input::Bytes(Vec::new()), Input::Closed] {
            Machine::on(engine)
                .program(["/bin/cat"])
                .stdin(input)
                .run()
                .expect_status(0)
                .expect_silence()
                .expect_output("");
        }
    }
}

#[test]
fn input_that_nobody_reads_harms_nothing() {
    for &engine in engines() {
        Machine::on(engine)
            .program(["/bin/echo", "done"])
            .stdin(Input::Bytes(random_bytes(64 << 10)))
            .run()
            .expect_status(0)
            .expect_output("done\n");
    }
}

/// Input is there for whoever of several processes reads it, and each byte once.
#[test]
fn a_child_reads_what_its_parent_has_not() {
    for &engine in engines() {
        Machine::on(engine)
            .program(["/bin/cat", "-", "-"])
            .stdin(Input::Bytes(b"once\n".to_vec()))
            .run()
            .expect_status(0)
            .expect_output("once\n");
    }
}

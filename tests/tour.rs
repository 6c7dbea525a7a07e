//! The tour: what `cowbell` shows when it is told nothing.

use crate::machine::lines::without_numbers;
use crate::machine::{Machine, engines};

/// The text without what the counters and the scheduler are free to change.
fn story(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('['))
        .map(without_numbers)
        .collect();
    // Two processes side by side: their order is free.
    lines.sort_unstable();
    lines
}

#[test]
fn it_tells_its_story_on_every_engine() {
    let mut stories = Vec::new();
    for &engine in engines() {
        let run = Machine::on(engine).run().expect_status(0).expect_silence();
        let text = run.text();
        for part in [
            "cowbell: how processes are made",
            "  $ calc \"6*7\"\n    42\n",
            "    this is echo\n",
            "    p = g , number = 14\n",
            "    THIS IS ECHO\n",
            "    ran first: the child, then: the parent\n",
            "Counted by the kernel since it booted",
            "programs did what they should.\n",
        ] {
            assert!(text.contains(part), "missing: {part}{run:?}");
        }
        assert!(!text.contains("FAILED"), "{run:?}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{run:?}"
        );
        stories.push(story(&text));
    }
    assert!(
        stories.iter().all(|story| *story == stories[0]),
        "{stories:#?}"
    );
}

#[test]
fn no_arguments_mean_the_tour() {
    let run = Machine::command(&[]).run().expect_status(0);
    assert!(
        run.text().starts_with("cowbell: how processes are made\n"),
        "{run:?}"
    );
}

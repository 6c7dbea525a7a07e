//! The tour: what `cowbell` shows when it is told nothing.

use crate::machine::lines::without_numbers;
use crate::machine::{Engine, Machine, engines};

/// The text without what the counters and the scheduler are free to change.
fn story(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('['))
        // Which registers there are is the processor's to say; whether the tour runs or waits while ps looks, chance's.
        .filter(|line| !line.ends_with(" kept") && !line.ends_with(" init"))
        .map(without_numbers)
        .collect();
    // Two processes side by side: their order is free.
    lines.sort_unstable();
    lines
}

#[test]
fn it_tells_its_story_on_every_engine() {
    let mut stories = Vec::new();
    for (index, &engine) in engines().iter().enumerate() {
        // Without any argument it is the tour, on the best engine there is.
        let machine = if index == 0 {
            Machine::command(&[])
        } else {
            Machine::on(engine)
        };
        let run = machine.run().expect_status(0);
        assert_eq!(
            run.stderr.is_empty(),
            engines().contains(&Engine::Kvm),
            "{run:?}"
        );
        let text = run.text();
        for part in [
            "cowbell: how processes are made\n",
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
    for story in &stories {
        for (line, other) in story.iter().zip(&stories[0]) {
            assert_eq!(line, other);
        }
        assert_eq!(story.len(), stories[0].len());
    }
}

//! Starts broken into steps: all of a start from one run, the median of each step over the runs.

use super::engines::Engine;
use super::report::Start;
use super::statistics::Summary;
use serde_json::{Value, json};
use std::time::Duration;

/// Steps of a start in cowbell's monitor, and the phase that ends each.
const OWN_STEPS: [(&str, &str); 5] = [
    (
        "monitor: options, virtual machine, memory",
        "engine_ready_nanoseconds",
    ),
    ("monitor: to the first entry", FIRST_ENTRY),
    ("kernel: to the first user instruction", FIRST_USER),
    ("program, to the last exit", "last_exit_nanoseconds"),
    ("monitor: to its end", END),
];
/// Steps of a start in QEMU, which tells nothing of itself.
const QEMU_STEPS: [(&str, &str); 3] = [
    ("QEMU and firmware: to the kernel's entry", FIRST_ENTRY),
    ("kernel: to the first user instruction", FIRST_USER),
    ("program, and QEMU's end", END),
];
const FIRST_ENTRY: &str = "first_entry_nanoseconds";
const FIRST_USER: &str = "first_user_instruction_nanoseconds";
/// The phase that the bench adds to cowbell's own: the process has been waited for.
pub const END: &str = "end_nanoseconds";

/// A run in QEMU, in the form of cowbell's own figures: when the program told that it had begun, how long the kernel took
/// until then, and when QEMU had ended.
#[must_use]
pub fn in_qemu(begun: Duration, kernel: f64, end: Duration) -> Value {
    let begun = begun.as_nanos() as f64;
    json!({"phases": {
        FIRST_ENTRY: (begun - kernel).max(0.0),
        FIRST_USER: begun,
        END: end.as_nanos() as f64,
    }})
}

/// The steps of every engine that told enough, in the order of engines.
#[must_use]
pub fn of(runs: &[(Engine, Value)]) -> Vec<Start> {
    let engines = Engine::ALL.into_iter();
    engines
        .filter_map(|engine| {
            let steps: &[(&str, &str)] = if engine == Engine::CowbellKvm {
                &OWN_STEPS
            } else {
                &QEMU_STEPS
            };
            let runs = runs.iter().filter(|(of, _)| *of == engine);
            let steps = medians(steps, runs.map(|(_, run)| run))?;
            Some(Start { engine, steps })
        })
        .collect()
}

fn medians<'a>(
    steps: &[(&'static str, &str)],
    runs: impl Iterator<Item = &'a Value> + Clone,
) -> Option<Vec<(&'static str, f64)>> {
    let mut before = 0.0;
    let mut medians = Vec::new();
    for (step, phase) in steps {
        let ends = runs.clone().filter_map(|run| run["phases"][phase].as_f64());
        let end = Summary::of(ends)?.median;
        medians.push((*step, (end - before).max(0.0)));
        before = end;
    }
    Some(medians)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_add_up() {
        let run = |scale: u64| {
            json!({"phases": {
                "engine_ready_nanoseconds": 3 * scale,
                "first_entry_nanoseconds": 5 * scale,
                "first_user_instruction_nanoseconds": 6 * scale,
                "last_exit_nanoseconds": 10 * scale,
                "end_nanoseconds": 11 * scale,
            }})
        };
        let nanoseconds = Duration::from_nanos;
        let starts = of(&[
            (
                Engine::CowbellTcg,
                in_qemu(nanoseconds(8), 3.0, nanoseconds(10)),
            ),
            (Engine::CowbellKvm, run(10)),
            (Engine::CowbellKvm, run(20)),
            (Engine::CowbellKvm, run(30)),
        ]);
        let times = |start: &Start| -> Vec<f64> { start.steps.iter().map(|step| step.1).collect() };
        let [own, tcg] = starts.as_slice() else {
            panic!("{starts:?}")
        };
        assert_eq!(
            (own.engine, tcg.engine),
            (Engine::CowbellKvm, Engine::CowbellTcg)
        );
        assert_eq!(times(own), [60.0, 40.0, 20.0, 80.0, 20.0]);
        assert_eq!(times(tcg), [5.0, 3.0, 2.0]);
        assert!(of(&[(Engine::CowbellKvm, json!({"phases": {}}))]).is_empty());
    }
}

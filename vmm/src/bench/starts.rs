//! Starts broken into steps.

use super::engines::Engine;
use super::report::{Participant, Row, Start};
use super::statistics::Summary;
use serde_json::Value;

/// Steps of a start in cowbell's monitor, and the phase that ends each.
const OWN_STEPS: [(&str, &str); 5] = [
    (
        "monitor: options, virtual machine, memory",
        "engine_ready_nanoseconds",
    ),
    ("monitor: to the first entry", "first_entry_nanoseconds"),
    (
        "kernel: to the first user instruction",
        "first_user_instruction_nanoseconds",
    ),
    ("/bin/true, to the last exit", "last_exit_nanoseconds"),
    ("monitor: to its end", END),
];
/// The phase that the bench adds to cowbell's own: the process has been waited for.
pub const END: &str = "end_nanoseconds";

/// The steps of every engine that told enough. `own` are cowbell's own figures, run by run.
#[must_use]
pub fn of(rows: &[Row], participants: &[Participant], own: &[Value]) -> Vec<Start> {
    let mut starts = Vec::new();
    for (column, participant) in participants.iter().enumerate() {
        let median = |name: &str| {
            let row = rows.iter().find(|row| row.measure.name == name)?;
            Some(row.cells[column].summary()?.median)
        };
        let engine = participant.engine;
        let steps = match engine {
            Engine::CowbellKvm => own_steps(own),
            Engine::CowbellTcg | Engine::CowbellQemuKvm | Engine::CowbellQ35Kvm => {
                (|| qemu_steps(median("true")?, median("boot")?, median("kernel-boot")?))()
            }
            _ => None,
        };
        starts.extend(steps.map(|steps| Start { engine, steps }));
    }
    starts
}

fn own_steps(own: &[Value]) -> Option<Vec<(&'static str, f64)>> {
    let mut before = 0.0;
    let mut steps = Vec::new();
    for (step, phase) in OWN_STEPS {
        let ends = own.iter().filter_map(|run| run["phases"][phase].as_f64());
        let end = Summary::of(ends)?.median;
        steps.push((step, (end - before).max(0.0)));
        before = end;
    }
    Some(steps)
}

/// QEMU tells nothing of itself: what the kernel did not use was QEMU's and the firmware's.
fn qemu_steps(whole: f64, boot: f64, kernel: f64) -> Option<Vec<(&'static str, f64)>> {
    (boot > kernel).then(|| {
        let mut steps = vec![
            ("QEMU and firmware: to the kernel's entry", boot - kernel),
            ("kernel: to the first user instruction", kernel),
        ];
        // The two come from different runs: on a busy host the shorter one may have taken longer.
        if whole > boot {
            steps.push(("/bin/true, and QEMU's end", whole - boot));
        }
        steps
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

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
        let steps = own_steps(&[run(10), run(20), run(30)]).expect("all phases");
        let times: Vec<f64> = steps.iter().map(|(_, time)| *time).collect();
        assert_eq!(times, [60.0, 40.0, 20.0, 80.0, 20.0]);
        assert_eq!(own_steps(&[json!({"phases": {}})]), None);
        let steps = qemu_steps(10.0, 8.0, 3.0).expect("sound times");
        assert_eq!(steps.iter().map(|(_, time)| time).sum::<f64>(), 10.0);
        assert_eq!(qemu_steps(7.0, 8.0, 3.0).map(|steps| steps.len()), Some(2));
        assert_eq!(qemu_steps(10.0, 2.0, 3.0), None);
    }
}

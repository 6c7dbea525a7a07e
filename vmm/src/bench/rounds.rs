//! Takes the measures: round by round, in each round one engine after the other, so that what drifts on the host
//! meets all of them alike.

use super::child::{self, Ended};
use super::engines::{Engine, Kernel, cowbell};
use super::files::{Files, MEASURE, TRUE};
use super::measures::{Bound, Measure, Source};
use super::report::{Participant, Row, Start};
use super::starts;
use crate::interruption;
use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A run that takes longer is given up.
const LIMIT: Duration = Duration::from_secs(180);
/// Name of the measure that the first line of output gives.
const BOOT: &str = "boot";
/// That line's beginning.
const MARK: &[u8] = b"boot\t";
/// Name of the measure that the kernel's part of it is.
const KERNEL_BOOT: &str = "kernel-boot";
/// Largest parent in MiB, in the first round and in later ones, where each page fault takes a millisecond.
const EMULATED_SIZES: [u32; 2] = [16, 4];

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Rounds of measures taken inside.
    pub rounds: usize,
    /// Of them those in which instructions are counted: they repeat exactly.
    pub counting_rounds: usize,
    /// Rounds of whole runs.
    pub whole_rounds: usize,
    /// Of them those in which Linux, which takes seconds, takes part.
    pub linux_rounds: usize,
    /// Samples inside, of which the median is taken.
    pub samples: usize,
    /// Time that an engine may take for measures inside, and as much again for whole runs; it takes no part in rounds
    /// after that.
    pub budget: Duration,
}

/// An ordinary bench.
pub const FULL: Effort = Effort {
    rounds: 5,
    counting_rounds: 2,
    whole_rounds: 20,
    linux_rounds: 2,
    samples: 21,
    budget: Duration::from_secs(25),
};

/// A quick one. As many rounds, of fewer samples and sizes: it takes five to know a spread.
pub const QUICK: Effort = Effort {
    rounds: 5,
    counting_rounds: 2,
    whole_rounds: 5,
    linux_rounds: 1,
    samples: 5,
    budget: Duration::from_secs(5),
};

/// A bench under way.
pub struct Rounds<'a> {
    /// The files.
    pub files: &'a Files,
    /// The Linux kernel.
    pub linux: Option<PathBuf>,
    /// How much is done.
    pub effort: Effort,
    /// Whether KVM emulates ring 0.
    pub emulated: bool,
    /// Ticks of the time-stamp counter a nanosecond.
    pub ticks_per_nanosecond: f64,
    /// The engines.
    pub participants: &'a mut [Participant],
    /// The measures, no samples yet.
    pub rows: &'a mut [Row],
}

impl Rounds<'_> {
    /// Takes them all, or as many as there is time for until a signal comes. What fails on one engine is that engine's
    /// reason.
    pub fn take(&mut self) -> Vec<Start> {
        let inside = self
            .rows
            .iter()
            .any(|row| row.measure.source == Source::Inside);
        let whole = self
            .rows
            .iter()
            .any(|row| row.measure.source != Source::Inside);
        let mut plan: Vec<(usize, usize, bool)> = Vec::new();
        for (column, participant) in self.participants.iter().enumerate() {
            if participant.reason.is_some() {
                continue;
            }
            let engine = participant.engine;
            let linux = engine.kernel() == Kernel::Linux;
            let (mut rounds, mut wholes) = (self.effort.rounds, self.effort.whole_rounds);
            if linux {
                (rounds, wholes) = (rounds.min(3), self.effort.linux_rounds);
            }
            if engine.counts() {
                (rounds, wholes) = (self.effort.counting_rounds, 0);
            }
            plan.extend(
                (0..rounds)
                    .filter(|_| inside)
                    .map(|round| (round, column, true)),
            );
            plan.extend(
                (0..wholes)
                    .filter(|_| whole)
                    .map(|round| (round, column, false)),
            );
        }
        plan.sort();
        let bar = ProgressBar::new(plan.len() as u64).with_style(
            ProgressStyle::with_template("{bar:30} {pos}/{len} {elapsed} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        // The time goes on also while a Linux takes half a minute.
        bar.enable_steady_tick(Duration::from_secs(1));
        let mut phases = Vec::new();
        let mut spent = vec![[Duration::ZERO; 2]; self.participants.len()];
        for (round, column, inside) in plan {
            let engine = self.participants[column].engine;
            let spent = &mut spent[column][usize::from(inside)];
            let participant = &mut self.participants[column];
            if participant.reason.is_none() && *spent >= self.effort.budget {
                participant.left_out += 1;
            } else if participant.reason.is_none() {
                let start = Instant::now();
                bar.set_message(engine.help());
                let taken = if inside {
                    self.inside(round, column, engine)
                } else {
                    self.whole(round, column, engine)
                        .and_then(|()| self.stats(round, column, engine, &mut phases))
                        .and_then(|()| self.start_in_qemu(round, engine, &mut phases))
                };
                *spent += start.elapsed();
                // A signal from the keyboard ends the engine too: that is no fault of its own.
                if interruption::pending().is_some() {
                    break;
                }
                if let Err(error) = taken {
                    self.participants[column].reason = Some(format!("{error:#}"));
                }
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        if interruption::pending().is_none() {
            self.explain();
        }
        starts::of(&phases)
    }

    /// Runs `measure` on an engine.
    fn inside(&mut self, round: usize, column: usize, engine: Engine) -> Result<()> {
        let slow = self.emulated && engine.on_kvm();
        let largest = EMULATED_SIZES[usize::from(round > 0)];
        let wanted = |measure: &Measure| {
            measure.source == Source::Inside
                && !(slow && measure.size.is_some_and(|size| size > largest))
        };
        let samples = if slow {
            self.effort.samples.min(5)
        } else {
            self.effort.samples
        };
        let mut program = vec![MEASURE.to_owned(), format!("--rounds={samples}")];
        if engine != Engine::Host {
            program.push("--machine".to_owned());
        }
        let chosen: Vec<&Measure> = self
            .rows
            .iter()
            .map(|row| &row.measure)
            .filter(|measure| wanted(measure))
            .collect();
        if chosen.is_empty() {
            return Ok(());
        }
        let sizes: Vec<String> = super::measures::SIZES
            .iter()
            .filter(|size| chosen.iter().any(|measure| measure.size == Some(**size)))
            .map(u32::to_string)
            .collect();
        program.push(format!("--sizes={}", sizes.join(",")));
        program.extend(chosen.iter().map(|measure| measure.name.clone()));
        let command = engine.command(self.files, self.linux.as_deref(), &program)?;
        let ended = child::run(command, LIMIT, MARK)?;
        let lines = lines(&ended.stdout);
        ensure!(!lines.is_empty(), "no figures: {}", ended.complaint());
        for (name, value) in lines {
            let Some(row) = self.rows.iter_mut().find(|row| row.measure.name == name) else {
                continue;
            };
            let cell = &mut row.cells[column];
            match (value.parse::<f64>(), ended.mark) {
                (Ok(_), Some(mark)) if name == BOOT && !engine.counts() => {
                    cell.samples.push((round, mark.as_nanos() as f64));
                }
                (Ok(ticks), _) if engine.counts() => cell.samples.push((round, ticks)),
                (Ok(ticks), _) => {
                    cell.samples
                        .push((round, ticks / self.ticks_per_nanosecond));
                }
                (Err(_), _) => cell.reason = Some(value),
            }
        }
        Ok(())
    }

    /// Runs `/bin/true` on an engine and looks at the process.
    fn whole(&mut self, round: usize, column: usize, engine: Engine) -> Result<()> {
        if !self
            .rows
            .iter()
            .any(|row| row.measure.source == Source::WholeRun)
        {
            return Ok(());
        }
        let program = [TRUE.to_owned()];
        let command = engine.plain_command(self.files, self.linux.as_deref(), &program)?;
        let ended = child::run(command, LIMIT, b"")?;
        ensure!(
            came_to_its_end(engine, &ended),
            "/bin/true: {}",
            ended.complaint()
        );
        let own = std::env::current_exe().and_then(std::fs::metadata);
        for row in &mut *self.rows {
            let value = match row.measure.name.as_str() {
                "true" => ended.wall.as_nanos() as f64,
                // Linux counts the fork that a process began as, which is more than a small program needs.
                "true-memory" if engine == Engine::Host => continue,
                "true-memory" => ended.peak_resident as f64,
                "binary" => match (engine, &own) {
                    (Engine::CowbellKvm, Ok(file)) => file.len() as f64,
                    _ => continue,
                },
                _ => continue,
            };
            row.cells[column].samples.push((round, value));
        }
        Ok(())
    }

    /// Runs `/bin/true` in cowbell with its own figures, and keeps the steps of its start.
    fn stats(
        &mut self,
        round: usize,
        column: usize,
        engine: Engine,
        phases: &mut Vec<(Engine, Value)>,
    ) -> Result<()> {
        if engine != Engine::CowbellKvm {
            return Ok(());
        }
        let file = self.files.scratch("stats.json");
        let mut command = cowbell()?;
        command
            .args(["run", "--accel", "kvm", "--stats=json", "--stats-file"])
            .arg(&file)
            .args(["--", TRUE]);
        let ended = child::run(command, LIMIT, b"")?;
        let text = std::fs::read_to_string(&file).with_context(|| ended.complaint())?;
        let mut stats: Value = serde_json::from_str(&text).context("cowbell's own figures")?;
        for row in &mut *self.rows {
            if let Source::Stats(name) = row.measure.source {
                let cell = &mut row.cells[column];
                match stats["memory"][name].as_f64() {
                    Some(value) => cell.samples.push((round, value)),
                    None => cell.reason = stats["unavailable"][name].as_str().map(str::to_owned),
                }
            }
        }
        stats["phases"][starts::END] = (ended.wall.as_nanos() as f64).into();
        phases.push((engine, stats));
        Ok(())
    }

    /// Runs a program in cowbell's kernel in QEMU that only tells when it has begun, and keeps the steps of that start.
    fn start_in_qemu(
        &self,
        round: usize,
        engine: Engine,
        phases: &mut Vec<(Engine, Value)>,
    ) -> Result<()> {
        let tells = engine.kernel() == Kernel::Cowbell && engine.in_qemu();
        let wanted = self.rows.iter().any(|row| row.measure.name == "true");
        if !tells || !wanted || round >= self.effort.rounds {
            return Ok(());
        }
        let program = [MEASURE, "--machine", BOOT, KERNEL_BOOT].map(str::to_owned);
        let command = engine.plain_command(self.files, self.linux.as_deref(), &program)?;
        let ended = child::run(command, LIMIT, MARK)?;
        let kernel = lines(&ended.stdout)
            .into_iter()
            .find(|(name, _)| name == KERNEL_BOOT)
            .and_then(|(_, ticks)| ticks.parse::<f64>().ok());
        let (Some(begun), Some(kernel)) = (ended.mark, kernel) else {
            bail!("no figures: {}", ended.complaint());
        };
        let kernel = kernel / self.ticks_per_nanosecond;
        phases.push((engine, starts::in_qemu(begun, kernel, ended.wall)));
        Ok(())
    }

    /// Gives every cell without samples a reason.
    fn explain(&mut self) {
        for row in &mut *self.rows {
            for (cell, participant) in row.cells.iter_mut().zip(&*self.participants) {
                if cell.samples.is_empty() {
                    let reason = why_not(&row.measure, participant, self.emulated);
                    let told = cell.reason.take().filter(|_| participant.reason.is_none());
                    let glibc = self
                        .files
                        .without_glibc
                        .clone()
                        .filter(|_| row.measure.name.contains("glibc"));
                    cell.reason = glibc.filter(|_| told.is_some()).or(told).or(Some(reason));
                }
            }
        }
    }
}

/// Whether a machine has run its program: monitors tell that in different ways.
fn came_to_its_end(engine: Engine, ended: &Ended) -> bool {
    match (engine.kernel(), engine.in_qemu()) {
        // Exit::Exited(0) is 0x100 at the port of isa-debug-exit, and QEMU makes (value << 1) | 1 of it, in eight bits.
        (Kernel::Cowbell, true) => ended.status.code() == Some(1) && ended.stderr.is_empty(),
        // Linux panics when its init is gone, and QEMU ends with its reboot.
        _ => ended.status.success(),
    }
}

/// The reason for no samples, where nothing else has said one.
fn why_not(measure: &Measure, participant: &Participant, emulated: bool) -> String {
    let engine = participant.engine;
    if let Some(reason) = &participant.reason {
        return reason.clone();
    }
    match measure.source {
        Source::Stats(_) => "only cowbell's own monitor tells".to_owned(),
        Source::WholeRun if engine.counts() => {
            "a process on the host takes time, not instructions of the guest".to_owned()
        }
        Source::WholeRun if measure.name == "true-memory" => {
            "less than the process that it is forked from, which Linux counts too".to_owned()
        }
        Source::WholeRun => "there cowbell's executable is not run".to_owned(),
        Source::Inside if engine == Engine::Host => "no machine is started".to_owned(),
        Source::Inside if emulated && engine.on_kvm() && measure.bound == Bound::Kernel => {
            "ring 0 is emulated: filling that much memory would take a minute".to_owned()
        }
        Source::Inside => "the program did not tell".to_owned(),
    }
}

/// Lines with a name, a tab and a value. Consoles end them with carriage returns too.
fn lines(output: &[u8]) -> Vec<(String, String)> {
    String::from_utf8_lossy(output)
        .lines()
        .filter_map(|line| line.trim_end().split_once('\t'))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found_between_other_output() {
        let output = b"SeaBIOS\r\nboot\t12\r\nthe quick brown fox\ncow-fault\tmmap: ENOMEM\r\n";
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            lines(output),
            [pair("boot", "12"), pair("cow-fault", "mmap: ENOMEM")]
        );
    }
}

//! `cowbell bench`: what processes cost here, on every engine of this host, and compared with Linux.
//!
//! | step | module |
//! |---|---|
//! | what is measured, and on what | [`measures`], [`engines`], [`linux`] |
//! | the host; files; one run | [`facts`], [`files`], [`child`] |
//! | taking the measures | [`rounds`], [`starts`] |
//! | what they come to | [`statistics`], [`report`] |
//! | showing it | [`table`], [`json`], [`html`], [`plots`], [`destination`] |
//! | what is otherwise than it was | [`compare`], [`change`], [`findings`] |

mod amounts;
mod change;
mod child;
mod compare;
mod destination;
mod engines;
mod facts;
mod files;
mod findings;
mod html;
mod json;
mod linux;
mod measures;
mod plots;
mod report;
mod rounds;
mod starts;
mod statistics;
mod table;

use crate::command_line::{Bench, Linux};
use crate::interruption::{self, Interruption};
use crate::messages::say;
use crate::{closed_output, kvm, qemu};
use anyhow::{Context, Result, bail, ensure};
use compare::Earlier;
use destination::Destination;
use engines::{Engine, Kernel};
use facts::Facts;
use files::Files;
use measures::{QUICK_SIZES, SIZES};
use report::{Cell, Participant, Report, Row};
use rounds::{FULL, QUICK, Rounds};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// The reason of an engine that another one was asked for in place of.
const NOT_ASKED_FOR: &str = "not asked for (--engine)";

/// Takes the measures and shows them; the exit status.
///
/// # Errors
/// Nothing of what was asked for can run here, or a report cannot be written.
pub fn bench(options: &Bench) -> Result<u8> {
    ensure!(
        !closed_output::was_closed(),
        "standard output is closed: the table has nowhere to go"
    );
    let old = options.compare.as_deref().map(compare::read).transpose()?;
    let sizes: &[u32] = if options.quick { &QUICK_SIZES } else { &SIZES };
    let all = measures::all(sizes);
    for text in &options.only {
        ensure!(
            all.iter().any(|measure| measure.name.contains(text)),
            "no measure has {text} in its name; there are: {}",
            names(all.iter().map(|measure| measure.name.as_str()))
        );
    }
    let measures = measures::chosen(all, &options.only);
    for name in &options.engine {
        ensure!(
            Engine::ALL.iter().any(|engine| engine.name() == name),
            "there is no engine {name}; there are: {}",
            names(Engine::ALL.iter().map(|engine| engine.name()))
        );
    }
    let destinations = [
        Destination::new(&options.json, "--json")?,
        Destination::new(&options.html, "--html")?,
    ];
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let mut facts = Facts::gather();
    let (linux, no_linux) = match linux_kernel(options.linux.as_ref()) {
        Ok(kernel) => (Some(kernel), None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    facts.linux = linux.as_deref().map(linux::version);
    // From here on there are files that are to go, whatever ends this.
    interruption::install()?;
    let files = Files::write()?;
    let mut participants: Vec<Participant> = Engine::ALL
        .iter()
        .map(|&engine| Participant {
            engine,
            reason: unavailable(engine, options, &facts, no_linux.as_deref()),
            left_out: 0,
        })
        .collect();
    if participants
        .iter()
        .all(|participant| participant.reason.is_some())
    {
        bail!("nothing to measure on: {}", reasons(&participants));
    }
    let mut rows: Vec<Row> = measures
        .into_iter()
        .map(|measure| Row {
            measure,
            cells: vec![Cell::default(); participants.len()],
        })
        .collect();
    let effort = if options.quick { QUICK } else { FULL };
    let starts = Rounds {
        files: &files,
        linux,
        effort,
        emulated: facts.emulated(),
        ticks_per_nanosecond: facts.tsc_hertz / 1e9,
        participants: &mut participants,
        rows: &mut rows,
    }
    .take();
    let report = Report {
        time,
        quick: options.quick,
        rounds: effort.rounds,
        facts,
        participants,
        rows,
        starts,
    };
    match interruption::pending() {
        Some(Interruption::Signal(signal)) => {
            interrupted(&report, &destinations)?;
            Ok(128 | u8::try_from(signal).unwrap_or(0))
        }
        _ => {
            show(&report, old.as_ref(), &destinations)?;
            Ok(0)
        }
    }
}

/// Prints the table and writes the reports: where one of them cannot be written, the others still are.
fn show(report: &Report, old: Option<&Earlier>, destinations: &[Destination; 2]) -> Result<()> {
    let mut text = table::show(report);
    if let Some(old) = old {
        text.push_str(&findings::show(old, report));
    }
    let printed = print(&text);
    let [json, html] = destinations;
    let (json, html) = (
        json.write(&json::show(report)),
        html.write(&html::show(report)),
    );
    let written: Vec<&str> = [&json, &html]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if !written.is_empty() {
        say(&format!("wrote {}", written.join(" and ")));
    }
    ensure!(
        report.has_samples(),
        "no measure could be taken: {}",
        reasons(&report.participants)
    );
    printed.and(json).and(html).map(drop)
}

/// Prints what a bench that was interrupted has until then. It is no report that another one could be compared with.
fn interrupted(report: &Report, destinations: &[Destination; 2]) -> Result<()> {
    if report.has_samples() {
        print(&table::show(report))?;
    }
    let [json, html] = destinations;
    say(&format!(
        "interrupted: the table {}; {json} and {html} are not written",
        if report.has_samples() {
            "shows what was taken until then"
        } else {
            "would be empty"
        }
    ));
    Ok(())
}

fn print(text: &str) -> Result<()> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("cannot write to standard output")
}

fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    all.collect::<Vec<&str>>().join(", ")
}

/// Why none of the engines that were asked for can be measured on.
fn reasons(participants: &[Participant]) -> String {
    let reasons: Vec<String> = participants
        .iter()
        .filter_map(|participant| {
            let reason = participant.reason.as_ref()?;
            (reason != NOT_ASKED_FOR).then_some(())?;
            Some(format!("{}: {reason}", participant.engine.name()))
        })
        .collect();
    reasons.join("; ")
}

fn linux_kernel(asked: Option<&Linux>) -> Result<PathBuf> {
    match asked {
        None => bail!("not asked for (--linux)"),
        Some(Linux::Debian) => linux::debian().context("no Linux to compare with"),
        Some(Linux::Image(path)) => {
            File::open(path)
                .with_context(|| format!("cannot read the kernel {}", path.display()))?;
            Ok(path.clone())
        }
    }
}

/// Why an engine cannot take part.
fn unavailable(
    engine: Engine,
    options: &Bench,
    facts: &Facts,
    no_linux: Option<&str>,
) -> Option<String> {
    if !options.engine.is_empty() && !options.engine.iter().any(|name| name == engine.name()) {
        return Some(NOT_ASKED_FOR.to_owned());
    }
    if engine.kernel() == Kernel::Linux
        && let Some(reason) = no_linux
    {
        return Some(reason.to_owned());
    }
    if engine.in_qemu()
        && let Err(error) = qemu::find()
    {
        return Some(format!("{error:#}"));
    }
    if engine.on_kvm()
        && let Err(error) = kvm::open()
    {
        return Some(format!("{error:#}"));
    }
    (engine == Engine::LinuxKvm && facts.emulated())
        .then(|| "KVM emulates ring 0 here: Linux would take many minutes to start".to_owned())
}

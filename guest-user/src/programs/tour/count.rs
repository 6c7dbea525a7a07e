//! What the kernel counted: for one program, and in the end.
use crate::Look;
use guest_user::counters::{Counter, Reader};
use guest_user::{Result, Status, println};

/// Runs `action` and prints what was counted meanwhile, where there is somebody who counts.
pub fn during(
    reader: &mut Reader,
    look: Look,
    action: impl FnOnce() -> Result<Status>,
) -> Result<Status> {
    let before = reader.read();
    let status = action()?;
    if let (Ok(before), Ok(after)) = (before, reader.read()) {
        let of = |counter| after.since(&before, counter);
        let (start, end) = look.dim();
        println!(
            "    {start}[fork {}, vfork {}, exec {}; tables copied {}, pages copied {}, zeroed {}]{end}",
            of(Counter::Forks),
            of(Counter::Vforks),
            of(Counter::Execs),
            of(Counter::TablesCopied),
            of(Counter::PagesCopied),
            of(Counter::PagesZeroed),
        );
    }
    Ok(status)
}

/// A row: what is counted, and what it means here.
type Row = (Counter, &'static str);

/// Rows that belong together have no empty line between them.
const GROUPS: [&[Row]; 5] = [
    &[
        (Counter::Forks, "processes made by fork"),
        (Counter::Vforks, "processes made by vfork"),
        (Counter::Execs, "times a process became another program"),
        (
            Counter::ExecTemplates,
            "programs laid out once, for exec to fork",
        ),
        (Counter::Exits, "processes that ended"),
        (Counter::Waits, "of these, waited for by their parents"),
        (Counter::ProcessesPeak, "most processes at once"),
    ],
    &[
        (
            Counter::TablesCopied,
            "page tables copied on the way to a write",
        ),
        (
            Counter::PagesCopied,
            "pages copied: somebody else had them too",
        ),
        (
            Counter::FaultsKept,
            "pages kept: nobody else had them any more",
        ),
    ],
    &[
        (
            Counter::FaultsDemandZero,
            "pages of zeros given at the first touch",
        ),
        (
            Counter::FaultsFile,
            "pages of a file given at the first touch",
        ),
        (Counter::FaultsFatal, "touches that ended the process"),
    ],
    &[
        (Counter::SystemCalls, "calls of the kernel"),
        (
            Counter::ContextSwitches,
            "times another process got the processor",
        ),
        (Counter::Preemptions, "of these, forced by the timer"),
        (Counter::TimerTicks, "interrupts by the timer"),
    ],
    &[
        (Counter::FramesTotal, "frames of 4 KiB in all"),
        (Counter::FramesUsedPeak, "most frames in use at once"),
        (Counter::FramesTables, "frames that are page tables now"),
        (Counter::FramesPages, "frames that are pages now"),
    ],
];

/// The counters that belong to the story, and what they mean.
pub fn table(reader: &mut Reader) {
    match reader.read() {
        Ok(values) => {
            println!("Counted by the kernel since it booted, each one by one, none estimated:");
            for rows in GROUPS {
                println!();
                for &(counter, meaning) in rows {
                    let (value, name) = (values.get(counter), counter.name());
                    println!("{value:>10}  {name:<23}  {meaning}");
                }
            }
        }
        Err(error) => {
            println!(
                "This kernel has none to show: /proc/cowbell: {}.",
                error.errno.name()
            );
        }
    }
}

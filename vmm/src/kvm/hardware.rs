//! The processor's own counters, guest only (perf_event_open(2) with `exclude_host`).

use crate::machine::Hardware;
use perf_event::events;
use perf_event::{Builder, Counter};
use std::io;

/// Counters of the thread that runs the virtual CPU.
pub struct Counters {
    cycles: Counter,
    instructions: Counter,
}

impl Counters {
    /// Starts to count.
    ///
    /// # Errors
    /// Why the host has no such counters.
    pub fn start() -> Result<Self, String> {
        let open = |event| {
            let mut builder = Builder::new(event);
            builder
                .exclude_host(true)
                .exclude_kernel(false)
                .exclude_hv(false);
            let mut counter = builder.build()?;
            counter.enable()?;
            Ok(counter)
        };
        let counters = open(events::Hardware::CPU_CYCLES).and_then(|cycles| {
            Ok(Self {
                cycles,
                instructions: open(events::Hardware::INSTRUCTIONS)?,
            })
        });
        counters.map_err(|error: io::Error| match error.raw_os_error() {
            Some(libc::ENOENT | libc::EOPNOTSUPP) => {
                format!("the host has no hardware performance counters (it may be a virtual machine itself): {error}")
            }
            Some(libc::EACCES | libc::EPERM) => {
                "not permitted: set kernel.perf_event_paranoid to 1 or less (sysctl)".to_owned()
            }
            _ => format!("perf_event_open failed: {error}"),
        })
    }

    /// What has been counted.
    ///
    /// # Errors
    /// As read(2).
    pub fn read(mut self) -> Result<Hardware, String> {
        let read = || -> io::Result<Hardware> {
            self.cycles.disable()?;
            self.instructions.disable()?;
            Ok(Hardware {
                cycles: self.cycles.read()?,
                instructions: self.instructions.read()?,
            })
        };
        let mut read = read;
        read().map_err(|error| format!("the hardware counters cannot be read: {error}"))
    }
}

//! What `/proc` shows (proc(5)): which processes there are, and where the text of each file is made.
mod process;
mod system;

use crate::arch::clock::SECOND;
use crate::console::Console;
use crate::host_names::HostNames;
use crate::process::{Current, Pid, Process, ProcessSlot, ProcessTable, Thread};
use contract::Errno;
use files::{DescriptionId, InodeId, OnExec, Output, ProcContent, ProcSource, ProcessHandle};

/// Nanoseconds of a clock tick: 100 a second (AT_CLKTCK).
const CLOCK_TICK: u64 = SECOND / 100;

/// The processes as the files see them.
pub struct ProcessesView<'a> {
    pub processes: &'a ProcessTable,
    pub names: &'a HostNames,
    /// What a pipe may hold.
    pub pipe_limit: u64,
    pub console: &'a Console,
    /// Who asks.
    pub current: Current,
}

impl ProcessesView<'_> {
    fn find(&self, pid: u32) -> Option<(ProcessSlot, &Process)> {
        let slot = self.processes.find(Pid(pid))?;
        Some((slot, &self.processes[slot]))
    }

    /// A thread of a process by its id.
    fn thread(&self, process: ProcessSlot, id: u32) -> Option<&Thread> {
        let slot = self.processes.find_thread(Pid(id))?;
        let thread = self.processes.thread(slot)?;
        (thread.process == process).then_some(thread)
    }
}

impl ProcSource for ProcessesView<'_> {
    fn next_process(&self, from: u32) -> Option<u32> {
        self.processes
            .next_by_pid(from)
            .map(|slot| self.processes[slot].pid.0)
    }

    fn write(&self, content: ProcContent, out: &mut dyn Output) -> Result<(), Errno> {
        // What cannot be written is `Output`'s own to remember.
        match content {
            ProcContent::Process(pid, file) => {
                self.write_process(pid, None, file, out).ok_or(Errno::ESRCH)
            }
            ProcContent::Thread(pid, thread, file) => self
                .write_process(pid, Some(thread), file, out)
                .ok_or(Errno::ESRCH),
            ProcContent::System(file) => self.write_system(file, out).map_err(|_| Errno::ENOMEM),
            ProcContent::Sys(file) => self.write_setting(file, out).map_err(|_| Errno::ENOMEM),
        }
    }

    fn executable(&self, process: u32) -> Option<&[u8]> {
        Some(&self.find(process)?.1.executable)
    }

    fn working_directory(&self, process: u32) -> Option<InodeId> {
        Some(self.find(process)?.1.working_directory)
    }

    fn descriptor(&self, process: u32, fd: u32) -> Option<DescriptionId> {
        self.find(process)?.1.descriptors.get_open(fd).ok()
    }

    fn closes_on_exec(&self, process: u32, fd: u32) -> bool {
        let found = self.find(process);
        found.is_some_and(|(_, process)| process.descriptors.on_exec(fd) == Ok(OnExec::Close))
    }

    fn is_left(&self, handle: ProcessHandle) -> bool {
        self.processes.holder_of(handle).is_some()
    }

    fn next_descriptor(&self, process: u32, from: u32) -> Option<u32> {
        self.find(process)?.1.descriptors.next_open(from)
    }

    fn next_thread(&self, process: u32, from: u32) -> Option<u32> {
        let (slot, _) = self.find(process)?;
        let threads = self.processes.threads_of(slot);
        // The first thread is there as long as its process, if only as a zombie.
        threads
            .map(|thread| self.processes[thread].tid.0)
            .chain([process])
            .filter(|&id| id >= from)
            .min()
    }

    fn asking_thread(&self) -> u32 {
        self.processes[self.current.thread].tid.0
    }
}

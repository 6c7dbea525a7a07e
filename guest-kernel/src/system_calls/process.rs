//! Process creation, exec and exit: the arguments of the calls. What they do is in
//! [`crate::process`].
use super::Outcome;
use super::paths::PathBuffer;
use crate::kernel::Kernel;
use crate::process::Status;
use crate::process::exec::UserStrings;
use crate::process::scheduler::Next;
use alloc::rc::Rc;
use contract::Errno;

impl Kernel {
    /// execve(2).
    pub fn execve(&mut self, path: u64, arguments: u64, environment: u64) -> Result<Next, Errno> {
        let who = self.current;
        let Some(memory) = &self.processes[who].memory else {
            return Err(Errno::ESRCH);
        };
        let space = Rc::clone(memory);
        let mut buffer = PathBuffer::take();
        let result = buffer.read(&space, path).and_then(|path| {
            self.exec(
                who,
                path,
                &mut UserStrings::new(&space, arguments),
                &mut UserStrings::new(&space, environment),
            )
        });
        crate::memory::space::AddressSpace::release(space);
        result.map(|()| Next::Same)
    }

    /// exit_group(2): exit(3) of all threads.
    pub fn exit_group(&mut self, status: u64) -> Outcome {
        self.end_process(self.current.process, Status::Exited(status as u8));
        Outcome::Other
    }
}

//! Threads: the arguments of clone and clone3, and what the threads library tells the kernel of a thread. What
//! they do is in [`crate::process`].
use super::Outcome;
use crate::kernel::Kernel;
use crate::memory::user::{self, UserBuffer};
use crate::process::clone::Request;
use crate::process::{Pid, ThreadSlot, signal, table};
use contract::{Errno, PAGE};
use linux_raw_sys::general as linux;

/// Bytes of `struct clone_args`: as it first was, and with all that has come since.
const FIRST_SIZE: u64 = 64;
const KNOWN_SIZE: u64 = 88;
/// Pid namespaces that can lie in one another (MAX_PID_NS_LEVEL).
const NAMESPACE_LEVELS: u64 = 32;
/// Bytes of `struct robust_list_head`.
const ROBUST_HEAD_SIZE: u64 = 24;

impl Kernel {
    /// fork(2).
    pub fn fork_call(&mut self) -> Result<Outcome, Errno> {
        self.create(&Request::FORK)
    }

    /// vfork(2).
    pub fn vfork_call(&mut self) -> Result<Outcome, Errno> {
        self.create(&Request::VFORK)
    }

    /// clone(2) with the raw arguments of x86-64.
    pub fn clone_call(
        &mut self,
        flags: u64,
        stack: u64,
        parent_tid: u64,
        child_tid: u64,
        tls: u64,
    ) -> Result<Outcome, Errno> {
        // Only the low half is looked at, and what came later than clone is not in it.
        let flags = u64::from(flags as u32);
        self.clone(&Request {
            flags: flags & !u64::from(linux::CSIGNAL),
            exit_signal: flags as u8,
            stack,
            parent_tid,
            child_tid,
            tls,
            tid: None,
        })
    }

    /// clone3, of clone(2).
    pub fn clone3(&mut self, arguments: u64, size: u64) -> Result<Outcome, Errno> {
        if size > PAGE {
            return Err(Errno::E2BIG);
        }
        if size < FIRST_SIZE {
            return Err(Errno::EINVAL);
        }
        let space = self.processes[self.current].space();
        let mut bytes = [0; KNOWN_SIZE as usize];
        let known = size.min(KNOWN_SIZE);
        if size > KNOWN_SIZE {
            let rest = UserBuffer {
                address: arguments.wrapping_add(KNOWN_SIZE),
                length: size - KNOWN_SIZE,
            };
            let mut later = 0;
            let read = rest.read_pieces::<Errno>(space, |_, piece| {
                later |= piece.iter().fold(0, |all, byte| all | byte);
                Ok(piece.len())
            })?;
            if read as u64 != rest.length {
                return Err(Errno::EFAULT);
            }
            if later != 0 {
                return Err(Errno::E2BIG);
            }
        }
        user::read(space, arguments, &mut bytes[..known as usize])?;
        let mut words = [0; KNOWN_SIZE as usize / 8];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_ne_bytes(bytes.try_into().unwrap_or_default());
        }
        let [
            flags,
            pidfd,
            child_tid,
            parent_tid,
            exit_signal,
            stack,
            stack_size,
            tls,
            set_tid,
            set_tid_count,
            cgroup,
        ] = words;
        if set_tid_count > NAMESPACE_LEVELS || (set_tid == 0) != (set_tid_count == 0) {
            return Err(Errno::EINVAL);
        }
        let exit_signal = match u8::try_from(exit_signal) {
            Ok(signal) if signal <= signal::LAST => signal,
            _ => return Err(Errno::EINVAL),
        };
        const INTO_CGROUP: u64 = linux::CLONE_INTO_CGROUP;
        if flags & INTO_CGROUP != 0 && (cgroup > i32::MAX as u64 || size < KNOWN_SIZE) {
            return Err(Errno::EINVAL);
        }
        let wanted = match set_tid_count {
            0 => None,
            _ => Some(user::read_u32(space, set_tid)?),
        };

        const BOTH: u64 = linux::CLONE_SIGHAND as u64 | linux::CLONE_CLEAR_SIGHAND;
        const NEW: u64 = linux::CLONE_CLEAR_SIGHAND | INTO_CGROUP;
        const NO_SIGNAL: u64 = (linux::CLONE_THREAD | linux::CLONE_PARENT) as u64;
        const UNUSED: u64 = (linux::CLONE_DETACHED | linux::CSIGNAL & !linux::CLONE_NEWTIME) as u64;
        if flags & !(u64::from(u32::MAX) | NEW) != 0
            || flags & UNUSED != 0
            || flags & BOTH == BOTH
            || (flags & NO_SIGNAL != 0 && exit_signal != 0)
            || (stack == 0) != (stack_size == 0)
            || user::check(stack, stack_size).is_err()
        {
            return Err(Errno::EINVAL);
        }
        // There are no control groups, and one pid namespace.
        if flags & INTO_CGROUP != 0 || set_tid_count > 1 {
            return Err(Errno::EINVAL);
        }
        let tid = match wanted {
            Some(0) => return Err(Errno::EINVAL),
            Some(tid) if tid > table::PID_MAX => return Err(Errno::EINVAL),
            tid => tid.map(Pid),
        };
        let request = Request {
            flags,
            exit_signal,
            stack: stack + stack_size,
            parent_tid,
            child_tid,
            tls,
            tid,
        };
        if request.has(linux::CLONE_PIDFD) {
            return self.clone_otherwise(&request, pidfd);
        }
        self.clone(&request)
    }

    /// gettid(2).
    pub fn thread_id(&self) -> u64 {
        u64::from(self.processes[self.current.thread].tid.0)
    }

    /// set_tid_address(2).
    pub fn set_tid_address(&mut self, address: u64) -> u64 {
        self.processes[self.current.thread].clear_child_tid = address;
        self.thread_id()
    }

    /// set_robust_list, of get_robust_list(2).
    pub fn set_robust_list(&mut self, head: u64, length: u64) -> Result<u64, Errno> {
        if length != ROBUST_HEAD_SIZE {
            return Err(Errno::EINVAL);
        }
        self.processes[self.current.thread].robust_list = head;
        Ok(0)
    }

    /// get_robust_list(2).
    pub fn get_robust_list(&self, tid: u64, head: u64, length: u64) -> Result<u64, Errno> {
        let list = match self.thread_named(tid) {
            Ok(slot) => self.processes[slot].robust_list,
            // Of a first thread that has ended nothing is left.
            Err(errno) => self
                .processes
                .find(Pid(tid as u32))
                .map(|_| 0)
                .ok_or(errno)?,
        };
        let space = self.processes[self.current].space();
        user::write_words(space, length, &[ROBUST_HEAD_SIZE])?;
        user::write_words(space, head, &[list])?;
        Ok(0)
    }

    /// The thread of an id, the caller for 0.
    pub fn thread_named(&self, tid: u64) -> Result<ThreadSlot, Errno> {
        match tid as u32 {
            0 => Ok(self.current.thread),
            tid => self.processes.find_thread(Pid(tid)).ok_or(Errno::ESRCH),
        }
    }

    /// exit(2), of one thread.
    pub fn exit_call(&mut self, status: u64) -> Outcome {
        self.exit_thread(status as u8);
        Outcome::Other
    }
}

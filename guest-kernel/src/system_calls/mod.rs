//! System calls: Linux's numbers, registers and errors (syscalls(2)), a file for each of the manual's
//! groups.
//!
//! A call's number is in RAX, its arguments in RDI RSI RDX R10 R8 R9, its result in RAX. Until a call has
//! its result, nothing of that is changed: a call that has to wait is simply asked again.
pub mod descriptors;
pub mod identity;
pub mod memory;
pub mod paths;
pub mod process;
pub mod signals;
pub mod terminal;
pub mod time;

use crate::kernel::Kernel;
use crate::process::scheduler::Next;
use crate::process::{State, Wait};
use crate::records::COUNTERS;
use contract::Errno;
use linux_raw_sys::general as nr;

/// How a system call goes on.
pub enum Outcome {
    /// It is over, with this in RAX.
    Return(u64),
    /// The process waits, and asks again when it is woken.
    Park(Wait),
    /// The registers are as they should be.
    Next(Next),
}

impl From<Result<u64, Errno>> for Outcome {
    #[inline]
    fn from(result: Result<u64, Errno>) -> Self {
        Self::Return(result.unwrap_or_else(Errno::to_return_value))
    }
}

impl From<Result<Next, Errno>> for Outcome {
    fn from(result: Result<Next, Errno>) -> Self {
        match result {
            Ok(next) => Self::Next(next),
            Err(errno) => Self::Return(errno.to_return_value()),
        }
    }
}

impl From<Result<Self, Errno>> for Outcome {
    fn from(result: Result<Self, Errno>) -> Self {
        result.unwrap_or_else(|errno| Self::Return(errno.to_return_value()))
    }
}

const NO_MEMORY: u64 = Errno::ENOMEM.to_return_value();

/// The current process asks.
#[inline]
pub fn enter(kernel: &mut Kernel) -> Next {
    let number = kernel.processes[kernel.current].context.registers.rax;
    COUNTERS.count_system_call(number);
    run(kernel, number, 0)
}

/// The current process asks again, with `progress` bytes of its call done.
pub fn again(kernel: &mut Kernel, progress: usize) -> Next {
    let number = kernel.processes[kernel.current].context.registers.rax;
    run(kernel, number, progress)
}

#[inline]
fn run(kernel: &mut Kernel, number: u64, progress: usize) -> Next {
    let mut outcome = dispatch(kernel, number, progress);
    // A call that fails for want of memory has changed nothing: what the kernel keeps for speed goes, and
    // it is asked once more.
    if matches!(outcome, Outcome::Return(NO_MEMORY)) && kernel.templates.drop_all() > 0 {
        outcome = dispatch(kernel, number, progress);
    }
    match outcome {
        Outcome::Return(value) => {
            kernel.processes[kernel.current].set_result(value);
            Next::Same
        }
        Outcome::Park(wait) => {
            let slot = kernel.current;
            if let State::Running = kernel.processes[slot].state {
                kernel.park(slot, wait);
            }
            Next::Other
        }
        Outcome::Next(next) => next,
    }
}

#[inline]
fn dispatch(kernel: &mut Kernel, number: u64, progress: usize) -> Outcome {
    let registers = &kernel.processes[kernel.current].context.registers;
    let [a, b, c, d, e, f] = [
        registers.rdi,
        registers.rsi,
        registers.rdx,
        registers.r10,
        registers.r8,
        registers.r9,
    ];
    let k = kernel;
    match u32::try_from(number).unwrap_or(u32::MAX) {
        // identity.rs
        nr::__NR_getpid | nr::__NR_gettid => Ok(k.process_id()).into(),
        nr::__NR_getppid => Ok(k.parent_id()).into(),
        nr::__NR_getuid | nr::__NR_geteuid | nr::__NR_getgid | nr::__NR_getegid => Ok(0).into(),
        nr::__NR_getpgrp => Ok(k.group_id()).into(),
        nr::__NR_getpgid => k.group_id_of(a).into(),
        nr::__NR_setpgid => k.set_group_id(a, b).into(),
        nr::__NR_getsid => k.session_id_of(a).into(),
        nr::__NR_setsid => k.new_session().into(),
        nr::__NR_uname => k.uname(a).into(),
        nr::__NR_arch_prctl => k.arch_prctl(a, b).into(),
        nr::__NR_set_tid_address => Ok(k.process_id()).into(),
        nr::__NR_getrandom => k.getrandom(a, b, c).into(),
        nr::__NR_sched_yield => Outcome::Next(k.sched_yield()),

        // process.rs
        nr::__NR_fork => k.fork_call().into(),
        nr::__NR_vfork => k.vfork_call().into(),
        nr::__NR_clone => k.clone([a, b, c, d, e, f]).into(),
        nr::__NR_execve => k.execve(a, b, c).into(),
        nr::__NR_exit | nr::__NR_exit_group => k.exit_call(a),
        nr::__NR_wait4 => k.wait4(a, b, c, d).into(),
        nr::__NR_waitid => k.waitid(a, b, c, d, e).into(),

        // signals.rs
        nr::__NR_kill => k.kill(a, b).into(),
        nr::__NR_tkill => k.tkill(a, b).into(),
        nr::__NR_tgkill => k.tgkill(a, b, c).into(),
        nr::__NR_rt_sigaction => k.rt_sigaction(a, b, c, d).into(),
        nr::__NR_rt_sigprocmask => k.rt_sigprocmask(a, b, c, d).into(),
        nr::__NR_rt_sigpending => k.rt_sigpending(a, b).into(),
        nr::__NR_rt_sigreturn => Outcome::Next(k.rt_sigreturn()),
        nr::__NR_rt_sigsuspend => k.rt_sigsuspend(a, b).into(),
        nr::__NR_sigaltstack => k.sigaltstack(a, b).into(),
        nr::__NR_pause => k.pause(),

        // memory.rs
        nr::__NR_brk => Ok(k.brk(a)).into(),
        nr::__NR_mmap => k.mmap([a, b, c, d, e, f]).into(),
        nr::__NR_munmap => k.munmap(a, b).into(),
        nr::__NR_mprotect => k.mprotect(a, b, c).into(),
        nr::__NR_madvise => k.madvise(a, b, c).into(),

        // time.rs
        nr::__NR_nanosleep => k.nanosleep(a, b).into(),
        nr::__NR_clock_nanosleep => k.clock_nanosleep(a, b, c, d).into(),
        nr::__NR_clock_gettime => k.clock_gettime(a, b).into(),
        nr::__NR_clock_getres => k.clock_getres(a, b).into(),
        nr::__NR_gettimeofday => k.gettimeofday(a, b).into(),
        nr::__NR_time => k.time(a).into(),

        // descriptors.rs
        nr::__NR_read => k.read(a, b, c, progress).into(),
        nr::__NR_write => k.write(a, b, c, progress).into(),
        nr::__NR_readv => k.readv(a, b, c, progress).into(),
        nr::__NR_writev => k.writev(a, b, c, progress).into(),
        nr::__NR_pread64 => k.pread(a, b, c, d).into(),
        nr::__NR_pwrite64 => k.pwrite(a, b, c, d).into(),
        nr::__NR_lseek => k.lseek(a, b, c).into(),
        nr::__NR_close => k.close(a).into(),
        nr::__NR_dup => k.dup(a).into(),
        nr::__NR_dup2 => k.dup2(a, b).into(),
        nr::__NR_dup3 => k.dup3(a, b, c).into(),
        nr::__NR_fcntl => k.fcntl(a, b, c).into(),
        nr::__NR_pipe => k.pipe(a, 0).into(),
        nr::__NR_pipe2 => k.pipe(a, b).into(),
        nr::__NR_fstat => k.fstat(a, b).into(),
        nr::__NR_ftruncate => k.ftruncate(a, b).into(),
        nr::__NR_getdents64 => k.getdents64(a, b, c).into(),
        nr::__NR_ioctl => k.ioctl(a, b, c).into(),
        nr::__NR_poll => k.poll(a, b, c).into(),

        // paths.rs
        nr::__NR_open => k.open(a, b, c, progress).into(),
        nr::__NR_openat => k.openat(a, b, c, d, progress).into(),
        nr::__NR_creat => k.creat(a, b, progress).into(),
        nr::__NR_stat => k.stat(a, b).into(),
        nr::__NR_lstat => k.lstat(a, b).into(),
        nr::__NR_newfstatat => k.newfstatat(a, b, c, d).into(),
        nr::__NR_access => k.access(a, b).into(),
        nr::__NR_faccessat => k.faccessat(a, b, c).into(),
        nr::__NR_readlink => k.readlink(a, b, c).into(),
        nr::__NR_readlinkat => k.readlinkat(a, b, c, d).into(),
        nr::__NR_mkdir => k.mkdir(a, b).into(),
        nr::__NR_rmdir => k.rmdir(a).into(),
        nr::__NR_unlink => k.unlink(a).into(),
        nr::__NR_mkdirat => k.mkdirat(a, b, c).into(),
        nr::__NR_unlinkat => k.unlinkat(a, b, c).into(),
        nr::__NR_fchmod => k.fchmod(a, b).into(),
        nr::__NR_fchdir => k.fchdir(a).into(),
        nr::__NR_symlink => k.symlink(a, b).into(),
        nr::__NR_symlinkat => k.symlinkat(a, b, c).into(),
        nr::__NR_link => k.link(a, b).into(),
        nr::__NR_linkat => k.linkat(a, b, c, d, e).into(),
        nr::__NR_rename => k.rename(a, b).into(),
        nr::__NR_renameat => k.renameat2(a, b, c, d, 0).into(),
        nr::__NR_renameat2 => k.renameat2(a, b, c, d, e).into(),
        nr::__NR_truncate => k.truncate(a, b).into(),
        nr::__NR_chmod => k.chmod(a, b).into(),
        nr::__NR_chdir => k.chdir(a).into(),
        nr::__NR_getcwd => k.getcwd(a, b).into(),
        nr::__NR_umask => Ok(k.umask(a)).into(),

        _ => {
            COUNTERS.mark_missing(number);
            Outcome::Return(Errno::ENOSYS.to_return_value())
        }
    }
}

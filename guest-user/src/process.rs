//! Processes: creating, ending, waiting, signalling.
use crate::call::{call, result};
use crate::status::Status;
use crate::{Errno, Error, Result, stdio};
use core::arch::naked_asm;
use core::mem::ManuallyDrop;
use linux_raw_sys::general as raw;

pub use raw::WNOHANG;

/// A process id.
pub type Pid = i32;

/// Where the program goes on after fork(2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fork {
    /// In the new process.
    Child,
    /// In the old one; the child's pid.
    Parent(Pid),
}

/// fork(2).
///
/// What `print!` has buffered is copied too, and then written by both: [`flush`](crate::flush) first.
///
/// # Errors
/// EAGAIN at a limit on processes, ENOMEM without memory.
pub fn fork() -> Result<Fork> {
    // SAFETY: the child has a copy of all memory, and one thread as the parent has: each of the two worlds
    // is one in which the call returned once.
    match unsafe { call!(fork) }? {
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(pid as Pid)),
    }
}

/// fork(2), with the child's part given: runs `child` in the new process, which exits with the status that
/// it returns, or 1 after reporting its error. The parent gets the child's pid.
///
/// # Errors
/// Those of [`fork`].
pub fn spawn(child: impl FnOnce() -> Result<u8>) -> Result<Pid> {
    match fork()? {
        Fork::Child => exit(crate::start::report(child())),
        Fork::Parent(pid) => Ok(pid),
    }
}

/// vfork(2), with the child's part given: `child` runs in the new process, on this process's memory and
/// stack, and the parent comes back from here only when the child has ended or become another program.
/// `child` returns the status for [`_exit`], where exec has not replaced it. It should do little else than
/// exec: whatever it does to memory is done to the parent's.
///
/// # Why this is sound
/// A `vfork` that returns, as C's does, returns twice into one stack frame, and the second time finds it as
/// the first run through the code behind left it; no Rust compiler knows of such calls. This one returns
/// once. The two system call returns happen in `vfork_and_call`, which keeps nothing on the stack but its
/// own return address: the child calls `child` from there, on the stack below, and never gets back. The
/// parent, suspended until then, returns. So to the compiler this is a plain function that called back and
/// returned; that the callback ran under another pid changes nothing about memory, because it is the same
/// memory and never used by both at once.
///
/// # Errors
/// EAGAIN at a limit on processes, ENOMEM without memory.
pub fn vfork<F: FnOnce() -> u8>(child: F) -> Result<Pid> {
    unsafe extern "C" fn run<F: FnOnce() -> u8>(child: *mut ManuallyDrop<F>) -> ! {
        // SAFETY: `vfork` passes its own live closure, and this runs once for it.
        let child = unsafe { ManuallyDrop::take(&mut *child) };
        _exit(child())
    }

    let mut child = ManuallyDrop::new(child);
    // SAFETY: `run` gets a pointer to the closure it is made for, alive until the call returns, and does
    // not return itself.
    let pid = unsafe { vfork_and_call((&raw mut child).cast(), run::<F> as *const ()) };
    if (pid as isize) < 0 {
        // SAFETY: no child came into being, so that the closure was not taken.
        unsafe { ManuallyDrop::drop(&mut child) };
    }
    result("vfork", pid).map(|pid| pid as Pid)
}

/// Calls vfork(2); the child then calls `function(argument)`, the parent returns RAX.
///
/// # Safety
/// `function` is an `extern "C" fn(*mut ()) -> !` that may be called with `argument`.
#[unsafe(naked)]
unsafe extern "C" fn vfork_and_call(argument: *mut (), function: *const ()) -> usize {
    naked_asm!(
        // RDI and RSI survive the system call: it changes RAX, RCX and R11 alone.
        "mov eax, {vfork}",
        "syscall",
        "test rax, rax",
        "jz 2f",
        "ret",
        // The child. The stack is as at entry, the parent's return address on top: it stays there, for
        // everything from here on goes below it. One word more puts the stack on 16 bytes for the call.
        "2:",
        "xor ebp, ebp",
        "sub rsp, 8",
        "call rsi",
        "ud2",
        vfork = const contract::Sysno::vfork as u32,
    )
}

/// exit(3): writes what `print!` has buffered and ends the process.
pub fn exit(status: u8) -> ! {
    // As in C, nobody is told here that standard output could not be written.
    let _ = stdio::flush();
    _exit(status)
}

/// _exit(2): ends the process and leaves the buffer unwritten.
pub fn _exit(status: u8) -> ! {
    loop {
        // SAFETY: no memory is passed; whatever the process holds is the kernel's to release.
        let _ = unsafe { call!(exit_group, status) };
    }
}

/// abort(3): ends the process by SIGABRT.
pub fn abort() -> ! {
    let _ = kill(getpid(), raw::SIGABRT);
    // Only where SIGABRT is blocked, ignored or handled.
    _exit(128 + raw::SIGABRT as u8)
}

/// waitpid(2) without a child that has changed: nothing (`WNOHANG`), else its pid and status.
///
/// # Errors
/// ECHILD without such a child.
pub fn wait4(pid: Pid, options: u32) -> Result<Option<(Pid, Status)>> {
    let mut status = 0_i32;
    // SAFETY: the call writes one status word, and there is room for one; no usage is asked for.
    let pid = unsafe { call!(wait4, pid, &raw mut status, options, 0) }?;
    Ok((pid != 0).then_some((pid as Pid, Status(status))))
}

/// waitpid(2): waits for this child to end, and takes its status.
///
/// # Errors
/// ECHILD where it is no child of this process, or has been waited for.
pub fn waitpid(pid: Pid) -> Result<Status> {
    loop {
        if let Some((_, status)) = wait4(pid, 0)? {
            return Ok(status);
        }
    }
}

/// waitpid(2) with `WNOHANG`: the child's status, or nothing while it runs.
///
/// # Errors
/// ECHILD where it is no child of this process, or has been waited for.
pub fn waitpid_nohang(pid: Pid) -> Result<Option<Status>> {
    Ok(wait4(pid, raw::WNOHANG)?.map(|(_, status)| status))
}

/// wait(2): waits for any child to end: its pid and status.
///
/// # Errors
/// ECHILD without any child.
pub fn wait() -> Result<(Pid, Status)> {
    loop {
        if let Some(ended) = wait4(-1, 0)? {
            return Ok(ended);
        }
    }
}

/// kill(2).
///
/// # Errors
/// ESRCH without such a process.
pub fn kill(pid: Pid, signal: u32) -> Result<()> {
    // SAFETY: no memory is passed.
    unsafe { call!(kill, pid, signal) }.map(drop)
}

/// signal(2) with SIG_IGN.
///
/// # Errors
/// EINVAL for a signal that cannot be ignored.
pub fn ignore_signal(signal: u32) -> Result<()> {
    const IGNORE: u64 = 1;
    set_action(signal, IGNORE)
}

/// signal(2) with SIG_DFL.
///
/// # Errors
/// EINVAL for a signal that has no other action.
pub fn default_signal(signal: u32) -> Result<()> {
    set_action(signal, 0)
}

fn set_action(signal: u32, action: u64) -> Result<()> {
    // Handler, flags, restorer, mask.
    let action = [action, 0, 0, 0];
    // SAFETY: the call reads 32 bytes, and the action is no function of ours.
    unsafe { call!(rt_sigaction, signal, action.as_ptr(), 0, 8) }.map(drop)
}

/// getpid(2).
pub fn getpid() -> Pid {
    // SAFETY: no memory is passed. It cannot fail.
    unsafe { call!(getpid) }.unwrap_or_default() as Pid
}

/// getppid(2).
pub fn getppid() -> Pid {
    // SAFETY: no memory is passed. It cannot fail.
    unsafe { call!(getppid) }.unwrap_or_default() as Pid
}

/// sched_yield(2).
pub fn sched_yield() {
    // SAFETY: no memory is passed. It cannot fail.
    let _ = unsafe { call!(sched_yield) };
}

/// Keeps this process on the CPU that it runs on, which the scheduler chose for being idle: getcpu(2),
/// sched_setaffinity(2).
///
/// # Errors
/// Those of the two calls; EINVAL from CPU 1024 on.
pub fn stay_on_this_cpu() -> Result<()> {
    const BITS: u32 = u64::BITS;
    let mut cpu = 0_u32;
    // SAFETY: the call writes one number of four bytes; a node is not asked for.
    unsafe { call!(getcpu, &raw mut cpu, 0, 0) }?;
    let mut mask = [0_u64; 16];
    let word = mask.get_mut((cpu / BITS) as usize).ok_or(Error {
        call: "sched_setaffinity",
        errno: Errno::EINVAL,
    })?;
    *word = 1 << (cpu % BITS);
    // SAFETY: the call reads one mask of that size.
    unsafe { call!(sched_setaffinity, 0, size_of_val(&mask), &raw const mask) }.map(drop)
}

/// reboot(2): ends the machine, for a pid 1 that has nothing more to do. Returns where the kernel does that when pid 1
/// exits.
pub fn power_off() {
    /// `LINUX_REBOOT_MAGIC1`, `LINUX_REBOOT_MAGIC2`, `LINUX_REBOOT_CMD_RESTART` (linux/reboot.h). A monitor told not to
    /// reboot ends; a power-off would need drivers.
    const RESTART: [usize; 3] = [0xfee1_dead, 0x2812_1969, 0x0123_4567];
    let [first, second, command] = RESTART;
    // SAFETY: no memory is passed.
    let _ = unsafe { call!(reboot, first, second, command) };
}

//! A system call, and creating processes.
use crate::plan::Plan;
use crate::rounds::{take, take_many, tell_why_not};
use core::ffi::CStr;
use guest_user::exec::execve;
use guest_user::files::{O_RDONLY, close, open};
use guest_user::{
    _exit, Errno, Error, Fork, Pid, Result, arguments, fork, getppid, vfork, waitpid,
};

/// Calls between two readings of the clock.
const CALLS: u64 = 32;
/// Longest path of a program, its NUL included.
const PATH_LIMIT: usize = 1024;

pub fn measure(plan: &Plan) -> Result<()> {
    take_many(plan, "getppid", CALLS, || {
        getppid();
        Ok(())
    })?;
    take(plan, "fork+exit+wait", || {
        waited(match fork()? {
            Fork::Child => _exit(0),
            Fork::Parent(child) => child,
        })
    })?;
    take(plan, "vfork+exit+wait", || waited(vfork(|| 0)?))?;
    for (program, by_fork, by_vfork) in [
        ("tiny", "fork+exec-tiny+wait", "vfork+exec-tiny+wait"),
        (
            "measure",
            "fork+exec-measure+wait",
            "vfork+exec-measure+wait",
        ),
        ("glibc", "fork+exec-glibc+wait", "vfork+exec-glibc+wait"),
    ] {
        let path = Path::beside_this(program);
        let path = path.as_c_str();
        if open(path, O_RDONLY).and_then(close).is_err() {
            for name in [by_fork, by_vfork] {
                if plan.wants(name) {
                    tell_why_not(name, "the program is not there")?;
                }
            }
            continue;
        }
        let replace = || {
            let _ = execve(path, &[path, c"child"], &[]);
            127
        };
        take(plan, by_fork, || {
            waited(match fork()? {
                Fork::Child => _exit(replace()),
                Fork::Parent(child) => child,
            })
        })?;
        take(plan, by_vfork, || waited(vfork(replace)?))?;
    }
    Ok(())
}

/// Waits for a child that ends with status 0; any other is taken for an exec that failed.
pub fn waited(child: Pid) -> Result<()> {
    if waitpid(child)?.0 == 0 {
        Ok(())
    } else {
        Err(Error {
            call: "execve",
            errno: Errno::ENOEXEC,
        })
    }
}

/// A path, NULs behind it.
struct Path([u8; PATH_LIMIT]);

impl Path {
    /// A program in the directory of this one.
    fn beside_this(program: &str) -> Self {
        let this = arguments().next().unwrap_or(c"").to_bytes();
        let directory = this
            .iter()
            .rposition(|&byte| byte == b'/')
            .map_or(0, |slash| slash + 1);
        let mut path = [0; PATH_LIMIT];
        let bytes = this[..directory].iter().chain(program.as_bytes());
        for (at, &byte) in path[..PATH_LIMIT - 1].iter_mut().zip(bytes) {
            *at = byte;
        }
        Self(path)
    }

    fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.0).unwrap_or(c"")
    }
}

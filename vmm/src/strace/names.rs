//! Names of flags and values, by the sets of `contract::calls`.

use contract::calls::Set;
use linux_raw_sys::{general, ioctl, net, prctl};

pub(super) type Names = &'static [(u64, &'static str)];

/// A list of constants with their names.
macro_rules! named {
    ($($module:ident::{$($name:ident)*})*) => {
        &[$($(($module::$name as u64, stringify!($name)),)*)*]
    };
}

/// How a set's values are made up.
enum Shape {
    /// One of a list.
    Value(Names),
    /// Flags together; what nothing is called.
    Flags(Names, &'static str),
    /// The low bits (this mask) are one of a list, the rest flags.
    Both(u64, Names, Names),
}

/// The value in words, `A|B|0x10` where a part has no name.
#[must_use]
pub fn show(set: Set, value: u64) -> String {
    // Flag words are ints: what is above is not looked at by the kernel.
    let value = match set {
        Set::Clone => value,
        _ => u64::from(value as u32),
    };
    match shape(set) {
        Shape::Value(names) => one_of(names, value),
        Shape::Flags(names, none) if value == 0 => {
            let zero = names.iter().find(|(bit, _)| *bit == 0);
            zero.map_or(none, |(_, name)| name).to_owned()
        }
        Shape::Flags(names, _) => together(names, value),
        Shape::Both(mask, values, flags) => {
            let low = one_of(values, value & mask);
            match value & !mask {
                0 => low,
                high => format!("{low}|{}", together(flags, high)),
            }
        }
    }
}

/// `sa_flags` of a signal's action.
#[must_use]
pub fn signal_action_flags(flags: u64) -> String {
    const NAMES: Names = named!(general::{
        SA_RESTORER SA_NOCLDSTOP SA_NOCLDWAIT SA_SIGINFO SA_ONSTACK SA_RESTART SA_NODEFER SA_RESETHAND
    });
    if flags == 0 {
        return "0".to_owned();
    }
    together(NAMES, flags)
}

/// Events of `struct pollfd`.
#[must_use]
pub fn poll_events(events: u16) -> String {
    const NAMES: Names = named!(general::{
        POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL POLLRDNORM POLLRDBAND POLLWRNORM POLLWRBAND POLLRDHUP
    });
    if events == 0 {
        return "0".to_owned();
    }
    together(NAMES, events.into())
}

/// Type and permissions of a file.
#[must_use]
pub fn file_mode(mode: u32) -> String {
    const TYPES: Names =
        named!(general::{S_IFREG S_IFDIR S_IFLNK S_IFCHR S_IFBLK S_IFIFO S_IFSOCK});
    const SPECIAL: Names = named!(general::{S_ISUID S_ISGID S_ISVTX});
    let mut parts = Vec::new();
    if mode & general::S_IFMT != 0 {
        parts.push(one_of(TYPES, (mode & general::S_IFMT).into()));
    }
    parts.extend(
        SPECIAL
            .iter()
            .filter(|(bit, _)| u64::from(mode) & bit != 0)
            .map(|(_, name)| (*name).to_owned()),
    );
    parts.push(permissions(mode & 0o777));
    parts.join("|")
}

/// Permissions alone: octal, three digits at least.
#[must_use]
pub fn permissions(mode: u32) -> String {
    format!("{:03}", format!("0{mode:o}")).replace(' ', "0")
}

pub(super) fn one_of(names: Names, value: u64) -> String {
    let found = names.iter().find(|(number, _)| *number == value);
    found.map_or_else(|| format!("{value:#x}"), |(_, name)| (*name).to_owned())
}

pub(super) fn together(names: Names, value: u64) -> String {
    let mut rest = value;
    let mut parts: Vec<String> = Vec::new();
    for (bits, name) in names {
        if *bits != 0 && rest & bits == *bits {
            rest &= !bits;
            parts.push((*name).to_owned());
        }
    }
    if rest != 0 || parts.is_empty() {
        parts.push(format!("{rest:#x}"));
    }
    parts.join("|")
}

/// Flags of open(2) but for the access mode; those that contain others first.
const OPEN: Names = named!(general::{
    O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_SYNC O_DSYNC O_DIRECT O_LARGEFILE O_NOFOLLOW O_NOATIME
    O_CLOEXEC O_PATH O_TMPFILE O_DIRECTORY FASYNC
});

const CLONE: Names = named!(general::{
    CLONE_VM CLONE_FS CLONE_FILES CLONE_SIGHAND CLONE_PIDFD CLONE_PTRACE CLONE_VFORK CLONE_PARENT CLONE_THREAD
    CLONE_NEWNS CLONE_SYSVSEM CLONE_SETTLS CLONE_PARENT_SETTID CLONE_CHILD_CLEARTID CLONE_DETACHED CLONE_UNTRACED
    CLONE_CHILD_SETTID CLONE_NEWCGROUP CLONE_NEWUTS CLONE_NEWIPC CLONE_NEWUSER CLONE_NEWPID CLONE_NEWNET CLONE_IO
});

/// Flags of clone(2) without the signal in the low byte, and of clone3(2).
#[must_use]
pub fn clone_flags(flags: u64) -> String {
    const CLEAR: (u64, &str) = (1 << 32, "CLONE_CLEAR_SIGHAND");
    if flags == 0 {
        return "0".to_owned();
    }
    let low = flags & !CLEAR.0;
    match (flags & CLEAR.0 != 0, low) {
        (false, _) => together(CLONE, low),
        (true, 0) => CLEAR.1.to_owned(),
        (true, _) => format!("{}|{}", together(CLONE, low), CLEAR.1),
    }
}

fn shape(set: Set) -> Shape {
    use Shape::{Both, Flags, Value};
    match set {
        Set::Access => Flags(
            const { &[(0, "F_OK"), (4, "R_OK"), (2, "W_OK"), (1, "X_OK")] },
            "F_OK",
        ),
        Set::Advice => Value(named!(general::{
            MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MADV_DONTNEED MADV_FREE MADV_REMOVE MADV_DONTFORK
            MADV_DOFORK MADV_MERGEABLE MADV_UNMERGEABLE MADV_HUGEPAGE MADV_NOHUGEPAGE MADV_DONTDUMP MADV_DODUMP
            MADV_WIPEONFORK MADV_KEEPONFORK MADV_COLD MADV_PAGEOUT MADV_POPULATE_READ MADV_POPULATE_WRITE
        })),
        Set::ArchPrctl => Value(
            const {
                &[
                    (0x1001, "ARCH_SET_GS"),
                    (0x1002, "ARCH_SET_FS"),
                    (0x1003, "ARCH_GET_FS"),
                    (0x1004, "ARCH_GET_GS"),
                    (0x1011, "ARCH_GET_CPUID"),
                    (0x1012, "ARCH_SET_CPUID"),
                ]
            },
        ),
        Set::At => Flags(
            named!(general::{
                AT_SYMLINK_NOFOLLOW AT_REMOVEDIR AT_SYMLINK_FOLLOW AT_NO_AUTOMOUNT AT_EMPTY_PATH
            }),
            "0",
        ),
        Set::Clock => Value(named!(general::{
            CLOCK_REALTIME CLOCK_MONOTONIC CLOCK_PROCESS_CPUTIME_ID CLOCK_THREAD_CPUTIME_ID CLOCK_MONOTONIC_RAW
            CLOCK_REALTIME_COARSE CLOCK_MONOTONIC_COARSE CLOCK_BOOTTIME CLOCK_REALTIME_ALARM CLOCK_BOOTTIME_ALARM
            CLOCK_TAI
        })),
        Set::Clone => Flags(CLONE, "0"),
        Set::CloseRange => Flags(
            const { &[(2, "CLOSE_RANGE_UNSHARE"), (4, "CLOSE_RANGE_CLOEXEC")] },
            "0",
        ),
        Set::Fallocate => Flags(
            named!(general::{
                FALLOC_FL_KEEP_SIZE FALLOC_FL_PUNCH_HOLE FALLOC_FL_COLLAPSE_RANGE FALLOC_FL_ZERO_RANGE
                FALLOC_FL_INSERT_RANGE
            }),
            "0",
        ),
        Set::Fcntl => Value(named!(general::{
            F_DUPFD F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_SETOWN F_GETOWN F_SETSIG F_GETSIG
            F_OFD_GETLK F_OFD_SETLK F_OFD_SETLKW F_SETLEASE F_GETLEASE F_NOTIFY F_DUPFD_CLOEXEC F_SETPIPE_SZ
            F_GETPIPE_SZ F_ADD_SEALS F_GET_SEALS F_SETOWN_EX F_GETOWN_EX
        })),
        Set::Memfd => Flags(
            named!(general::{
                MFD_CLOEXEC MFD_ALLOW_SEALING MFD_HUGETLB MFD_NOEXEC_SEAL MFD_EXEC
            }),
            "0",
        ),
        Set::Flock | Set::Lock => Flags(named!(general::{LOCK_SH LOCK_EX LOCK_UN LOCK_NB}), "0"),
        Set::Futex => Both(
            0x7f,
            named!(general::{
                FUTEX_WAIT FUTEX_WAKE FUTEX_FD FUTEX_REQUEUE FUTEX_CMP_REQUEUE FUTEX_WAKE_OP FUTEX_LOCK_PI
                FUTEX_UNLOCK_PI FUTEX_TRYLOCK_PI FUTEX_WAIT_BITSET FUTEX_WAKE_BITSET FUTEX_WAIT_REQUEUE_PI
                FUTEX_CMP_REQUEUE_PI FUTEX_LOCK_PI2
            }),
            named!(general::{FUTEX_PRIVATE_FLAG FUTEX_CLOCK_REALTIME}),
        ),
        Set::Ioctl => Value(named!(ioctl::{
            TCGETS TCSETS TCSETSW TCSETSF TCGETS2 TCSETS2 TCSBRK TCXONC TCFLSH TIOCEXCL TIOCNXCL TIOCSCTTY TIOCGPGRP
            TIOCSPGRP TIOCOUTQ TIOCSTI TIOCGWINSZ TIOCSWINSZ TIOCNOTTY TIOCGSID TIOCGPTN FIONREAD FIONBIO FIOASYNC
            FIOCLEX FIONCLEX
        })),
        Set::IdType => Value(named!(general::{P_ALL P_PID P_PGID P_PIDFD})),
        Set::Itimer => Value(named!(general::{ITIMER_REAL ITIMER_VIRTUAL ITIMER_PROF})),
        Set::Map => Both(
            3,
            const {
                &[
                    (0, "0"),
                    (1, "MAP_SHARED"),
                    (2, "MAP_PRIVATE"),
                    (3, "MAP_SHARED_VALIDATE"),
                ]
            },
            named!(general::{
                MAP_FIXED MAP_ANONYMOUS MAP_GROWSDOWN MAP_DENYWRITE MAP_EXECUTABLE MAP_LOCKED MAP_NORESERVE
                MAP_POPULATE MAP_NONBLOCK MAP_STACK MAP_HUGETLB MAP_SYNC MAP_FIXED_NOREPLACE
            }),
        ),
        Set::Message => Flags(
            const {
                &[
                    (1, "MSG_OOB"),
                    (2, "MSG_PEEK"),
                    (4, "MSG_DONTROUTE"),
                    (8, "MSG_CTRUNC"),
                    (0x20, "MSG_TRUNC"),
                    (0x40, "MSG_DONTWAIT"),
                    (0x80, "MSG_EOR"),
                    (0x100, "MSG_WAITALL"),
                    (0x4000, "MSG_NOSIGNAL"),
                    (0x8000, "MSG_MORE"),
                    (0x4000_0000, "MSG_CMSG_CLOEXEC"),
                ]
            },
            "0",
        ),
        Set::Msync => Flags(named!(general::{MS_ASYNC MS_INVALIDATE MS_SYNC}), "0"),
        Set::Open => Both(3, named!(general::{O_RDONLY O_WRONLY O_RDWR}), OPEN),
        Set::Pidfd => Flags(const { &[(0x800, "PIDFD_NONBLOCK")] }, "0"),
        Set::PipeFlags => Flags(OPEN, "0"),
        Set::Prctl => Value(named!(prctl::{
            PR_SET_PDEATHSIG PR_GET_PDEATHSIG PR_GET_DUMPABLE PR_SET_DUMPABLE PR_SET_KEEPCAPS PR_SET_NAME PR_GET_NAME
            PR_GET_SECCOMP PR_SET_SECCOMP PR_CAPBSET_READ PR_CAPBSET_DROP PR_SET_TIMERSLACK PR_GET_TIMERSLACK
            PR_SET_CHILD_SUBREAPER PR_GET_CHILD_SUBREAPER PR_SET_NO_NEW_PRIVS PR_GET_NO_NEW_PRIVS PR_GET_TID_ADDRESS
            PR_SET_VMA PR_SET_MM
        })),
        Set::Priority => Value(named!(general::{PRIO_PROCESS PRIO_PGRP PRIO_USER})),
        Set::Protection => Flags(
            named!(general::{PROT_READ PROT_WRITE PROT_EXEC PROT_SEM PROT_GROWSDOWN PROT_GROWSUP}),
            "PROT_NONE",
        ),
        Set::Random => Flags(
            named!(general::{GRND_NONBLOCK GRND_RANDOM GRND_INSECURE}),
            "0",
        ),
        Set::Remap => Flags(
            named!(general::{MREMAP_MAYMOVE MREMAP_FIXED MREMAP_DONTUNMAP}),
            "0",
        ),
        Set::Rename => Flags(
            named!(general::{RENAME_NOREPLACE RENAME_EXCHANGE RENAME_WHITEOUT}),
            "0",
        ),
        Set::Resource => Value(named!(general::{
            RLIMIT_CPU RLIMIT_FSIZE RLIMIT_DATA RLIMIT_STACK RLIMIT_CORE RLIMIT_RSS RLIMIT_NPROC RLIMIT_NOFILE
            RLIMIT_MEMLOCK RLIMIT_AS RLIMIT_LOCKS RLIMIT_SIGPENDING RLIMIT_MSGQUEUE RLIMIT_NICE RLIMIT_RTPRIO
            RLIMIT_RTTIME
        })),
        Set::Scheduler => Value(named!(general::{
            SCHED_NORMAL SCHED_FIFO SCHED_RR SCHED_BATCH SCHED_IDLE SCHED_DEADLINE
        })),
        Set::Seek => Value(named!(general::{SEEK_SET SEEK_CUR SEEK_END SEEK_DATA SEEK_HOLE})),
        Set::Shutdown => Value(const { &[(0, "SHUT_RD"), (1, "SHUT_WR"), (2, "SHUT_RDWR")] }),
        Set::SignalHow => Value(named!(general::{SIG_BLOCK SIG_UNBLOCK SIG_SETMASK})),
        Set::SocketDomain => Value(named!(net::{AF_UNIX AF_INET AF_INET6 AF_NETLINK})),
        Set::SocketKind => Both(
            0xf,
            named!(net::{SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_SEQPACKET}),
            const { &[(0o4000, "SOCK_NONBLOCK"), (0o2_000_000, "SOCK_CLOEXEC")] },
        ),
        Set::SocketLevel => Value(const { &[(1, "SOL_SOCKET")] }),
        Set::SocketOption => Value(
            const {
                &[
                    (2, "SO_REUSEADDR"),
                    (3, "SO_TYPE"),
                    (4, "SO_ERROR"),
                    (7, "SO_SNDBUF"),
                    (8, "SO_RCVBUF"),
                    (9, "SO_KEEPALIVE"),
                    (13, "SO_LINGER"),
                    (16, "SO_PASSCRED"),
                    (17, "SO_PEERCRED"),
                    (20, "SO_RCVTIMEO_OLD"),
                    (21, "SO_SNDTIMEO_OLD"),
                    (30, "SO_ACCEPTCONN"),
                    (38, "SO_PROTOCOL"),
                    (39, "SO_DOMAIN"),
                ]
            },
        ),
        Set::Statx => Both(
            0x6000,
            named!(general::{AT_STATX_SYNC_AS_STAT AT_STATX_FORCE_SYNC AT_STATX_DONT_SYNC}),
            named!(general::{AT_SYMLINK_NOFOLLOW AT_NO_AUTOMOUNT AT_EMPTY_PATH}),
        ),
        Set::StatxMask => Flags(
            named!(general::{
                STATX_BASIC_STATS STATX_TYPE STATX_MODE STATX_NLINK STATX_UID STATX_GID STATX_ATIME STATX_MTIME
                STATX_CTIME STATX_INO STATX_SIZE STATX_BLOCKS STATX_BTIME STATX_MNT_ID
            }),
            "0",
        ),
        Set::Timer => Flags(named!(general::{TIMER_ABSTIME}), "0"),
        Set::Usage => Value(
            const {
                &[
                    (0, "RUSAGE_SELF"),
                    (0xffff_ffff, "RUSAGE_CHILDREN"),
                    (1, "RUSAGE_THREAD"),
                ]
            },
        ),
        Set::Wait => Flags(
            named!(general::{WNOHANG WSTOPPED WEXITED WCONTINUED WNOWAIT __WNOTHREAD __WALL __WCLONE}),
            "0",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_named() {
        for (set, value, shown) in [
            (Set::Open, 0, "O_RDONLY"),
            (Set::Open, 0o102, "O_RDWR|O_CREAT"),
            (Set::Open, 0o2_200_000, "O_RDONLY|O_CLOEXEC|O_DIRECTORY"),
            (Set::Map, 0x22, "MAP_PRIVATE|MAP_ANONYMOUS"),
            (Set::Protection, 0, "PROT_NONE"),
            (Set::Protection, 3, "PROT_READ|PROT_WRITE"),
            (Set::Access, 0, "F_OK"),
            (Set::Access, 5, "R_OK|X_OK"),
            (Set::Futex, 0x81, "FUTEX_WAKE|FUTEX_PRIVATE_FLAG"),
            (Set::Wait, 3, "WNOHANG|WSTOPPED"),
            (Set::Wait, 0, "0"),
            (Set::At, 0x80_0000, "0x800000"),
            (Set::Ioctl, 0x5413, "TIOCGWINSZ"),
        ] {
            assert_eq!(show(set, value), shown);
        }
        assert_eq!(file_mode(0o100_644), "S_IFREG|0644");
        assert_eq!(file_mode(0o140_000), "S_IFSOCK|000");
        assert_eq!([permissions(0o22), permissions(0o644)], ["022", "0644"]);
        assert_eq!(file_mode(0o41_777), "S_IFDIR|S_ISVTX|0777");
    }
}

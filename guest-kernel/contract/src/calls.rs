//! The system calls that the kernel answers: what each takes, and how faithful it is to Linux.
//!
//! One line a call. The kernel refuses to compile where its own table and this one differ, `cowbell run --strace`
//! reads arguments by it, and `docs/system-calls.md` is made of it.
//!
//! ```text
//! openat [DirFd, Path, Flags(Open), Mode] "no permission checks";
//! mmap [Address, Size, …] -> Address "…";        where the result is not a number
//! ```
mod arguments;
mod groups;

use crate::Sysno;
use crate::counters::SYSTEM_CALLS;
pub use arguments::{Argument, Result, Set, Structure};
pub use groups::Group;

/// A call that the kernel answers.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Number and name.
    pub number: Sysno,
    /// The family it belongs to.
    pub group: Group,
    /// What it takes, in order.
    pub arguments: &'static [Argument],
    /// What it returns.
    pub result: Result,
    /// How faithful it is to Linux, as one short phrase.
    pub faithful: &'static str,
}

/// The entry of a call, if the kernel answers it.
#[must_use]
pub fn find(number: u64) -> Option<&'static Call> {
    CALLS
        .iter()
        .find(|call| u64::from(call.number.id().unsigned_abs()) == number)
}

/// Which calls have an entry, by number.
pub const PRESENT: [bool; SYSTEM_CALLS] = {
    let mut present = [false; SYSTEM_CALLS];
    let mut index = 0;
    while index < CALLS.len() {
        let number = CALLS[index].number as usize;
        assert!(!present[number], "a call has two entries");
        present[number] = true;
        index += 1;
    }
    present
};

macro_rules! calls {
    ($($group:ident { $($name:ident [$($argument:ident $(($detail:tt))?),*] $(-> $result:ident)? $faithful:literal;)* })*) => {
        /// All of them.
        pub const CALLS: &[Call] = &[$($(Call {
            number: Sysno::$name,
            group: Group::$group,
            arguments: &[$(argument!($argument $(($detail))?)),*],
            result: result!($($result)?),
            faithful: $faithful,
        },)*)*];
    };
}

macro_rules! argument {
    (Flags($set:ident)) => {
        Argument::Flags(Set::$set)
    };
    (In($structure:ident)) => {
        Argument::In(Structure::$structure)
    };
    (Out($structure:ident)) => {
        Argument::Out(Structure::$structure)
    };
    (InOut($structure:ident)) => {
        Argument::InOut(Structure::$structure)
    };
    ($name:ident($length:literal)) => {
        Argument::$name($length)
    };
    ($name:ident) => {
        Argument::$name
    };
}

macro_rules! result {
    () => {
        Result::Number
    };
    ($name:ident) => {
        Result::$name
    };
}

calls! {
    Identity {
        getpid [] "complete";
        gettid [] "complete";
        getppid [] "complete";
        getpgrp [] "complete";
        getpgid [Pid] "complete";
        setpgid [Pid, Pid] "complete";
        getsid [Pid] "complete";
        setsid [] "complete";
        arch_prctl [Flags(ArchPrctl), Address] "the FS base; no GS base, no CPUID faulting";
        set_tid_address [Address] "complete";
        getrandom [Writes, Size, Flags(Random)] "never waits";
        sched_yield [] "complete";
    }
    Credentials {
        getuid [] "complete; files, signals, priorities and limits depend on it";
        geteuid [] "complete; files, signals, priorities and limits depend on it";
        getgid [] "complete; files, signals, priorities and limits depend on it";
        getegid [] "complete; files, signals, priorities and limits depend on it";
        setuid [Number] "complete; files, signals, priorities and limits depend on it";
        setgid [Number] "complete; files, signals, priorities and limits depend on it";
        setreuid [Number, Number] "complete; files, signals, priorities and limits depend on it";
        setregid [Number, Number] "complete; files, signals, priorities and limits depend on it";
        setresuid [Number, Number, Number] "complete; files, signals, priorities and limits depend on it";
        setresgid [Number, Number, Number] "complete; files, signals, priorities and limits depend on it";
        getresuid [Out(Int), Out(Int), Out(Int)] "complete; files, signals, priorities and limits depend on it";
        getresgid [Out(Int), Out(Int), Out(Int)] "complete; files, signals, priorities and limits depend on it";
        setfsuid [Number] "complete; files, signals, priorities and limits depend on it";
        setfsgid [Number] "complete; files, signals, priorities and limits depend on it";
        getgroups [Number, Address] "complete; files, signals, priorities and limits depend on it";
        setgroups [Number, Address] "complete; files, signals, priorities and limits depend on it";
        capget [InOut(Long), Address] "kept; permissions depend on few of them";
        capset [In(Long), Address] "kept; permissions depend on few of them";
    }
    Process {
        fork [] "complete";
        vfork [] "complete";
        clone [Flags(Clone), Address, Address, Address, Address] "complete, but for namespaces";
        clone3 [In(CloneArguments), Size] "as clone, with set_tid; no control groups";
        execve [Path, Strings, Environment] "static programs and scripts; no dynamic interpreter";
        execveat [DirFd, Path, Strings, Environment, Flags(At)] "as execve";
        exit [Number] "complete";
        exit_group [Number] "complete";
        set_robust_list [Address, Size] "complete";
        get_robust_list [Pid, Out(Long), Out(Long)] "complete";
        prctl [Flags(Prctl), PrctlArgument, Address, Address, Address] "names, death signal, subreaper, dumpable, no_new_privs";
        wait4 [Pid, Out(Int), Flags(Wait), Out(Usage)] "complete";
        waitid [Flags(IdType), Pid, Out(SignalInfo), Flags(Wait), Out(Usage)] "complete";
        pidfd_open [Pid, Flags(Pidfd)] "complete";
    }
    Signals {
        kill [Pid, Signal] "complete";
        tkill [Pid, Signal] "complete";
        tgkill [Pid, Pid, Signal] "complete";
        rt_sigaction [Signal, In(SignalAction), Out(SignalAction), Size] "complete";
        rt_sigprocmask [Flags(SignalHow), In(SignalSet), Out(SignalSet), Size] "complete";
        rt_sigpending [Out(SignalSet), Size] "complete";
        rt_sigreturn [] "complete, with the whole SIMD frame";
        rt_sigsuspend [In(SignalSet), Size] "complete";
        sigaltstack [In(SignalStack), Out(SignalStack)] "complete";
        pause [] "complete";
        rt_sigqueueinfo [Pid, Signal, In(SignalInfo)] "complete";
        rt_tgsigqueueinfo [Pid, Pid, Signal, In(SignalInfo)] "complete";
        rt_sigtimedwait [In(SignalSet), Out(SignalInfo), In(Timespec), Size] "complete";
        pidfd_send_signal [Fd, Signal, In(SignalInfo), Number] "complete";
        restart_syscall [] "EINTR: no program asks for it";
    }
    Memory {
        brk [Address] -> Address "complete";
        mmap [Address, Size, Flags(Protection), Flags(Map), Fd, Offset] -> Address "no huge pages set apart; a private page that lies in the initramfs and was read does not see later writes";
        munmap [Address, Size] "complete";
        mprotect [Address, Size, Flags(Protection)] "complete; no protection keys";
        mremap [Address, Size, Size, Flags(Remap), Address] -> Address "complete";
        madvise [Address, Size, Flags(Advice)] "what changes contents; hints are taken and do nothing";
        msync [Address, Size, Flags(Msync)] "complete: all is written at once";
        mincore [Address, Size, Address] "complete";
        mlock [Address, Size] "complete: nothing ever leaves memory";
        mlock2 [Address, Size, Number] "complete: nothing ever leaves memory";
        munlock [Address, Size] "complete";
        mlockall [Number] "complete: nothing ever leaves memory";
        munlockall [] "complete";
        personality [Number] "ADDR_NO_RANDOMIZE; other bits are kept and do nothing";
    }
    Futex {
        futex [Address, Flags(Futex), Number, In(Timespec), Address, Number] "all but FUTEX_WAIT_REQUEUE_PI; who has a lock inherits no priority";
    }
    Time {
        nanosleep [In(Timespec), Out(Timespec)] "complete";
        clock_nanosleep [Flags(Clock), Flags(Timer), In(Timespec), Out(Timespec)] "complete";
        clock_gettime [Flags(Clock), Out(Timespec)] "the clocks of clock_gettime(2) but for TAI";
        clock_getres [Flags(Clock), Out(Timespec)] "complete";
        clock_settime [Flags(Clock), In(Timespec)] "the real time";
        settimeofday [In(Timeval), In(Timezone)] "the real time; the zone is taken and forgotten";
        adjtimex [Address] "reads: the clock is the host's, and not adjusted";
        clock_adjtime [Flags(Clock), Address] "as adjtimex";
        gettimeofday [Out(Timeval), Out(Timezone)] "complete";
        time [Out(Long)] "complete";
    }
    Resources {
        getrusage [Flags(Usage), Out(Usage)] "time is measured, the kernel's part of it by samples; no blocks of files, messages or swaps";
        times [Out(Times)] "as getrusage";
        getitimer [Flags(Itimer), Out(IntervalTimer)] "complete";
        setitimer [Flags(Itimer), In(IntervalTimer), Out(IntervalTimer)] "complete";
        alarm [Number] "complete";
        prlimit64 [Pid, Flags(Resource), In(Limit), Out(Limit)] "no core file is ever written";
        getrlimit [Flags(Resource), Out(Limit)] "complete";
        setrlimit [Flags(Resource), In(Limit)] "no core file is ever written";
        getpriority [Flags(Priority), Pid] "kept; the scheduler treats all alike";
        setpriority [Flags(Priority), Pid, Number] "kept; the scheduler treats all alike";
        sched_setscheduler [Pid, Flags(Scheduler), In(SchedulerParameter)] "kept; the scheduler treats all alike";
        sched_getscheduler [Pid] "kept; the scheduler treats all alike";
        sched_setparam [Pid, In(SchedulerParameter)] "kept; the scheduler treats all alike";
        sched_getparam [Pid, Out(SchedulerParameter)] "kept; the scheduler treats all alike";
        sched_get_priority_max [Flags(Scheduler)] "complete";
        sched_get_priority_min [Flags(Scheduler)] "complete";
        sched_rr_get_interval [Pid, Out(Timespec)] "complete";
        sched_getaffinity [Pid, Size, Out(Long)] "one processor";
        sched_setaffinity [Pid, Size, In(Long)] "one processor";
        getcpu [Out(Int), Out(Int), Address] "one processor";
    }
    Transfer {
        read [Fd, Writes, Size] "complete";
        write [Fd, Reads(2), Size] "complete";
        readv [Fd, WritesPieces(2), Size] "complete";
        writev [Fd, ReadsPieces(2), Size] "complete";
        pread64 [Fd, Writes, Size, Offset] "complete";
        pwrite64 [Fd, Reads(2), Size, Offset] "complete";
        preadv [Fd, WritesPieces(2), Size, Offset] "complete";
        pwritev [Fd, ReadsPieces(2), Size, Offset] "complete";
        preadv2 [Fd, WritesPieces(2), Size, Offset, Number, Number] "complete";
        pwritev2 [Fd, ReadsPieces(2), Size, Offset, Number, Number] "complete";
    }
    Descriptors {
        lseek [Fd, Offset, Flags(Seek)] "complete";
        close [Fd] "complete";
        close_range [Fd, Fd, Flags(CloseRange)] "complete";
        dup [Fd] "complete";
        dup2 [Fd, Fd] "complete";
        dup3 [Fd, Fd, Flags(PipeFlags)] "complete";
        fcntl [Fd, Flags(Fcntl), FcntlArgument] "leases are never broken by force; what a private mapping shows cannot be sealed against writing";
        pipe [Out(PipeEnds)] "complete";
        pipe2 [Out(PipeEnds), Flags(PipeFlags)] "complete";
        getdents64 [Fd, Entries, Size] "complete";
        getdents [Fd, Entries, Size] "complete";
        sendfile [Fd, Fd, InOut(Long), Size] "from regular files";
        copy_file_range [Fd, InOut(Long), Fd, InOut(Long), Size, Number] "complete";
        flock [Fd, Flags(Flock)] "complete";
        ioctl [Fd, Flags(Ioctl), IoctlArgument] "terminals, FIONREAD, FIONBIO, FIOASYNC, FIOCLEX";
    }
    Readiness {
        poll [Polls(1), Size, Number] "complete";
        ppoll [Polls(1), Size, InOut(Timespec), In(SignalSet), Size] "complete";
        select [Number, InOut(FdSet), InOut(FdSet), InOut(FdSet), InOut(Timeval)] "complete";
        pselect6 [Number, InOut(FdSet), InOut(FdSet), InOut(FdSet), InOut(Timespec), In(SignalMask)] "complete";
    }
    Sockets {
        socketpair [Flags(SocketDomain), Flags(SocketKind), Number, Out(PipeEnds)] "AF_UNIX";
        sendto [Fd, Reads(2), Size, Flags(Message), Address, Size] "on a pair";
        recvfrom [Fd, Writes, Size, Flags(Message), Address, Address] "on a pair";
        sendmsg [Fd, ReadsMessage, Flags(Message)] "on a pair";
        recvmsg [Fd, WritesMessage, Flags(Message)] "on a pair";
        shutdown [Fd, Flags(Shutdown)] "on a pair";
        getsockopt [Fd, Flags(SocketLevel), Flags(SocketOption), Out(Int), InOut(Int)] "on a pair";
        setsockopt [Fd, Flags(SocketLevel), Flags(SocketOption), In(Int), Size] "on a pair";
        getsockname [Fd, Address, Address] "on a pair";
        getpeername [Fd, Address, Address] "on a pair";
        socket [Flags(SocketDomain), Flags(SocketKind), Number] "EAFNOSUPPORT: there is no network";
        bind [Fd, Address, Size] "refused: there is no network";
        listen [Fd, Number] "refused: there is no network";
        connect [Fd, Address, Size] "refused: there is no network";
        accept [Fd, Address, Address] "refused: there is no network";
        accept4 [Fd, Address, Address, Flags(PipeFlags)] "refused: there is no network";
    }
    Names {
        mkdir [Path, Mode] "complete";
        rmdir [Path] "complete";
        unlink [Path] "complete";
        mkdirat [DirFd, Path, Mode] "complete";
        unlinkat [DirFd, Path, Flags(At)] "complete";
        symlink [Path, Path] "complete";
        symlinkat [Path, DirFd, Path] "complete";
        link [Path, Path] "complete";
        linkat [DirFd, Path, DirFd, Path, Flags(At)] "complete";
        rename [Path, Path] "complete";
        renameat [DirFd, Path, DirFd, Path] "complete";
        renameat2 [DirFd, Path, DirFd, Path, Flags(Rename)] "no whiteouts";
        mknod [Path, Mode, Device] "complete";
        mknodat [DirFd, Path, Mode, Device] "complete";
    }
    Status {
        stat [Path, Out(Stat)] "complete";
        lstat [Path, Out(Stat)] "complete";
        fstat [Fd, Out(Stat)] "complete";
        newfstatat [DirFd, Path, Out(Stat), Flags(At)] "complete";
        statx [DirFd, Path, Flags(Statx), Flags(StatxMask), Out(Statx)] "complete";
        statfs [Path, Out(StatFs)] "complete";
        fstatfs [Fd, Out(StatFs)] "complete";
        access [Path, Flags(Access)] "as for root";
        faccessat [DirFd, Path, Flags(Access)] "as for root";
        faccessat2 [DirFd, Path, Flags(Access), Flags(At)] "as for root";
    }
    Attributes {
        chmod [Path, Mode] "complete";
        fchmod [Fd, Mode] "complete";
        fchmodat [DirFd, Path, Mode] "complete";
        chown [Path, Number, Number] "complete";
        lchown [Path, Number, Number] "complete";
        fchown [Fd, Number, Number] "complete";
        fchownat [DirFd, Path, Number, Number, Flags(At)] "complete";
        utime [Path, In(UserTimes)] "complete";
        utimes [Path, In(TimevalPair)] "complete";
        futimesat [DirFd, Path, In(TimevalPair)] "complete";
        utimensat [DirFd, Path, In(TimespecPair), Flags(At)] "complete";
        getxattr [Path, Path, Address, Size] "EOPNOTSUPP: no file has any";
        lgetxattr [Path, Path, Address, Size] "EOPNOTSUPP: no file has any";
        fgetxattr [Fd, Path, Address, Size] "EOPNOTSUPP: no file has any";
        setxattr [Path, Path, Address, Size, Number] "EOPNOTSUPP: no file has any";
        lsetxattr [Path, Path, Address, Size, Number] "EOPNOTSUPP: no file has any";
        fsetxattr [Fd, Path, Address, Size, Number] "EOPNOTSUPP: no file has any";
        removexattr [Path, Path] "EOPNOTSUPP: no file has any";
        lremovexattr [Path, Path] "EOPNOTSUPP: no file has any";
        fremovexattr [Fd, Path] "EOPNOTSUPP: no file has any";
        listxattr [Path, Address, Size] "empty: no file has any";
        llistxattr [Path, Address, Size] "empty: no file has any";
        flistxattr [Fd, Address, Size] "empty: no file has any";
    }
    Storage {
        memfd_create [Path, Flags(Memfd)] "no huge pages";
        truncate [Path, Offset] "complete";
        ftruncate [Fd, Offset] "complete";
        fallocate [Fd, Flags(Fallocate), Offset, Offset] "complete";
        fadvise64 [Fd, Offset, Offset, Number] "checked; hints do nothing";
        readahead [Fd, Offset, Size] "checked; hints do nothing";
        fsync [Fd] "checked; there is no disk";
        fdatasync [Fd] "checked; there is no disk";
        sync [] "checked; there is no disk";
        syncfs [Fd] "checked; there is no disk";
        sync_file_range [Fd, Offset, Offset, Number] "checked; there is no disk";
    }
    Paths {
        open [Path, Flags(Open), Mode] "permission by the mode of the file alone";
        openat [DirFd, Path, Flags(Open), Mode] "permission by the mode of the file alone";
        creat [Path, Mode] "permission by the mode of the file alone";
        readlink [Path, Writes, Size] "complete";
        readlinkat [DirFd, Path, Writes, Size] "complete";
        fchdir [Fd] "complete";
        chdir [Path] "complete";
        getcwd [Writes, Size] "complete";
        umask [Mode] -> Mode "complete";
    }
    Host {
        uname [Out(SystemName)] "calls itself Linux, for programs that ask";
        sethostname [Reads(1), Size] "complete";
        setdomainname [Reads(1), Size] "complete";
        sysinfo [Out(SystemInfo)] "complete";
        syslog [Number, Address, Number] "the kernel's log can be read";
    }
}

/// Families that programs ask for and that are not here: each call answers ENOSYS, and is counted.
pub const ABSENT: &[(&str, &[Sysno])] = &[
    (
        "epoll",
        &[
            Sysno::epoll_create,
            Sysno::epoll_create1,
            Sysno::epoll_ctl,
            Sysno::epoll_wait,
            Sysno::epoll_pwait,
            Sysno::epoll_pwait2,
        ],
    ),
    (
        "Descriptors for events, timers, signals and changes of files",
        &[
            Sysno::eventfd,
            Sysno::eventfd2,
            Sysno::timerfd_create,
            Sysno::timerfd_settime,
            Sysno::timerfd_gettime,
            Sysno::signalfd,
            Sysno::signalfd4,
            Sysno::inotify_init,
            Sysno::inotify_init1,
            Sysno::inotify_add_watch,
            Sysno::inotify_rm_watch,
            Sysno::fanotify_init,
            Sysno::fanotify_mark,
        ],
    ),
    (
        "POSIX timers",
        &[
            Sysno::timer_create,
            Sysno::timer_settime,
            Sysno::timer_gettime,
            Sysno::timer_getoverrun,
            Sysno::timer_delete,
        ],
    ),
    (
        "Tracing",
        &[Sysno::ptrace, Sysno::perf_event_open, Sysno::bpf],
    ),
    ("Namespaces", &[Sysno::unshare, Sysno::setns]),
    (
        "io_uring",
        &[
            Sysno::io_uring_setup,
            Sysno::io_uring_enter,
            Sysno::io_uring_register,
        ],
    ),
];

//! The table of calls: what answers each, by number.
use super::buffers::Direction;
use super::dispatch::{Call, missing};
use super::{Outcome, extended_attributes, host};
use crate::kernel::Kernel;
use crate::process::credentials::Which;
use contract::Errno;
use contract::counters::SYSTEM_CALLS;
use files::Listing;
use linux_raw_sys::general as nr;

/// Makes a table by number of what to do about each call.
macro_rules! calls {
    (|$k:ident, $a:ident, $b:ident, $c:ident, $d:ident, $e:ident| $($($name:ident)|+ => $outcome:expr,)*) => {
        /// The table.
        pub const fn table() -> [Call; SYSTEM_CALLS] {
            let mut table: [Call; SYSTEM_CALLS] = [missing; SYSTEM_CALLS];
            $(
                {
                    #[allow(unused_variables, reason = "a call takes the arguments it has")]
                    extern "C" fn call(
                        $k: &mut Kernel, $a: u64, $b: u64, $c: u64, $d: u64, $e: u64,
                    ) -> Outcome {
                        $outcome
                    }
                    $(table[nr::$name as usize] = call;)+
                }
            )*
            table
        }

        /// Which calls are answered, by number.
        const ANSWERED: [bool; SYSTEM_CALLS] = {
            let mut answered = [false; SYSTEM_CALLS];
            $($(answered[nr::$name as usize] = true;)+)*
            answered
        };
    };
}

/// What answers each call.
pub static ANSWERS: [Call; SYSTEM_CALLS] = table();

/// Each call that is answered here has its line in `contract::calls`, and no other has. Where that is not so, the
/// index in the compiler's message is the call's number.
const _: () = {
    let mut number = 0;
    while number < SYSTEM_CALLS {
        if ANSWERED[number] && !contract::calls::PRESENT[number] {
            let a_line_in_contract_calls_is_missing_for_this_number: [(); 0] = [];
            let () = a_line_in_contract_calls_is_missing_for_this_number[number];
        }
        if !ANSWERED[number] && contract::calls::PRESENT[number] {
            let contract_calls_has_a_line_but_no_call_for_this_number: [(); 0] = [];
            let () = contract_calls_has_a_line_but_no_call_for_this_number[number];
        }
        number += 1;
    }
};

calls! { |k, a, b, c, d, e|
    // identity.rs
    __NR_getpid => Outcome::Return(k.process_id()),
    __NR_getppid => Outcome::Return(k.parent_id()),
    __NR_getpgrp => Outcome::Return(k.group_id()),
    __NR_getpgid => k.group_id_of(a).into(),
    __NR_setpgid => k.set_group_id(a, b).into(),
    __NR_getsid => k.session_id_of(a).into(),
    __NR_setsid => k.new_session().into(),
    __NR_arch_prctl => k.arch_prctl(a, b).into(),
    __NR_getrandom => k.getrandom(a, b, c).into(),

    // credentials.rs
    __NR_getuid => Outcome::Return(k.real_id(Which::User)),
    __NR_geteuid => Outcome::Return(k.effective_id(Which::User)),
    __NR_getgid => Outcome::Return(k.real_id(Which::Group)),
    __NR_getegid => Outcome::Return(k.effective_id(Which::Group)),
    __NR_setuid => k.set_id(Which::User, a).into(),
    __NR_setgid => k.set_id(Which::Group, a).into(),
    __NR_setreuid => k.set_real_and_effective(Which::User, a, b).into(),
    __NR_setregid => k.set_real_and_effective(Which::Group, a, b).into(),
    __NR_setresuid => k.set_all_ids(Which::User, a, b, c).into(),
    __NR_setresgid => k.set_all_ids(Which::Group, a, b, c).into(),
    __NR_getresuid => k.all_ids(Which::User, a, b, c).into(),
    __NR_getresgid => k.all_ids(Which::Group, a, b, c).into(),
    __NR_setfsuid => k.set_files_id(Which::User, a).into(),
    __NR_setfsgid => k.set_files_id(Which::Group, a).into(),
    __NR_getgroups => k.getgroups(a, b).into(),
    __NR_setgroups => k.setgroups(a, b).into(),

    // capabilities.rs
    __NR_capget => k.capget(a, b).into(),
    __NR_capset => k.capset(a, b).into(),

    // host.rs
    __NR_uname => k.uname(a).into(),
    __NR_sethostname => k.set_name(host::Which::Host, a, b).into(),
    __NR_setdomainname => k.set_name(host::Which::Domain, a, b).into(),
    __NR_sysinfo => k.sysinfo(a).into(),
    __NR_syslog => k.syslog(a, b, c).into(),

    // process.rs
    __NR_execve => k.execve(a, b, c).into(),
    __NR_execveat => k.execveat(a, b, c, d, e).into(),
    __NR_exit_group => k.exit_group(a),

    // wait.rs
    __NR_wait4 => k.wait4(a, b, c, d).into(),
    __NR_waitid => k.waitid(a, b, c, d, e).into(),

    // kill.rs
    __NR_kill => k.kill(a, b).into(),
    __NR_tkill => k.tkill(a, b).into(),
    __NR_tgkill => k.tgkill(a, b, c).into(),
    __NR_rt_sigqueueinfo => k.rt_sigqueueinfo(a, b, c).into(),
    __NR_rt_tgsigqueueinfo => k.rt_tgsigqueueinfo(a, b, c, d).into(),

    // pidfd.rs
    __NR_pidfd_open => k.pidfd_open(a, b).into(),
    __NR_pidfd_send_signal => k.pidfd_send_signal(a, b, c, d).into(),

    // signals.rs
    __NR_rt_sigaction => k.rt_sigaction(a, b, c, d).into(),
    __NR_rt_sigprocmask => k.rt_sigprocmask(a, b, c, d).into(),
    __NR_rt_sigpending => k.rt_sigpending(a, b).into(),
    __NR_rt_sigreturn => k.rt_sigreturn().into(),
    __NR_rt_sigsuspend => k.rt_sigsuspend(a, b).into(),
    __NR_rt_sigtimedwait => k.rt_sigtimedwait(a, b, c, d).into(),
    __NR_restart_syscall => Errno::EINTR.into(),
    __NR_sigaltstack => k.sigaltstack(a, b).into(),
    __NR_pause => k.pause(),

    // usage.rs
    __NR_getrusage => k.getrusage(a, b).into(),
    __NR_times => k.times(a).into(),
    __NR_getitimer => k.getitimer(a, b).into(),
    __NR_setitimer => k.setitimer(a, b, c).into(),
    __NR_alarm => k.alarm(a).into(),

    // limits.rs
    __NR_prlimit64 => k.prlimit(a, b, c, d).into(),
    __NR_getrlimit => k.getrlimit(a, b).into(),
    __NR_setrlimit => k.setrlimit(a, b).into(),

    // memory.rs, mmap.rs, mremap.rs, advice.rs
    __NR_brk => Outcome::Return(k.brk(a)),
    __NR_mmap => k.mmap(a, b, c, d, e).into(),
    __NR_munmap => k.munmap(a, b).into(),
    __NR_mprotect => k.mprotect(a, b, c).into(),
    __NR_mremap => k.mremap(a, b, c, d, e).into(),
    __NR_madvise => k.madvise(a, b, c).into(),
    __NR_msync => k.msync(a, b, c).into(),
    __NR_mincore => k.mincore(a, b, c).into(),
    __NR_mlock => k.mlock(a, b, 0).into(),
    __NR_mlock2 => k.mlock(a, b, c).into(),
    __NR_munlock => k.munlock(a, b).into(),
    __NR_mlockall => k.mlockall(a).into(),
    __NR_munlockall => k.munlockall().into(),
    __NR_personality => k.personality(a).into(),

    // threads.rs
    __NR_fork => k.fork_call().into(),
    __NR_vfork => k.vfork_call().into(),
    __NR_clone => k.clone_call(a, b, c, d, e).into(),
    __NR_clone3 => k.clone3(a, b).into(),
    __NR_exit => k.exit_call(a),
    __NR_gettid => Outcome::Return(k.thread_id()),
    __NR_set_tid_address => Outcome::Return(k.set_tid_address(a)),
    __NR_set_robust_list => k.set_robust_list(a, b).into(),
    __NR_get_robust_list => k.get_robust_list(a, b, c).into(),

    // futex.rs
    __NR_futex => k.futex(a, b, c, d, e).into(),

    // scheduling.rs
    __NR_sched_yield => k.sched_yield(),
    __NR_sched_getaffinity => k.sched_getaffinity(a, b, c).into(),
    __NR_sched_setaffinity => k.sched_setaffinity(a, b, c).into(),
    __NR_sched_setscheduler => k.sched_setscheduler(a, b, c).into(),
    __NR_sched_getscheduler => k.sched_getscheduler(a).into(),
    __NR_sched_setparam => k.sched_setparam(a, b).into(),
    __NR_sched_getparam => k.sched_getparam(a, b).into(),
    __NR_sched_get_priority_max => Kernel::sched_get_priority_max(a).into(),
    __NR_sched_get_priority_min => Kernel::sched_get_priority_min(a).into(),
    __NR_sched_rr_get_interval => k.sched_rr_get_interval(a, b).into(),
    __NR_getpriority => k.getpriority(a, b).into(),
    __NR_setpriority => k.setpriority(a, b, c).into(),
    __NR_getcpu => k.getcpu(a, b).into(),

    // prctl.rs
    __NR_prctl => k.prctl(a, b, c, d, e).into(),

    // time.rs
    __NR_nanosleep => k.nanosleep(a, b).into(),
    __NR_clock_nanosleep => k.clock_nanosleep(a, b, c, d).into(),
    __NR_clock_gettime => k.clock_gettime(a, b).into(),
    __NR_clock_getres => k.clock_getres(a, b).into(),
    __NR_clock_settime => k.clock_settime(a, b).into(),
    __NR_settimeofday => k.settimeofday(a, b).into(),
    __NR_adjtimex => k.clock_adjtime(u64::from(nr::CLOCK_REALTIME), a).into(),
    __NR_clock_adjtime => k.clock_adjtime(a, b).into(),
    __NR_gettimeofday => k.gettimeofday(a, b).into(),
    __NR_time => k.time(a).into(),

    // transfer.rs
    __NR_read => k.read(a, b, c),
    __NR_write => k.write(a, b, c),

    // vectored.rs
    __NR_readv => k.transfer_vector(Direction::Read, a, b, c).into(),
    __NR_writev => k.transfer_vector(Direction::Write, a, b, c).into(),
    __NR_pread64 => k.transfer_bytes_at(Direction::Read, a, b, c, d).into(),
    __NR_pwrite64 => k.transfer_bytes_at(Direction::Write, a, b, c, d).into(),
    __NR_preadv => k.transfer_vector_at(Direction::Read, a, b, c, d).into(),
    __NR_pwritev => k.transfer_vector_at(Direction::Write, a, b, c, d).into(),
    __NR_preadv2 => k.transfer_vector_with_flags(Direction::Read, a, b, c, d).into(),
    __NR_pwritev2 => k.transfer_vector_with_flags(Direction::Write, a, b, c, d).into(),

    // copying.rs
    __NR_sendfile => k.sendfile(a, b, c, d).into(),
    __NR_copy_file_range => k.copy_file_range([a, b], [c, d], e).into(),

    // descriptors.rs
    __NR_lseek => k.lseek(a, b, c).into(),
    __NR_close => k.close(a).into(),
    __NR_dup => k.dup(a).into(),
    __NR_dup2 => k.dup2(a, b).into(),
    __NR_dup3 => k.dup3(a, b, c).into(),
    __NR_fcntl => k.fcntl(a, b, c).into(),
    __NR_close_range => k.close_range(a, b, c).into(),
    __NR_pipe => k.pipe(a, 0).into(),
    __NR_pipe2 => k.pipe(a, b).into(),
    __NR_getdents => k.getdents(a, b, c, Listing::Old).into(),
    __NR_getdents64 => k.getdents(a, b, c, Listing::Wide).into(),
    __NR_ioctl => k.ioctl(a, b, c).into(),

    // locks.rs
    __NR_flock => k.flock(a, b).into(),

    // sockets.rs
    __NR_socket => k.socket(a, b).into(),
    __NR_socketpair => k.socketpair(a, b, c, d).into(),
    __NR_sendto => k.sendto(a, b, c, d, e).into(),
    __NR_recvfrom => k.recvfrom(a, b, c, d, e).into(),
    __NR_sendmsg => k.sendmsg(a, b, c).into(),
    __NR_recvmsg => k.recvmsg(a, b, c).into(),
    __NR_shutdown => k.shutdown(a, b).into(),
    __NR_getsockname | __NR_getpeername => k.socket_name(a, b, c).into(),
    __NR_getsockopt => k.getsockopt(a, b, c, d, e).into(),
    __NR_setsockopt => k.setsockopt(a, b, e).into(),
    __NR_bind | __NR_listen | __NR_connect | __NR_accept | __NR_accept4 => {
        k.socket_address_call(a).into()
    },

    // poll.rs
    __NR_poll => k.poll(a, b, c).into(),
    __NR_ppoll => k.ppoll(a, b, c, d, e).into(),
    __NR_select => k.select(a, [b, c, d], e).into(),
    __NR_pselect6 => k.pselect(a, [b, c, d], e).into(),

    // names.rs
    __NR_mkdir => k.mkdir(a, b).into(),
    __NR_rmdir => k.rmdir(a).into(),
    __NR_unlink => k.unlink(a).into(),
    __NR_mkdirat => k.mkdirat(a, b, c).into(),
    __NR_unlinkat => k.unlinkat(a, b, c).into(),
    __NR_symlink => k.symlink(a, b).into(),
    __NR_symlinkat => k.symlinkat(a, b, c).into(),
    __NR_link => k.link(a, b).into(),
    __NR_linkat => k.linkat(a, b, c, d, e).into(),
    __NR_rename => k.rename(a, b).into(),
    __NR_renameat => k.renameat2(a, b, c, d, 0).into(),
    __NR_renameat2 => k.renameat2(a, b, c, d, e).into(),

    __NR_mknod => k.mknod(a, b, c).into(),
    __NR_mknodat => k.mknodat(a, b, c, d).into(),

    // stat.rs
    __NR_stat => k.stat(a, b).into(),
    __NR_lstat => k.lstat(a, b).into(),
    __NR_fstat => k.fstat(a, b).into(),
    __NR_newfstatat => k.newfstatat(a, b, c, d).into(),
    __NR_statx => k.statx(a, b, c, d, e).into(),
    __NR_statfs => k.statfs(a, b).into(),
    __NR_fstatfs => k.fstatfs(a, b).into(),
    __NR_access => k.access(a, b).into(),
    __NR_faccessat => k.faccessat(a, b, c, 0).into(),
    __NR_faccessat2 => k.faccessat(a, b, c, d).into(),

    // attributes.rs
    __NR_chmod => k.chmod(a, b).into(),
    __NR_fchmod => k.fchmod(a, b).into(),
    __NR_fchmodat => k.fchmodat(a, b, c).into(),
    __NR_chown => k.chown(a, b, c).into(),
    __NR_lchown => k.lchown(a, b, c).into(),
    __NR_fchown => k.fchown(a, b, c).into(),
    __NR_fchownat => k.fchownat(a, b, c, d, e).into(),
    __NR_utime => k.utime(a, b).into(),
    __NR_utimes => k.utimes(a, b).into(),
    __NR_futimesat => k.futimesat(a, b, c).into(),
    __NR_utimensat => k.utimensat(a, b, c, d).into(),

    // extended_attributes.rs
    __NR_getxattr | __NR_removexattr => k.attribute_of_path(a, b, 0).into(),
    __NR_lgetxattr | __NR_lremovexattr => {
        k.attribute_of_path(a, b, extended_attributes::OF_LINK).into()
    },
    __NR_fgetxattr | __NR_fremovexattr => k.attribute_of_descriptor(a, b).into(),
    __NR_setxattr => k.set_attribute_of_path(a, b, d, e, 0).into(),
    __NR_lsetxattr => {
        k.set_attribute_of_path(a, b, d, e, extended_attributes::OF_LINK).into()
    },
    __NR_fsetxattr => k.set_attribute_of_descriptor(a, b, d, e).into(),
    __NR_listxattr => k.attributes_of_path(a, 0).into(),
    __NR_llistxattr => k.attributes_of_path(a, extended_attributes::OF_LINK).into(),
    __NR_flistxattr => k.attributes_of_descriptor(a).into(),

    // storage.rs
    __NR_truncate => k.truncate(a, b).into(),
    __NR_ftruncate => k.ftruncate(a, b).into(),
    __NR_memfd_create => k.memfd_create(a, b).into(),
    __NR_fallocate => k.fallocate(a, b, c, d).into(),
    __NR_sync => Outcome::Return(0),
    __NR_fsync | __NR_fdatasync => k.fsync(a).into(),
    __NR_syncfs => k.syncfs(a).into(),
    __NR_sync_file_range => k.sync_file_range(a, b, c, d).into(),
    __NR_fadvise64 => k.fadvise(a, c, d).into(),
    __NR_readahead => k.readahead(a).into(),

    // paths.rs
    __NR_open => k.open(a, b, c).into(),
    __NR_openat => k.openat(a, b, c, d).into(),
    __NR_creat => k.creat(a, b).into(),
    __NR_readlink => k.readlink(a, b, c).into(),
    __NR_readlinkat => k.readlinkat(a, b, c, d).into(),
    __NR_fchdir => k.fchdir(a).into(),
    __NR_chdir => k.chdir(a).into(),
    __NR_getcwd => k.getcwd(a, b).into(),
    __NR_umask => Outcome::Return(k.umask(a)),
}

//! From the end of boot to the first instruction of pid 1.
use crate::arch::context::UserContext;
use crate::arch::machine;
use crate::arch::registers::read_tsc;
use crate::boot::BootInfo;
use crate::boot::command_line::{Options, Tracing};
use crate::boot::tokens::Token;
use crate::files_out;
use crate::host_names::{self, Name};
use crate::kernel::{self, Kernel};
use crate::log;
use crate::memory::frames::{FRAMES, Use};
use crate::process::accounting::Usage;
use crate::process::credentials::Credentials;
use crate::process::descriptors::Descriptors;
use crate::process::family::Links;
use crate::process::initial_stack::{Strings, Text};
use crate::process::jobs::Job;
use crate::process::limits::Limits;
use crate::process::scheduling::Scheduling;
use crate::process::signal::{self, Signals, ThreadSignals};
use crate::process::thread::Fellows;
use crate::process::traits::Traits;
use crate::process::{Current, Members, NAME_LENGTH, Pid, Process, Resume, State, Thread};
use crate::records::COUNTERS;
use crate::system_calls::paths::time_of_change;
use crate::trace;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use contract::counters::Counter;
use contract::status::Exit;
use contract::{Errno, command_line};
use files::{LastLink, NoProcesses, OnExec, Owner, PATH_MAX, View};
use linux_raw_sys::general::{S_IFDIR, S_IFMT};

/// The program without `--` on the command line.
const DEFAULT_PROGRAM: &[u8] = b"/init";

/// Arguments or environment in the command line.
struct Texts<I>(I);

impl<I: Iterator<Item = Token> + Clone> Strings<'static> for Texts<I> {
    fn walk(
        &mut self,
        each: &mut dyn FnMut(Text<'static>) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        self.0.clone().try_for_each(|token| match token.plain() {
            Some(text) => each(Text::Kernel(text)),
            None => each(Text::Encoded(token.text())),
        })
    }
}

/// Builds the kernel and pid 1, and runs them.
pub fn run(boot: &'static BootInfo) -> ! {
    take_over_memory(boot);
    kernel::start(|kernel| {
        set_up(kernel, boot);
        start_first(kernel, boot);
    })
}

/// Makes pid 1, ready to run.
fn start_first(kernel: &mut Kernel, boot: &'static BootInfo) {
    let first = add_first_process(kernel);
    if boot.start_info.options.tracing == Tracing::On {
        trace::start();
    }
    files_out::expect(&boot.start_info.options);
    if let Some(directory) = boot.start_info.options.directory {
        enter_directory(kernel, first, directory);
    }
    match exec_first(kernel, first, &boot.start_info.options) {
        Ok(()) => kernel.arm_to_look(),
        Err(errno) => machine::exit(Exit::ExecFailed(errno.0)),
    }
}

/// Puts pid 1 into its working directory.
fn enter_directory(kernel: &mut Kernel, first: Current, token: Token) {
    let view = View {
        start: kernel.files.root(),
        process: 1,
        umask: 0,
        owner: Owner::ROOT,
        processes: &NoProcesses,
    };
    let directory =
        path_of(token).and_then(|path| kernel.files.lookup(&view, &path, LastLink::Follow));
    match directory {
        Ok(inode) if kernel.files.mode(inode) & S_IFMT == S_IFDIR => {
            let new = kernel.files.share_directory(inode);
            let process = &mut kernel.processes[first.process];
            let old = core::mem::replace(&mut process.working_directory, new);
            kernel.files.release_directory(&mut kernel.pages, old);
        }
        Ok(_) => bad_boot("the working directory is not a directory"),
        Err(_) => bad_boot("the working directory is not there"),
    }
}

/// The name of the machine in a token.
fn host_name(token: Token) -> Name {
    if let Some(name) = token.plain() {
        return Name::new(name);
    }
    let mut bytes = [0; host_names::NAME_LENGTH];
    let mut length = 0;
    for (place, byte) in bytes.iter_mut().zip(token.bytes()) {
        *place = byte;
        length += 1;
    }
    Name::new(&bytes[..length])
}

fn bad_boot(why: &str) -> ! {
    log!("cannot boot: {why}");
    machine::exit(Exit::BadBoot)
}

fn take_over_memory(boot: &BootInfo) {
    let [a, b, c, d, e, f, g] = boot.start_info.reserved();
    let reserved = [a, b, c, d, e, f, g, boot.tables.clone()];
    let ram = boot.start_info.ram();
    if FRAMES
        .with(|frames| frames.take_over(ram, &reserved, boot.start_info.options.ram))
        .is_err()
    {
        bad_boot("the machine has too little memory");
    }
}

/// Gives the kernel what the monitor gave.
fn set_up(kernel: &mut Kernel, boot: &BootInfo) {
    let Kernel { files, pages, .. } = kernel;
    files.set_clock(time_of_change);
    let archive = boot.start_info.initramfs().unwrap_or_default();
    if let Err(error) = files.take_archive(pages, archive) {
        log!("cannot boot: initramfs: {error}");
        machine::exit(Exit::BadBoot)
    }
    if let Err(errno) = files.populate(pages) {
        log!(
            "cannot boot: initramfs leaves no room for /dev and /proc: {}",
            errno.name()
        );
        machine::exit(Exit::BadBoot)
    }
    kernel.charged_until = read_tsc();
    kernel.console.set_up(boot.start_info.options.console);
    kernel.layout = boot.start_info.options.layout;
    kernel.at_end = boot.start_info.options.at_end;
    if let Some(name) = boot.start_info.options.host_name {
        kernel.names.host = host_name(name);
    }
}

fn add_first_process(kernel: &mut Kernel) -> Current {
    let Ok((vacancy, first)) = kernel.processes.vacancy(None) else {
        bad_boot("no room for a process")
    };
    if crate::memory::heap::require_reserve().is_err() {
        bad_boot("the machine has too little memory");
    }
    let Ok(descriptors) = standard_descriptors(kernel) else {
        bad_boot("no /dev/console")
    };
    let root = kernel.files.root();
    let signals = Signals::new();
    let executable = Rc::from(DEFAULT_PROGRAM);
    let Some(simd) = FRAMES.with(|frames| frames.allocate(Use::Kernel)) else {
        bad_boot("the machine has too little memory")
    };
    let pid = vacancy.pid();
    let thread = Thread {
        context: UserContext::new_for_exec(0, 0, simd),
        tid: pid,
        process: vacancy.slot(),
        state: State::Runnable(Resume::User),
        signals: ThreadSignals::new(),
        scheduling: Scheduling::default(),
        cpu: 0,
        next_in_queue: None,
        fellows: Fellows::default(),
        apart: None,
        clear_child_tid: 0,
        robust_list: 0,
        name: [0; NAME_LENGTH],
    };
    let process = Process {
        pid,
        group: pid,
        session: pid,
        ended: None,
        next_to_end: None,
        job: Job::NEW,
        exit_signal: signal::SIGCHLD,
        death_signal: 0,
        traits: Traits::default(),
        parent_thread: Pid(0),
        timers: None,
        usage: Usage::NONE,
        children_usage: Usage::NONE,
        resident: 0,
        memory: None,
        lender: None,
        shares: None,
        descriptors,
        working_directory: kernel.files.share_directory(root),
        umask: 0o022,
        credentials: Credentials::default(),
        limits: Limits::default(),
        signals,
        family: Links::default(),
        threads: Members::one(first.slot()),
        name: [0; NAME_LENGTH],
        executable,
        started: 0,
    };
    let current = Current {
        process: kernel.processes.insert(vacancy, Box::new(process)),
        thread: kernel.processes.insert_thread(first, Box::new(thread)),
    };
    COUNTERS.add(Counter::Processes, 1);
    COUNTERS.set(Counter::ProcessesPeak, 1);
    current
}

/// Descriptors 0, 1 and 2: the console, opened once.
fn standard_descriptors(kernel: &mut Kernel) -> Result<Descriptors, Errno> {
    let view = View {
        start: kernel.files.root(),
        process: 1,
        umask: 0,
        owner: Owner::ROOT,
        processes: &NoProcesses,
    };
    let Kernel { files, pages, .. } = kernel;
    let mut descriptors = Descriptors::new();
    let table = descriptors.own(files)?;
    let console = files.open_console(pages, &view)?;
    let input = files.install(pages, table, console, OnExec::Keep)?;
    files.duplicate(table, input, 0, OnExec::Keep)?;
    files.duplicate(table, input, 0, OnExec::Keep)?;
    Ok(descriptors)
}

fn exec_first(kernel: &mut Kernel, first: Current, options: &Options) -> Result<(), Errno> {
    let mut environment = Texts(options.environment());
    let Some(program) = options.arguments().next() else {
        let mut arguments = DefaultArguments;
        return kernel.exec_and_queue(first, DEFAULT_PROGRAM, &mut arguments, &mut environment);
    };
    let mut arguments = Texts(options.arguments());
    let name = path_of(program)?;
    if name.contains(&b'/') {
        return kernel.exec_and_queue(first, &name, &mut arguments, &mut environment);
    }
    // As a shell: a name without a slash is looked for along PATH.
    let search = options
        .environment()
        .find_map(|token| token.text().strip_prefix(b"PATH="))
        .unwrap_or_default();
    let mut last = Errno::ENOENT;
    for directory in search.split(|&byte| byte == b':') {
        let path = command_line::decode(directory).chain([b'/']);
        let path = path.chain(name.iter().copied());
        let path = collect(path, directory.len() + 1 + name.len())?;
        match kernel.exec_and_queue(first, &path, &mut arguments, &mut environment) {
            Ok(()) => return Ok(()),
            Err(Errno::ENOENT | Errno::ENOTDIR) => {}
            Err(errno) => last = errno,
        }
    }
    Err(last)
}

/// argv of the default program.
struct DefaultArguments;

impl Strings<'static> for DefaultArguments {
    fn walk(
        &mut self,
        each: &mut dyn FnMut(Text<'static>) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        each(Text::Kernel(DEFAULT_PROGRAM))
    }
}

impl Kernel {
    fn exec_and_queue(
        &mut self,
        first: Current,
        path: &[u8],
        arguments: &mut dyn Strings<'_>,
        environment: &mut dyn Strings<'_>,
    ) -> Result<(), Errno> {
        self.exec(first, path, arguments, environment)?;
        self.ready.push(self.processes, first.thread);
        Ok(())
    }
}

/// The path in a token. ENAMETOOLONG, ENOMEM.
fn path_of(token: Token) -> Result<Cow<'static, [u8]>, Errno> {
    match token.plain() {
        Some(path) if path.len() <= PATH_MAX => Ok(Cow::Borrowed(path)),
        _ => collect(token.bytes(), token.text().len()).map(Cow::Owned),
    }
}

/// A path of at most `room` bytes. ENAMETOOLONG, ENOMEM.
fn collect(bytes: impl Iterator<Item = u8>, room: usize) -> Result<Vec<u8>, Errno> {
    let mut path = Vec::new();
    path.try_reserve_exact(room.min(PATH_MAX))
        .map_err(|_| Errno::ENOMEM)?;
    for byte in bytes {
        if path.len() == path.capacity() {
            return Err(Errno::ENAMETOOLONG);
        }
        path.push(byte);
    }
    Ok(path)
}

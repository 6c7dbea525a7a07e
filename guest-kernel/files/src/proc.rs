//! `/proc`: its tree, and where its text comes from.
//!
//! Nothing of it is stored. A node is a value that says what it is; which processes there are, and what a file says, the
//! kernel's [`ProcSource`] answers whenever it is asked.
use crate::description::DescriptionId;
use crate::inode::InodeId;
use crate::process_handle::ProcessHandle;
use contract::Errno;
use core::fmt;

mod listing;
mod name;
mod tree;

pub(crate) use name::ProcName;
pub(crate) use tree::ProcLinkTarget;
pub use tree::ProcNode;

macro_rules! named {
    ($(#[$meta:meta])* $type:ident { $($(#[$doc:meta])* $variant:ident $name:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $type { $($(#[$doc])* $variant,)* }

        impl $type {
            /// All of them, in the order of a listing.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in `/proc`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

named! {
    /// A file of the whole system.
    SystemFile {
        /// The kernel's counters, a line each.
        Cowbell "cowbell",
        /// Processors.
        Cpuinfo "cpuinfo",
        /// File systems that can be mounted.
        Filesystems "filesystems",
        /// Run queue lengths.
        Loadavg "loadavg",
        /// Memory.
        Meminfo "meminfo",
        /// CPU time and events.
        Stat "stat",
        /// Seconds since boot.
        Uptime "uptime",
        /// The kernel's name and version.
        Version "version",
    }
}

named! {
    /// A file of one process.
    ProcessFile {
        /// Arguments, NUL-terminated.
        Cmdline "cmdline",
        /// Name.
        Comm "comm",
        /// Environment at exec, NUL-terminated.
        Environ "environ",
        /// Resource limits.
        Limits "limits",
        /// Mappings.
        Maps "maps",
        /// What is mounted.
        Mounts "mounts",
        /// Which pages are there, by position.
        PageMap "pagemap",
        /// State in one line.
        Stat "stat",
        /// Memory in pages.
        Statm "statm",
        /// State in many lines.
        Status "status",
    }
}

named! {
    /// A link of one process.
    ProcessLink {
        /// The working directory.
        Cwd "cwd",
        /// The program.
        Exe "exe",
        /// The root directory.
        Root "root",
    }
}

named! {
    /// A directory of settings: `/proc/sys` and those below.
    SysDirectory {
        /// Itself.
        Sys "sys",
        /// Of files.
        Fs "fs",
        /// Of the kernel.
        Kernel "kernel",
        /// Of random numbers, in that of the kernel.
        Random "random",
        /// Of memory.
        Vm "vm",
    }
}

named! {
    /// A setting. Of these, names and the capacity of pipes can be changed.
    SysFile {
        /// A number that is this boot's.
        BootId "boot_id",
        /// Where a core would go; none is ever dumped.
        CorePattern "core_pattern",
        /// What setdomainname(2) set.
        DomainName "domainname",
        /// What sethostname(2) set.
        HostName "hostname",
        /// Descriptors that one process can have.
        NrOpen "nr_open",
        /// The kernel's release.
        OsRelease "osrelease",
        /// Its name.
        OsType "ostype",
        /// Whether more memory may be asked for than there is.
        OvercommitMemory "overcommit_memory",
        /// One more than the greatest process id.
        PidMax "pid_max",
        /// The greatest capacity of a pipe.
        PipeMaxSize "pipe-max-size",
        /// Pages that the pipes of a user without privileges are meant to hold together.
        PipeUserPagesSoft "pipe-user-pages-soft",
        /// Whether something foreign is in the kernel: never.
        Tainted "tainted",
        /// A number that is nobody else's, another each time.
        Uuid "uuid",
        /// The kernel's version.
        Version "version",
    }
}

impl SysDirectory {
    /// The directory it lies in; `None` for `sys` itself.
    pub(crate) const fn parent(self) -> Option<Self> {
        match self {
            Self::Sys => None,
            Self::Fs | Self::Kernel | Self::Vm => Some(Self::Sys),
            Self::Random => Some(Self::Kernel),
        }
    }
}

impl SysFile {
    /// Whether it can be written.
    pub(crate) const fn is_writable(self) -> bool {
        matches!(self, Self::HostName | Self::DomainName | Self::PipeMaxSize)
    }

    /// The directory it lies in.
    pub(crate) const fn parent(self) -> SysDirectory {
        match self {
            Self::BootId | Self::Uuid => SysDirectory::Random,
            Self::NrOpen | Self::PipeMaxSize | Self::PipeUserPagesSoft => SysDirectory::Fs,
            Self::OvercommitMemory => SysDirectory::Vm,
            Self::DomainName
            | Self::HostName
            | Self::OsRelease
            | Self::OsType
            | Self::PidMax
            | Self::CorePattern
            | Self::Tainted
            | Self::Version => SysDirectory::Kernel,
        }
    }
}

/// What a [`ProcSource`] is asked to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProcContent {
    /// A file directly in `/proc`.
    System(SystemFile),
    /// A file of the process with this id.
    Process(u32, ProcessFile),
    /// A file of a thread of the process with the first id; the second is its own.
    Thread(u32, u32, ProcessFile),
    /// A setting below `/proc/sys`.
    Sys(SysFile),
}

/// Where the text of a file in `/proc` goes.
pub trait Output: fmt::Write {
    /// Adds bytes that need not be text, such as arguments.
    fn bytes(&mut self, bytes: &[u8]);
}

/// What the kernel tells of its processes.
pub trait ProcSource {
    /// The least process id that is at least `from`.
    fn next_process(&self, from: u32) -> Option<u32>;

    /// Whether there is such a file; those that there are not do not appear in `/proc`.
    fn has(&self, _content: ProcContent) -> bool {
        true
    }

    /// Writes the content of a file.
    ///
    /// # Errors
    /// ESRCH where the process has gone; what reading the file answers.
    fn write(&self, content: ProcContent, out: &mut dyn Output) -> Result<(), Errno>;

    /// The path of the program that the process runs, as exec found it.
    fn executable(&self, process: u32) -> Option<&[u8]>;

    /// The working directory of the process.
    fn working_directory(&self, process: u32) -> Option<InodeId>;

    /// What the process's descriptor `fd` leads to.
    fn descriptor(&self, process: u32, fd: u32) -> Option<DescriptionId>;

    /// Whether exec closes it.
    fn closes_on_exec(&self, _process: u32, _fd: u32) -> bool {
        false
    }

    /// Whether anything is left of the process that a descriptor stands for.
    fn is_left(&self, _handle: ProcessHandle) -> bool {
        false
    }

    /// The process's least descriptor that is at least `from`.
    fn next_descriptor(&self, process: u32, from: u32) -> Option<u32>;

    /// The process's thread with the least id that is at least `from`.
    fn next_thread(&self, process: u32, from: u32) -> Option<u32>;

    /// The thread that asks.
    fn asking_thread(&self) -> u32;
}

/// No process, no text: for the time before there are any.
#[derive(Clone, Copy, Debug)]
pub struct NoProcesses;

impl ProcSource for NoProcesses {
    fn next_process(&self, _from: u32) -> Option<u32> {
        None
    }
    fn has(&self, _content: ProcContent) -> bool {
        false
    }
    fn write(&self, _content: ProcContent, _out: &mut dyn Output) -> Result<(), Errno> {
        Err(Errno::ESRCH)
    }
    fn executable(&self, _process: u32) -> Option<&[u8]> {
        None
    }
    fn working_directory(&self, _process: u32) -> Option<InodeId> {
        None
    }
    fn descriptor(&self, _process: u32, _fd: u32) -> Option<DescriptionId> {
        None
    }
    fn next_descriptor(&self, _process: u32, _from: u32) -> Option<u32> {
        None
    }
    fn next_thread(&self, _process: u32, _from: u32) -> Option<u32> {
        None
    }
    fn asking_thread(&self) -> u32 {
        0
    }
}

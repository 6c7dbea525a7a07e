//! What system calls take and return.

/// What a call returns when it succeeds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Result {
    /// A number.
    Number,
    /// An address.
    Address,
    /// A file mode.
    Mode,
}

/// What an argument is. Where memory is behind it, how much: `usize` is the argument that has the length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Argument {
    /// A signed number.
    Number,
    /// A number of bytes or of things.
    Size,
    /// A signed 64-bit offset or length.
    Offset,
    /// An address, or any 64-bit word, whose memory is not looked at.
    Address,
    /// A descriptor.
    Fd,
    /// A descriptor of a directory, or AT_FDCWD.
    DirFd,
    /// A process, thread or process group.
    Pid,
    /// A signal.
    Signal,
    /// File permissions.
    Mode,
    /// A device number.
    Device,
    /// A flag word or one of a list of values.
    Flags(Set),
    /// A string that ends with NUL, shown whole.
    Path,
    /// An array of strings that ends with a null pointer, shown.
    Strings,
    /// An array of strings that ends with a null pointer, counted.
    Environment,
    /// Bytes that the call reads, as many as argument `.0` says.
    Reads(usize),
    /// Bytes that the call writes, as many as it returns.
    Writes,
    /// Pieces (`struct iovec`) that the call reads, as many as argument `.0` says.
    ReadsPieces(usize),
    /// Pieces (`struct iovec`) that the call fills up to what it returns, as many as argument `.0` says.
    WritesPieces(usize),
    /// Directory entries (`struct linux_dirent64`, or the old form) that the call writes, as many bytes as it returns.
    Entries,
    /// A `struct msghdr` and the pieces that it names, which the call reads.
    ReadsMessage,
    /// A `struct msghdr` and the pieces that it names, which the call fills up to what it returns.
    WritesMessage,
    /// `struct pollfd`s that the call reads and changes, as many as argument `.0` says.
    Polls(usize),
    /// A structure that the call reads.
    In(Structure),
    /// A structure that the call writes.
    Out(Structure),
    /// A structure that the call reads and writes.
    InOut(Structure),
    /// What an ioctl(2) request takes; the request is the argument before it.
    IoctlArgument,
    /// What a prctl(2) option takes; the option is the argument before it.
    PrctlArgument,
    /// What an fcntl(2) command takes; the command is the argument before it.
    FcntlArgument,
}

/// Sets of flags, and lists of values, that have names.
#[allow(
    missing_docs,
    reason = "each is named after the manual's page or prefix"
)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Set {
    Access,
    Advice,
    ArchPrctl,
    At,
    Clock,
    Clone,
    CloseRange,
    Fallocate,
    Fcntl,
    Flock,
    Futex,
    Ioctl,
    IdType,
    Itimer,
    Lock,
    Map,
    Memfd,
    Message,
    Msync,
    Open,
    Pidfd,
    PipeFlags,
    Prctl,
    Priority,
    Protection,
    Random,
    Remap,
    Rename,
    Resource,
    Scheduler,
    Seek,
    Shutdown,
    SignalHow,
    SocketDomain,
    SocketKind,
    SocketLevel,
    SocketOption,
    Statx,
    StatxMask,
    Timer,
    Usage,
    Wait,
}

/// Structures behind pointers, as the x86-64 ABI of Linux has them.
#[allow(
    missing_docs,
    reason = "each is named after the structure of the manual"
)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Structure {
    CloneArguments,
    FdSet,
    FileLock,
    Int,
    IntervalTimer,
    Limit,
    Long,
    PipeEnds,
    RobustList,
    SchedulerParameter,
    SignalAction,
    SignalInfo,
    SignalMask,
    SignalSet,
    SignalStack,
    Stat,
    StatFs,
    Statx,
    SystemInfo,
    SystemName,
    Timespec,
    TimespecPair,
    Timeval,
    TimevalPair,
    Timezone,
    Times,
    Usage,
    UserTimes,
}

impl Structure {
    /// Bytes that it takes.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::Int | Self::SchedulerParameter => 4,
            Self::Long | Self::PipeEnds | Self::SignalSet | Self::Timezone => 8,
            Self::SignalMask | Self::Limit | Self::Timespec | Self::Timeval | Self::UserTimes => 16,
            Self::RobustList | Self::SignalStack => 24,
            Self::FileLock
            | Self::IntervalTimer
            | Self::SignalAction
            | Self::TimespecPair
            | Self::TimevalPair
            | Self::Times => 32,
            Self::CloneArguments => 88,
            Self::SystemInfo => 112,
            Self::StatFs => 120,
            Self::FdSet | Self::SignalInfo => 128,
            Self::Stat | Self::Usage => 144,
            Self::Statx => 256,
            Self::SystemName => 390,
        }
    }
}

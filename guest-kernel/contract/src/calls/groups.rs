//! How the calls are grouped.
/// Families of calls: a file of the kernel each, in the manual's grouping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    /// Who a process is.
    Identity,
    /// Users and groups.
    Credentials,
    /// Making, ending and waiting for processes and threads.
    Process,
    /// Signals.
    Signals,
    /// Address spaces.
    Memory,
    /// Waiting on memory.
    Futex,
    /// Clocks, timers and sleep.
    Time,
    /// Limits, usage and scheduling.
    Resources,
    /// Moving bytes.
    Transfer,
    /// Descriptors.
    Descriptors,
    /// Waiting for descriptors.
    Readiness,
    /// Connected pairs of sockets.
    Sockets,
    /// Changes of names.
    Names,
    /// What files are.
    Status,
    /// Modes, owners, times.
    Attributes,
    /// Lengths, and what a disk would be told.
    Storage,
    /// Files by path.
    Paths,
    /// The machine as a whole.
    Host,
}

impl Group {
    /// All of them, in the order of the documentation.
    pub const ALL: &[Self] = &[
        Self::Identity,
        Self::Credentials,
        Self::Process,
        Self::Signals,
        Self::Memory,
        Self::Futex,
        Self::Time,
        Self::Resources,
        Self::Transfer,
        Self::Descriptors,
        Self::Readiness,
        Self::Sockets,
        Self::Names,
        Self::Status,
        Self::Attributes,
        Self::Storage,
        Self::Paths,
        Self::Host,
    ];

    /// A heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Identity => "Who a process is",
            Self::Credentials => "Users and groups",
            Self::Process => "Processes and threads",
            Self::Signals => "Signals",
            Self::Memory => "Memory",
            Self::Futex => "Waiting on memory",
            Self::Time => "Time",
            Self::Resources => "Limits, usage, scheduling",
            Self::Transfer => "Moving bytes",
            Self::Descriptors => "Descriptors",
            Self::Readiness => "Waiting for descriptors",
            Self::Sockets => "Sockets",
            Self::Names => "Names",
            Self::Status => "What files are",
            Self::Attributes => "Modes, owners, times",
            Self::Storage => "Lengths, and what a disk is told",
            Self::Paths => "Files by path",
            Self::Host => "The machine",
        }
    }
}

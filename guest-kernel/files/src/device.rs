//! Character devices of `/dev`, and what reading and writing them does.
use crate::step::{KernelDevice, Step, Transfer};
use contract::Errno;

/// A device number, as `st_rdev` and the archive have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct DeviceNumber {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

impl DeviceNumber {
    /// `st_rdev`: makedev(3) with Linux's split of the minor number.
    pub(crate) const fn encode(self) -> u64 {
        let (major, minor) = (self.major as u64, self.minor as u64);
        (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12)
    }

    /// From the `dev_t` of mknod(2).
    pub(crate) const fn decode(number: u64) -> Self {
        Self {
            major: ((number >> 8) & 0xfff) as u32,
            minor: ((number & 0xff) | ((number >> 12) & 0xf_ff00)) as u32,
        }
    }
}

/// A device that there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Device {
    /// `/dev/null`: takes everything, gives end of file.
    Null,
    /// `/dev/zero`: takes everything, gives zeros.
    Zero,
    /// `/dev/full`: gives zeros, and has no space left.
    Full,
    /// `/dev/random`.
    Random,
    /// `/dev/urandom`.
    Urandom,
    /// `/dev/tty`: the controlling terminal.
    Tty,
    /// `/dev/console`.
    Console,
}

impl Device {
    pub(crate) const ALL: [Self; 7] = [
        Self::Null,
        Self::Zero,
        Self::Full,
        Self::Random,
        Self::Urandom,
        Self::Tty,
        Self::Console,
    ];

    /// Name in `/dev`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Zero => "zero",
            Self::Full => "full",
            Self::Random => "random",
            Self::Urandom => "urandom",
            Self::Tty => "tty",
            Self::Console => "console",
        }
    }

    /// Linux's number of it (devices.txt).
    pub(crate) const fn number(self) -> DeviceNumber {
        let (major, minor) = match self {
            Self::Null => (1, 3),
            Self::Zero => (1, 5),
            Self::Full => (1, 7),
            Self::Random => (1, 8),
            Self::Urandom => (1, 9),
            Self::Tty => (5, 0),
            Self::Console => (5, 1),
        };
        DeviceNumber { major, minor }
    }

    /// The device with this number, if there is one.
    pub(crate) fn with_number(number: DeviceNumber) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|device| device.number() == number)
    }

    /// Who does its reads, where that is not done here.
    #[must_use]
    pub const fn kernel_device(self) -> Option<KernelDevice> {
        match self {
            Self::Tty | Self::Console => Some(KernelDevice::Console),
            Self::Random | Self::Urandom => Some(KernelDevice::Random),
            Self::Null | Self::Zero | Self::Full => None,
        }
    }
}

impl Device {
    /// One piece of a read.
    pub(crate) fn read(self, transfer: &mut Transfer, into: &mut [u8]) -> Step<usize> {
        let count = match self {
            Self::Null => 0,
            Self::Zero | Self::Full => {
                into.fill(0);
                into.len()
            }
            Self::Tty | Self::Console | Self::Random | Self::Urandom => {
                return self.kernel_step(transfer);
            }
        };
        transfer.done += count;
        Step::Done(Ok(count))
    }

    /// One piece of a write.
    pub(crate) fn write(self, transfer: &mut Transfer, bytes: &[u8]) -> Step<usize> {
        match self {
            Self::Full => Step::Done(Err(Errno::ENOSPC)),
            Self::Null | Self::Zero => {
                transfer.done += bytes.len();
                Step::Done(Ok(bytes.len()))
            }
            Self::Tty | Self::Console | Self::Random | Self::Urandom => self.kernel_step(transfer),
        }
    }

    /// Hands a device over to the kernel. A terminal cannot be read at a position.
    fn kernel_step(self, transfer: &Transfer) -> Step<usize> {
        match self.kernel_device() {
            Some(KernelDevice::Console) if transfer.position.is_some() => {
                Step::Done(Err(Errno::ESPIPE))
            }
            Some(device) => Step::Device(device),
            None => Step::Done(Err(Errno::ENXIO)),
        }
    }
}

//! The settings of a terminal.
use linux_raw_sys::general as linux;

/// Bytes of `struct termios` as TCGETS and TCSETS have it.
pub const TERMIOS_SIZE: usize = size_of::<linux::termios>();

const CONTROL: usize = linux::NCCS as usize;

/// Flags of termios(3) that mean something here.
pub(super) mod flag {
    pub(crate) use linux_raw_sys::general::{
        ECHO, ECHOCTL, ECHOE, ECHOK, ECHOKE, ECHONL, ICANON, ICRNL, IEXTEN, IGNCR, IMAXBEL, INLCR,
        ISIG, ISTRIP, IUCLC, IUTF8, IXANY, IXON, NOFLSH, OCRNL, OLCUC, ONLCR, ONLRET, ONOCR, OPOST,
        XTABS,
    };
}

/// Indices of the special characters.
pub(super) mod cc {
    use linux_raw_sys::general as linux;
    macro_rules! indices {
        ($($name:ident)*) => { $(pub(crate) const $name: usize = linux::$name as usize;)* };
    }
    indices! { VINTR VQUIT VERASE VKILL VEOF VTIME VMIN VSTART VSTOP VSUSP VEOL VREPRINT VWERASE VLNEXT VEOL2 }
}

/// `struct termios`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Termios {
    /// `c_iflag`.
    pub input: u32,
    /// `c_oflag`.
    pub output: u32,
    /// `c_cflag`. It changes nothing: there is no wire.
    pub wire: u32,
    /// `c_lflag`.
    pub local: u32,
    /// `c_line`.
    pub discipline: u8,
    /// `c_cc`.
    pub control: [u8; CONTROL],
}

impl Termios {
    /// As Linux has it for a new terminal.
    pub const INITIAL: Self = Self {
        input: linux::ICRNL | linux::IXON,
        output: linux::OPOST | linux::ONLCR,
        wire: linux::B38400 | linux::CS8 | linux::CREAD | linux::HUPCL,
        local: linux::ISIG
            | linux::ICANON
            | linux::ECHO
            | linux::ECHOE
            | linux::ECHOK
            | linux::ECHOCTL
            | linux::ECHOKE
            | linux::IEXTEN,
        discipline: 0,
        control: *b"\x03\x1c\x7f\x15\x04\0\x01\0\x11\x13\x1a\0\x12\x0f\x17\x16\0\0\0",
    };

    /// As `struct termios` lies in memory.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; TERMIOS_SIZE] {
        let mut bytes = [0; TERMIOS_SIZE];
        let words = [self.input, self.output, self.wire, self.local];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes[16] = self.discipline;
        bytes[17..17 + CONTROL].copy_from_slice(&self.control);
        bytes
    }

    /// From `struct termios` in memory.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; TERMIOS_SIZE]) -> Self {
        let word = |index: usize| {
            let at = index * 4;
            u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
        };
        let mut control = [0; CONTROL];
        control.copy_from_slice(&bytes[17..17 + CONTROL]);
        Self {
            input: word(0),
            output: word(1),
            wire: word(2),
            local: word(3),
            discipline: bytes[16],
            control,
        }
    }

    /// The speed that the flags name, in bits a second; 0 for one that has no name.
    #[must_use]
    pub fn speed(&self) -> u32 {
        const NAMED: [u32; 16] = [
            0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400,
        ];
        const FASTER: [u32; 15] = [
            57_600, 115_200, 230_400, 460_800, 500_000, 576_000, 921_600, 1_000_000, 1_152_000,
            1_500_000, 2_000_000, 2_500_000, 3_000_000, 3_500_000, 4_000_000,
        ];
        let index = self.wire & linux::CBAUD;
        let found = match index.checked_sub(linux::B57600) {
            Some(index) => FASTER.get(index as usize),
            None => NAMED.get(index as usize),
        };
        found.copied().unwrap_or(0)
    }

    /// The character that stops output.
    #[must_use]
    pub const fn stop_character(&self) -> u8 {
        self.control[cc::VSTOP]
    }

    /// The character that lets it go on.
    #[must_use]
    pub const fn start_character(&self) -> u8 {
        self.control[cc::VSTART]
    }

    pub(super) const fn has_input(&self, flags: u32) -> bool {
        self.input & flags == flags
    }

    pub(super) const fn has_output(&self, flags: u32) -> bool {
        self.output & flags == flags
    }

    pub(super) const fn has_local(&self, flags: u32) -> bool {
        self.local & flags == flags
    }

    /// Whether `byte` is this special character. One that is 0 is switched off.
    pub(super) const fn is(&self, index: usize, byte: u8) -> bool {
        byte != 0 && self.control[index] == byte
    }

    /// The signal that a byte asks for.
    pub(super) const fn signal(&self, byte: u8) -> Option<u8> {
        if self.is(cc::VINTR, byte) {
            Some(linux::SIGINT as u8)
        } else if self.is(cc::VQUIT, byte) {
            Some(linux::SIGQUIT as u8)
        } else if self.is(cc::VSUSP, byte) {
            Some(linux::SIGTSTP as u8)
        } else {
            None
        }
    }
}

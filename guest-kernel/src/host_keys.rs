//! The input of a terminal whose size the monitor tells (`contract::command_line`, `tty=`): keys, and between them
//! messages.
use contract::ports::{KEY, MESSAGE, SIZE};

/// What came of a byte.
pub enum Heard {
    /// Somebody typed it.
    Key(u8),
    /// The terminal has this size now.
    Size(WindowSize),
    /// The rest has yet to come.
    Nothing,
}

/// Size of a terminal in characters; zeros where it is not known.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct WindowSize {
    pub rows: u16,
    pub columns: u16,
}

/// Takes input apart.
pub enum HostKeys {
    /// Every byte is a key.
    Plain,
    /// There may be messages; how much of one has come.
    Framed { message: [u8; 6], length: usize },
}

impl HostKeys {
    /// Input with messages in it.
    pub const FRAMED: Self = Self::Framed {
        message: [0; 6],
        length: 0,
    };

    pub fn take(&mut self, byte: u8) -> Heard {
        let Self::Framed { message, length } = self else {
            return Heard::Key(byte);
        };
        if *length == 0 && byte != MESSAGE {
            return Heard::Key(byte);
        }
        message[*length] = byte;
        *length += 1;
        match message[1..*length] {
            [] => Heard::Nothing,
            [KEY] => {
                *length = 0;
                Heard::Key(MESSAGE)
            }
            [SIZE, a, b, c, d] => {
                *length = 0;
                Heard::Size(WindowSize {
                    rows: u16::from_le_bytes([a, b]),
                    columns: u16::from_le_bytes([c, d]),
                })
            }
            [SIZE, ..] => Heard::Nothing,
            // Not a message that is known: it is left out.
            _ => {
                *length = 0;
                Heard::Nothing
            }
        }
    }
}

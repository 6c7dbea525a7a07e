//! What is behind a call's arguments, for whoever reads the trace.
use crate::channel::Message;
use crate::memory::space::AddressSpace;
use crate::memory::user;
use contract::Errno;
use contract::calls::{Argument, Call, Structure};
use contract::channel::{Piece, SHOWN_BYTES, SHOWN_ELEMENTS};

/// Longest path that is sent (PATH_MAX).
const PATH_LIMIT: u64 = 4096;
/// Longest name of a thread, with its NUL (PR_SET_NAME).
const NAME_LIMIT: u64 = 16;
/// Most that an ioctl(2) or fcntl(2) argument takes: `struct termios2`.
const REQUEST_SIZE: usize = 44;
/// Size of a `struct iovec`.
const VECTOR: u64 = 16;
/// Size of a `struct msghdr`.
const MESSAGE_HEADER: usize = 56;
/// Where a directory entry says how long it is: `d_reclen`, in both forms.
const ENTRY_LENGTH: u64 = 16;
/// Size of a `struct pollfd`.
const POLL: u64 = 8;

/// What the call is about to read.
pub fn before(message: &mut Message, space: &AddressSpace, call: &Call, values: &[u64; 6]) {
    for (index, (argument, &address)) in call.arguments.iter().zip(values).enumerate() {
        let piece = Pieces { space, index };
        match *argument {
            Argument::Path => piece.string(message, address, PATH_LIMIT),
            Argument::Strings => piece.strings(message, address),
            Argument::Environment => piece.count(message, address),
            Argument::Reads(length) => piece.buffer(message, address, values[length]),
            Argument::ReadsPieces(count) => {
                piece.vectors(message, address, values[count], u64::MAX);
            }
            Argument::ReadsMessage => piece.message(message, address, u64::MAX),
            Argument::Polls(count) => piece.array(message, address, values[count]),
            Argument::In(structure) | Argument::InOut(structure) => {
                piece.structure(message, address, structure);
            }
            Argument::IoctlArgument | Argument::FcntlArgument => piece.request(message, address),
            Argument::PrctlArgument => piece.string(message, address, NAME_LIMIT),
            _ => {}
        }
    }
}

/// What the call has written.
pub fn after(
    message: &mut Message,
    space: &AddressSpace,
    call: &Call,
    values: &[u64; 6],
    result: u64,
) {
    const FIRST_ERROR: u64 = 4095_u64.wrapping_neg();
    let failed = result >= FIRST_ERROR;
    let interrupted = result == Errno::EINTR.to_return_value();
    for (index, (argument, &address)) in call.arguments.iter().zip(values).enumerate() {
        let piece = Pieces { space, index };
        match *argument {
            Argument::Out(Structure::Timespec) if interrupted => {
                piece.structure(message, address, Structure::Timespec);
            }
            _ if failed => {}
            Argument::Writes => piece.buffer(message, address, result),
            Argument::Entries => piece.entries(message, address, result),
            Argument::WritesMessage => piece.message(message, address, result),
            Argument::WritesPieces(count) => {
                piece.vectors(message, address, values[count], result);
            }
            Argument::Polls(count) => piece.array(message, address, values[count]),
            Argument::Out(structure) | Argument::InOut(structure) => {
                piece.structure(message, address, structure);
            }
            Argument::IoctlArgument | Argument::FcntlArgument => piece.request(message, address),
            Argument::PrctlArgument => piece.string(message, address, NAME_LIMIT),
            _ => {}
        }
    }
}

/// Pieces behind one argument.
struct Pieces<'a> {
    space: &'a AddressSpace,
    index: usize,
}

impl Pieces<'_> {
    /// Bytes that end with a NUL, as many as `limit` of them.
    fn string(&self, message: &mut Message, address: u64, limit: u64) {
        if address == 0 {
            return;
        }
        match user::string_length(self.space, address, limit) {
            Ok(Some(length)) => self.read(message, Piece::Whole, address, length as usize),
            Ok(None) => self.read(message, Piece::Beginning, address, limit as usize),
            Err(_) => message.piece(self.index, Piece::Fault, &[]),
        }
    }

    /// `length` bytes, or their beginning.
    fn buffer(&self, message: &mut Message, address: u64, length: u64) {
        if address == 0 {
            return;
        }
        match usize::try_from(length) {
            Ok(length @ 0..=SHOWN_BYTES) => self.read(message, Piece::Whole, address, length),
            _ => self.read(message, Piece::Beginning, address, SHOWN_BYTES),
        }
    }

    fn structure(&self, message: &mut Message, address: u64, structure: Structure) {
        if address != 0 {
            self.read(message, Piece::Whole, address, structure.size());
        }
    }

    /// As much as can be read of what a request may take.
    fn request(&self, message: &mut Message, address: u64) {
        let mut bytes = [0; REQUEST_SIZE];
        for size in [REQUEST_SIZE, 32, 8, 4] {
            if user::read(self.space, address, &mut bytes[..size]).is_ok() {
                message.piece(self.index, Piece::Whole, &bytes[..size]);
                return;
            }
        }
    }

    /// An array that ends with a null pointer, string by string.
    fn strings(&self, message: &mut Message, address: u64) {
        for element in 0..=SHOWN_ELEMENTS as u64 {
            let at = address.wrapping_add(element * 8);
            match user::read_u64(self.space, at) {
                _ if address == 0 => return,
                Ok(0) => return,
                Ok(_) if element == SHOWN_ELEMENTS as u64 => {
                    message.piece(self.index, Piece::Beginning, &[]);
                }
                Ok(string) => self.string(message, string, SHOWN_BYTES as u64 + 1),
                Err(_) => return message.piece(self.index, Piece::Fault, &[]),
            }
        }
    }

    /// How long an array is that ends with a null pointer.
    fn count(&self, message: &mut Message, address: u64) {
        const LIMIT: u32 = 1 << 16;
        let end = (0..LIMIT).find(|&element| {
            let at = address.wrapping_add(u64::from(element) * 8);
            !matches!(user::read_u64(self.space, at), Ok(1..))
        });
        if address != 0 {
            let count = end.unwrap_or(LIMIT);
            message.piece(self.index, Piece::Count, &count.to_le_bytes());
        }
    }

    /// `struct iovec`s, each followed by its bytes, as far as `total` goes.
    fn vectors(&self, message: &mut Message, address: u64, count: u64, mut total: u64) {
        for element in 0..count.min(SHOWN_ELEMENTS as u64) {
            let at = address.wrapping_add(element * VECTOR);
            let Ok([base, length]) = user::read_words::<2>(self.space, at) else {
                return message.piece(self.index, Piece::Fault, &[]);
            };
            let mut vector = [0; VECTOR as usize];
            vector[..8].copy_from_slice(&base.to_le_bytes());
            vector[8..].copy_from_slice(&length.to_le_bytes());
            message.piece(self.index, Piece::Whole, &vector);
            let filled = length.min(total);
            total -= filled;
            if base == 0 {
                message.piece(self.index, Piece::Fault, &[]);
            } else {
                self.buffer(message, base, filled);
            }
        }
    }

    /// A `struct msghdr`, then its pieces as [`vectors`](Self::vectors) sends them.
    fn message(&self, message: &mut Message, address: u64, total: u64) {
        self.read(message, Piece::Whole, address, MESSAGE_HEADER);
        // `msg_iov` and `msg_iovlen`.
        let vectors = user::read_words::<2>(self.space, address.wrapping_add(16));
        if let Ok([vectors, count]) = vectors {
            self.vectors(message, vectors, count, total);
        }
    }

    /// How many directory entries `length` bytes hold: each says how long it is.
    fn entries(&self, message: &mut Message, address: u64, length: u64) {
        let (mut at, mut count) = (0, 0_u32);
        let mut size = [0; 2];
        while at < length {
            let place = address.wrapping_add(at).wrapping_add(ENTRY_LENGTH);
            match user::read(self.space, place, &mut size) {
                Ok(()) if size != [0; 2] => at += u64::from(u16::from_le_bytes(size)),
                _ => break,
            }
            count += 1;
        }
        message.piece(self.index, Piece::Count, &count.to_le_bytes());
    }

    /// `struct pollfd`s.
    fn array(&self, message: &mut Message, address: u64, count: u64) {
        for element in 0..count.min(SHOWN_ELEMENTS as u64) {
            let at = address.wrapping_add(element * POLL);
            self.read(message, Piece::Whole, at, POLL as usize);
        }
    }

    /// Sends bytes as one piece, or says that they cannot be read.
    fn read(&self, message: &mut Message, what: Piece, address: u64, length: usize) {
        let mut bytes = [0; PATH_LIMIT as usize];
        let bytes = &mut bytes[..length.min(PATH_LIMIT as usize)];
        match user::read(self.space, address, bytes) {
            Ok(()) => message.piece(self.index, what, bytes),
            Err(_) => message.piece(self.index, Piece::Fault, &[]),
        }
    }
}

//! Input that was not read yet: whole lines, then the one that is being typed.
use alloc::vec::Vec;

/// Bytes that are kept, end-of-file marks included.
pub(super) const CAPACITY: usize = 4096;
const WORD: usize = u64::BITS as usize;

/// A ring of bytes; a bit for each place says that a line ends there.
#[derive(Debug)]
pub(super) struct Line {
    /// Taken with the first byte: a frame's worth, which a console without input does without.
    bytes: Vec<u8>,
    ends: [u64; CAPACITY / WORD],
    /// Marks of end of file: such a place ends a line and has no byte.
    marks: [u64; CAPACITY / WORD],
    start: usize,
    length: usize,
    /// How many from the start are in whole lines.
    committed: usize,
}

/// What a place of the ring is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A byte inside a line.
    Inside,
    /// The byte that ends one.
    End,
    /// The end of one, and no byte.
    Mark,
}

/// What was taken of a line.
pub(super) struct Taken {
    pub(super) bytes: usize,
    /// Whether its end was reached.
    pub(super) ended: bool,
}

impl Line {
    pub(super) const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            ends: [0; CAPACITY / WORD],
            marks: [0; CAPACITY / WORD],
            start: 0,
            length: 0,
            committed: 0,
        }
    }

    pub(super) const fn len(&self) -> usize {
        self.length
    }

    /// Bytes of the line that is being typed.
    pub(super) const fn pending(&self) -> usize {
        self.length - self.committed
    }

    pub(super) fn has_line(&self) -> bool {
        self.committed != 0
    }

    /// Bytes in whole lines, marks not counted.
    pub(super) fn committed_bytes(&self) -> usize {
        (0..self.committed)
            .filter(|index| !bit(&self.marks, self.place(*index)))
            .count()
    }

    pub(super) fn clear(&mut self) {
        (self.start, self.length, self.committed) = (0, 0, 0);
    }

    /// Makes what was typed readable, as it is.
    pub(super) fn commit(&mut self) {
        self.committed = self.length;
    }

    /// Between canonical and raw mode: makes one line of all there is, whatever lines it was in.
    pub(super) fn join(&mut self) {
        (self.ends, self.marks) = ([0; CAPACITY / WORD], [0; CAPACITY / WORD]);
        self.commit();
        if let Some(last) = self.length.checked_sub(1) {
            let place = self.place(last);
            set_bit(&mut self.ends, place, true);
        }
    }

    fn place(&self, index: usize) -> usize {
        (self.start + index) % CAPACITY
    }

    /// Adds a byte to the line that is being typed; whether there was room.
    pub(super) fn push(&mut self, byte: u8) -> bool {
        self.put(byte, Place::Inside)
    }

    /// Adds a byte that ends the line.
    pub(super) fn push_end(&mut self, byte: u8) -> bool {
        let pushed = self.put(byte, Place::End);
        if pushed {
            self.commit();
        }
        pushed
    }

    /// Ends the line without a byte.
    pub(super) fn push_end_of_file(&mut self) -> bool {
        let pushed = self.put(0, Place::Mark);
        if pushed {
            self.commit();
        }
        pushed
    }

    fn put(&mut self, byte: u8, kind: Place) -> bool {
        if self.length == CAPACITY {
            return false;
        }
        if self.bytes.is_empty() {
            if self.bytes.try_reserve_exact(CAPACITY).is_err() {
                return false;
            }
            self.bytes.resize(CAPACITY, 0);
        }
        let place = self.place(self.length);
        self.bytes[place] = byte;
        set_bit(&mut self.ends, place, kind != Place::Inside);
        set_bit(&mut self.marks, place, kind == Place::Mark);
        self.length += 1;
        true
    }

    /// Takes back the last byte of the line that is being typed.
    pub(super) fn pop(&mut self) -> Option<u8> {
        self.length = (self.pending() != 0).then(|| self.length - 1)?;
        Some(self.bytes[self.place(self.length)])
    }

    /// A byte of the line that is being typed.
    pub(super) fn pending_byte(&self, index: usize) -> u8 {
        self.bytes[self.place(self.committed + index)]
    }

    /// Takes bytes up to the end of the first line. Where they fill `into` to the last byte of the whole read, a mark right
    /// behind goes too: it has done what it was typed for.
    pub(super) fn take_line(&mut self, into: &mut [u8], last_piece: bool) -> Taken {
        let mut bytes = 0;
        while self.committed != 0 {
            let place = self.start;
            let (ends, mark) = (bit(&self.ends, place), bit(&self.marks, place));
            if bytes == into.len() {
                if last_piece && mark {
                    self.advance();
                }
                break;
            }
            if !mark {
                into[bytes] = self.bytes[place];
                bytes += 1;
            }
            self.advance();
            if ends {
                return Taken { bytes, ended: true };
            }
        }
        Taken {
            bytes,
            ended: false,
        }
    }

    /// Takes bytes, whatever lines they are in.
    pub(super) fn take(&mut self, into: &mut [u8]) -> usize {
        self.committed = self.length;
        let mut bytes = 0;
        while bytes < into.len() && self.length != 0 {
            // A mark is a NUL then, as on Linux.
            into[bytes] = self.bytes[self.start];
            bytes += 1;
            self.advance();
        }
        bytes
    }

    fn advance(&mut self) {
        self.start = self.place(1);
        self.length -= 1;
        self.committed -= 1;
    }
}

fn bit(words: &[u64], place: usize) -> bool {
    words[place / WORD] & 1 << (place % WORD) != 0
}

fn set_bit(words: &mut [u64], place: usize, value: bool) {
    let word = &mut words[place / WORD];
    *word = *word & !(1 << (place % WORD)) | u64::from(value) << (place % WORD);
}

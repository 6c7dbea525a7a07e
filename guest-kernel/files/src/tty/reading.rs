//! What a program gets of the input.
use super::termios::cc;
use super::{End, Kind, Read, Tty};
use crate::Transfer;

impl Tty {
    /// One piece of a read. A line that ends, ends the call: `total` becomes what is done.
    pub fn read(&mut self, transfer: &mut Transfer, into: &mut [u8]) -> Read {
        if into.is_empty() {
            return Read::Done(Ok(0));
        }
        if self.is_canonical() {
            self.read_line(transfer, into)
        } else {
            self.read_raw(transfer, into)
        }
    }

    fn read_line(&mut self, transfer: &mut Transfer, into: &mut [u8]) -> Read {
        if !self.line.has_line() {
            if transfer.done != 0 || self.end == End::Reached {
                return Read::Done(Ok(0));
            }
            return Read::Wait(None);
        }
        let last_piece = transfer.done + into.len() >= transfer.total;
        let taken = self.line.take_line(into, last_piece);
        transfer.done += taken.bytes;
        if taken.ended {
            transfer.total = transfer.done;
        }
        Read::Done(Ok(taken.bytes))
    }

    fn read_raw(&mut self, transfer: &mut Transfer, into: &mut [u8]) -> Read {
        let (minimum, time) = match self.kind {
            Kind::Plain => (1, 0),
            Kind::Terminal => (
                usize::from(self.termios.control[cc::VMIN]),
                self.termios.control[cc::VTIME],
            ),
        };
        let count = self.line.take(into);
        transfer.done += count;
        if count == into.len() && transfer.done < transfer.total {
            return Read::Done(Ok(count));
        }
        let wanted = minimum.min(transfer.total);
        if self.end == End::Reached || transfer.done >= wanted.max(1) {
            return Read::Done(Ok(count));
        }
        match (minimum, time) {
            (0, 0) => Read::Done(Ok(count)),
            (0, time) => Read::Wait(Some(time)),
            (_, 0) => Read::Wait(None),
            // The time runs between bytes: not before the first.
            (_, time) => Read::Wait((transfer.done != 0).then_some(time)),
        }
    }
}

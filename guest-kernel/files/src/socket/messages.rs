//! Bytes and messages through a socket.
use super::{HEADER, MESSAGE_MAX, Socket, SocketKind};
use crate::pipe::{PIPE_BUF, PipeId};
use crate::wait_queue::WaitFor;
use crate::{Files, PageStore, Step, Transfer};
use contract::Errno;
use linux_raw_sys::general as linux;
use linux_raw_sys::net;

impl<S: PageStore> Files<S> {
    /// One piece of a read from a socket.
    pub(crate) fn read_socket(
        &mut self,
        store: &mut S,
        socket: Socket,
        status: u32,
        transfer: &mut Transfer,
        into: &mut [u8],
    ) -> Step<usize> {
        let Some(receive) = socket.receive else {
            return Step::Done(Ok(0));
        };
        let Some(pipe) = self.pipes.get_mut(receive.0) else {
            return Step::Done(Err(Errno::EBADF));
        };
        let flags = transfer.flags;
        let has = |flag| flags & flag != 0;
        let peeks = has(net::MSG_PEEK);
        let messages = socket.kind != SocketKind::Stream;
        if transfer.done == 0 && messages {
            pipe.finish_message(store);
        }
        let skip = if peeks && !messages { transfer.done } else { 0 };
        let ready = if messages && transfer.begun {
            true
        } else {
            pipe.length() > skip
        };
        if !ready {
            let ended = pipe.writers == 0 && socket.kind != SocketKind::Datagrams;
            if ended && pipe.reset.take().is_some() {
                return Step::Done(Err(Errno::ECONNRESET));
            }
            let enough = transfer.done != 0 && !has(net::MSG_WAITALL);
            if ended || enough || into.is_empty() && !messages || peeks && transfer.done != 0 {
                return Step::Done(Ok(0));
            }
            if status & linux::O_NONBLOCK != 0 || has(net::MSG_DONTWAIT) {
                return Step::Done(Err(Errno::EAGAIN));
            }
            return Step::Wait(WaitFor::PipeReadable(receive));
        }
        if !messages {
            let count = if peeks {
                pipe.copy(store, skip, into)
            } else {
                pipe.take(store, into)
            };
            transfer.done += count;
            let ended = pipe.writers == 0;
            if count != 0 && !peeks {
                self.wake(WaitFor::PipeWritable(receive));
            }
            let waits = has(net::MSG_WAITALL) && !peeks && count < into.len() && !ended;
            if waits && status & linux::O_NONBLOCK == 0 && !has(net::MSG_DONTWAIT) {
                return Step::Wait(WaitFor::PipeReadable(receive));
            }
            return Step::Done(Ok(count));
        }
        if !transfer.begun {
            let mut header = [0; HEADER];
            pipe.copy(store, 0, &mut header);
            transfer.message = u32::from_le_bytes(header) as usize;
            transfer.total = transfer.total.min(transfer.message);
            transfer.begun = true;
            if !peeks {
                pipe.take(store, &mut header);
                pipe.message_left = transfer.message;
            }
        }
        let length = into.len().min(transfer.total - transfer.done);
        let into = &mut into[..length];
        let count = if peeks {
            pipe.copy(store, HEADER + transfer.done, into)
        } else {
            let count = pipe.take(store, into);
            pipe.message_left -= count;
            count
        };
        transfer.done += count;
        if transfer.done >= transfer.total && !peeks {
            pipe.finish_message(store);
            self.wake(WaitFor::PipeWritable(receive));
        }
        Step::Done(Ok(count))
    }

    /// One piece of a write to a socket.
    pub(crate) fn write_socket(
        &mut self,
        store: &mut S,
        socket: Socket,
        status: u32,
        transfer: &mut Transfer,
        bytes: &[u8],
    ) -> Step<usize> {
        let status = if transfer.flags & net::MSG_DONTWAIT != 0 {
            status | linux::O_NONBLOCK
        } else {
            status
        };
        if socket.kind == SocketKind::Stream {
            return match socket.send {
                Some(send) if bytes.is_empty() && !self.has_readers(send) => {
                    Step::Done(Err(Errno::EPIPE))
                }
                Some(send) => self.write_pipe(store, send, status, transfer, bytes),
                None => Step::Done(Err(Errno::EPIPE)),
            };
        }
        // Only a stream's writer is sent a signal.
        transfer.flags |= net::MSG_NOSIGNAL;
        let Some(send) = socket.send else {
            return Step::Done(Err(Errno::EPIPE));
        };
        let Some(pipe) = self.pipes.get_mut(send.0) else {
            return Step::Done(Err(Errno::EBADF));
        };
        if transfer.begun {
            let count = pipe.put(store, bytes);
            transfer.done += count;
            return Step::Done(Ok(count));
        }
        if pipe.readers == 0 {
            return Step::Done(Err(if socket.kind == SocketKind::Datagrams {
                Errno::ECONNREFUSED
            } else {
                Errno::EPIPE
            }));
        }
        let whole = transfer.total;
        if whole > MESSAGE_MAX {
            return Step::Done(Err(Errno::EMSGSIZE));
        }
        if pipe.room() < HEADER + whole {
            if status & linux::O_NONBLOCK != 0 {
                return Step::Done(Err(Errno::EAGAIN));
            }
            return Step::Wait(WaitFor::PipeWritable(send));
        }
        if !pipe.reserve(store, HEADER + whole) {
            return Step::Done(Err(Errno::ENOMEM));
        }
        pipe.put(store, &(whole as u32).to_le_bytes());
        transfer.begun = true;
        let count = pipe.put(store, bytes);
        transfer.done += count;
        self.wake(WaitFor::PipeReadable(send));
        Step::Done(Ok(count))
    }

    /// One piece of a write to a pipe that keeps writes apart: packets of at most [`PIPE_BUF`] bytes.
    pub(crate) fn write_packets(
        &mut self,
        store: &mut S,
        id: PipeId,
        status: u32,
        transfer: &mut Transfer,
        bytes: &[u8],
    ) -> Step<usize> {
        let mut count = 0;
        while count < bytes.len() {
            let Some(pipe) = self.pipes.get_mut(id.0) else {
                return Step::Done(Err(Errno::EBADF));
            };
            // What is left of the packet that has begun.
            if transfer.message == 0 {
                if pipe.readers == 0 {
                    return Step::Done(Err(Errno::EPIPE));
                }
                let length = (transfer.total - transfer.done).min(PIPE_BUF);
                if pipe.room() < HEADER + length {
                    if status & linux::O_NONBLOCK == 0 {
                        return Step::Wait(WaitFor::PipeWritable(id));
                    }
                    return Step::Done(if count == 0 {
                        Err(Errno::EAGAIN)
                    } else {
                        Ok(count)
                    });
                }
                if !pipe.reserve(store, HEADER + length) {
                    return Step::Done(Err(Errno::ENOMEM));
                }
                pipe.put(store, &(length as u32).to_le_bytes());
                transfer.message = length;
            }
            let piece = transfer.message.min(bytes.len() - count);
            pipe.put(store, &bytes[count..count + piece]);
            transfer.message -= piece;
            transfer.done += piece;
            count += piece;
            self.wake(WaitFor::PipeReadable(id));
        }
        Step::Done(Ok(count))
    }
}

//! Connected pairs of sockets (socketpair(2), unix(7)): a pipe for each direction.
//!
//! Where messages are kept apart, each has its length before it in the pipe, and goes in whole or not at all: the kernel
//! has seen to it that all of its bytes can be had.
mod messages;

use crate::description::{DescriptionId, Opened};
use crate::fd_table::{FdTable, OnExec};
use crate::nameless::Nameless;
use crate::pipe::{End, PIPE_CAPACITY, PipeId};
use crate::wait_queue::WaitFor;
use crate::{Files, PageStore};
use contract::Errno;
use linux_raw_sys::general as linux;
use linux_raw_sys::net;

/// Bytes before each message.
const HEADER: usize = 4;
/// The longest message.
pub const MESSAGE_MAX: usize = PIPE_CAPACITY - HEADER;

/// What becomes of the borders between what is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SocketKind {
    /// SOCK_STREAM: there are none.
    Stream,
    /// SOCK_SEQPACKET: messages, and an end of them.
    SequencedPackets,
    /// SOCK_DGRAM: messages.
    Datagrams,
}

impl SocketKind {
    /// SO_TYPE.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Stream => net::SOCK_STREAM,
            Self::SequencedPackets => net::SOCK_SEQPACKET,
            Self::Datagrams => net::SOCK_DGRAM,
        }
    }
}

/// One socket of a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Socket {
    pub(crate) kind: SocketKind,
    /// What it reads from and writes to; gone where it is shut.
    pub(crate) receive: Option<PipeId>,
    pub(crate) send: Option<PipeId>,
    /// Names it in `/proc/PID/fd` and stat(2).
    pub(crate) number: u32,
}

impl Socket {
    /// An end of a pipe that keeps writes apart, as a socket that only reads or writes.
    pub(crate) fn packets(end: End, pipe: PipeId) -> Self {
        Self {
            kind: SocketKind::SequencedPackets,
            receive: (end == End::Read).then_some(pipe),
            send: (end == End::Write).then_some(pipe),
            number: pipe.0,
        }
    }
}

impl<S: PageStore> Files<S> {
    /// socketpair(2) of AF_UNIX: two descriptors. On an error nothing is left.
    ///
    /// # Errors
    /// EMFILE, ENFILE, ENOMEM.
    pub fn socket_pair(
        &mut self,
        store: &mut S,
        table: &mut FdTable,
        kind: SocketKind,
        flags: u32,
    ) -> Result<[u32; 2], Errno> {
        let first = table.lowest_free(0)?;
        table.lowest_free(first + 1)?;
        let there = self.add_pipe()?;
        let back = match self.add_pipe() {
            Ok(back) => back,
            Err(errno) => {
                self.open_end(there, End::Read);
                self.close_end(store, there, End::Read);
                return Err(errno);
            }
        };
        let mut descriptors = [0; 2];
        let ends = [(there, back), (back, there)];
        for (receive, send) in ends {
            self.open_end(receive, End::Read);
            self.open_end(send, End::Write);
        }
        for (index, (receive, send)) in ends.into_iter().enumerate() {
            let socket = Socket {
                kind,
                receive: Some(receive),
                send: Some(send),
                number: receive.0,
            };
            let status = flags & linux::O_NONBLOCK | linux::O_RDWR;
            let installed = match self.describe(Opened::Socket(socket), status) {
                Ok(id) => self.install(store, table, id, OnExec::from_flags(flags)),
                Err(errno) => {
                    self.close_socket(store, socket);
                    Err(errno)
                }
            };
            match installed {
                Ok(descriptor) => descriptors[index] = descriptor,
                Err(errno) => {
                    if index == 0 {
                        let other = Socket {
                            receive: Some(send),
                            send: Some(receive),
                            ..socket
                        };
                        self.close_socket(store, other);
                    } else {
                        let _ = self.close(store, table, descriptors[0]);
                    }
                    return Err(errno);
                }
            }
        }
        Ok(descriptors)
    }

    pub(crate) fn close_socket(&mut self, store: &mut S, socket: Socket) {
        self.nameless.forget(Nameless::Socket(socket.number));
        if let (Some(receive), Some(send)) = (socket.receive, socket.send)
            && socket.kind != SocketKind::Datagrams
            && self.pipe(receive).is_ok_and(|pipe| pipe.length() != 0)
            && let Ok(pipe) = self.pipe_mut(send)
        {
            pipe.reset = Some(());
        }
        if let Some(send) = socket.send {
            self.close_end(store, send, End::Write);
        }
        if let Some(receive) = socket.receive {
            self.close_end(store, receive, End::Read);
        }
    }

    /// The socket that a description is open on.
    ///
    /// # Errors
    /// EBADF; ENOTSOCK.
    pub(crate) fn socket(&self, id: DescriptionId) -> Result<Socket, Errno> {
        match self.description(id)?.opened {
            Opened::Socket(socket) => Ok(socket),
            Opened::Path(_) => Err(Errno::EBADF),
            _ => Err(Errno::ENOTSOCK),
        }
    }

    /// What kind of socket a description is open on.
    ///
    /// # Errors
    /// EBADF; ENOTSOCK.
    pub fn socket_kind(&self, id: DescriptionId) -> Result<SocketKind, Errno> {
        Ok(self.socket(id)?.kind)
    }

    /// Whether what is written to a description goes in whole or not at all, whatever its length.
    #[must_use]
    pub fn keeps_messages(&self, id: DescriptionId) -> bool {
        match self.description(id).map(|description| &description.opened) {
            Ok(Opened::Packets(..)) => true,
            Ok(Opened::Socket(socket)) => socket.kind != SocketKind::Stream,
            _ => false,
        }
    }

    /// Whether bytes go through it as through a pipe: no position, no messages.
    #[must_use]
    pub fn is_stream(&self, id: DescriptionId) -> bool {
        match self.description(id).map(|description| &description.opened) {
            Ok(Opened::PipeRead(_) | Opened::PipeWrite(_) | Opened::Fifo(..)) => true,
            Ok(Opened::Socket(socket)) => socket.kind == SocketKind::Stream,
            _ => false,
        }
    }

    /// Where those stand who wait for bytes or room in a socket: who shuts it down has them all ask again.
    ///
    /// # Errors
    /// EBADF; ENOTSOCK.
    pub fn socket_queues(&self, id: DescriptionId) -> Result<[Option<WaitFor>; 2], Errno> {
        let socket = self.socket(id)?;
        Ok([
            socket.receive.map(WaitFor::PipeReadable),
            socket.send.map(WaitFor::PipeWritable),
        ])
    }

    /// shutdown(2).
    ///
    /// # Errors
    /// EBADF; ENOTSOCK; EINVAL for an unknown `how`.
    pub fn shut_down(&mut self, store: &mut S, id: DescriptionId, how: u32) -> Result<(), Errno> {
        let socket = self.socket(id)?;
        if how > net::SHUT_RDWR {
            return Err(Errno::EINVAL);
        }
        let mut left = socket;
        if how != net::SHUT_WR
            && let Some(receive) = left.receive.take()
        {
            self.close_end(store, receive, End::Read);
            // Who waits for bytes finds the end.
            self.wake(WaitFor::PipeReadable(receive));
        }
        if how != net::SHUT_RD
            && let Some(send) = left.send.take()
        {
            self.close_end(store, send, End::Write);
            self.wake(WaitFor::PipeWritable(send));
        }
        self.description_mut(id)?.opened = Opened::Socket(left);
        Ok(())
    }

    /// What could be done with a socket at once (poll(2)).
    pub(crate) fn socket_events(&self, socket: Socket) -> Result<u32, Errno> {
        const IN: u32 = linux::POLLIN | linux::POLLRDNORM;
        const OUT: u32 = linux::POLLOUT | linux::POLLWRNORM | linux::POLLWRBAND;
        let mut events = 0;
        let connected = socket.kind != SocketKind::Datagrams;
        // A shut direction is at its end: nothing is waited for there.
        let mut ends = 0;
        match socket.receive {
            None => {
                events |= IN | linux::POLLRDHUP;
                ends += 1;
            }
            Some(receive) => {
                let pipe = self.pipe(receive)?;
                if pipe.length() != 0 {
                    events |= IN;
                }
                if pipe.writers == 0 && connected {
                    events |= IN | linux::POLLRDHUP;
                    ends += 1;
                }
            }
        }
        match socket.send {
            None => {
                events |= OUT;
                ends += 1;
            }
            Some(send) => {
                let pipe = self.pipe(send)?;
                let closed = pipe.readers == 0;
                if closed || pipe.room() >= PIPE_CAPACITY / 4 {
                    events |= OUT;
                }
                ends += u32::from(closed && connected);
            }
        }
        if ends == 2 {
            events |= linux::POLLHUP;
        }
        Ok(events)
    }

    /// Bytes that a read would find (FIONREAD): of datagrams, the next one's.
    pub(crate) fn socket_bytes(&self, store: &S, socket: Socket) -> Result<u64, Errno> {
        let Some(receive) = socket.receive else {
            return Ok(0);
        };
        let pipe = self.pipe(receive)?;
        if socket.kind == SocketKind::Stream || pipe.length() == 0 {
            return Ok(pipe.length() as u64);
        }
        let mut at = pipe.message_left;
        let mut total = 0;
        while at < pipe.length() {
            let mut header = [0; HEADER];
            pipe.copy(store, at, &mut header);
            let length = u32::from_le_bytes(header) as usize;
            total += length as u64;
            if socket.kind == SocketKind::Datagrams {
                break;
            }
            at += HEADER + length;
        }
        Ok(total)
    }
}

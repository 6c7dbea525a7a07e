//! Sockets (socket(7)), of which there are connected pairs alone: socketpair(2) of AF_UNIX, without addresses and without
//! control data.
use super::Outcome;
use super::buffers::{Buffers, Direction, TRANSFER_LIMIT, VECTOR_LIMIT};
use crate::kernel::Kernel;
use crate::memory::user::{self, UserBuffer};
use crate::memory::{heap, space::AddressSpace};
use crate::process::Process;
use crate::records::COUNTERS;
use contract::Errno;
use files::{SocketKind, Transfer};
use linux_raw_sys::general as linux;
use linux_raw_sys::net;

/// SOCK_CLOEXEC and SOCK_NONBLOCK are O_CLOEXEC and O_NONBLOCK; what is below them is the type.
const TYPE_MASK: u32 = 0xf;
const TYPE_FLAGS: u32 = linux::O_CLOEXEC | linux::O_NONBLOCK;
/// One more than the greatest number of a type, and of a family.
const TYPE_MAX: u32 = 11;
const FAMILY_MAX: i32 = 46;
/// `struct msghdr`, in words: name, its length, vector, its length, control data, its length, flags.
const HEADER_WORDS: usize = 7;
const CONTROL_LENGTH: u64 = 40;
const NAME_LENGTH: u64 = 8;
/// The flag of a message of 32 bits, which only the kernel sets.
const MSG_CMSG_COMPAT: u32 = 0x8000_0000;

/// What is got of a socket's options, each an int.
fn option(kind: SocketKind, name: u32) -> Result<u32, Errno> {
    match name {
        net::SO_TYPE => Ok(kind.number()),
        net::SO_DOMAIN => Ok(net::AF_UNIX),
        net::SO_PROTOCOL | net::SO_ERROR | net::SO_ACCEPTCONN => Ok(0),
        _ => Err(Errno::ENOPROTOOPT),
    }
}

impl Kernel {
    /// socket(2): a socket of one's own needs an address to be of use, and there are none.
    pub fn socket(&mut self, family: u64, kind: u64) -> Result<u64, Errno> {
        let kind = kind as u32;
        if kind & !(TYPE_MASK | TYPE_FLAGS) != 0 {
            return Err(Errno::EINVAL);
        }
        if !(0..FAMILY_MAX).contains(&(family as i32)) {
            return Err(Errno::EAFNOSUPPORT);
        }
        if kind & TYPE_MASK >= TYPE_MAX {
            return Err(Errno::EINVAL);
        }
        COUNTERS.mark_missing(u64::from(linux::__NR_socket));
        Err(Errno::EAFNOSUPPORT)
    }

    /// socketpair(2).
    pub fn socketpair(
        &mut self,
        family: u64,
        kind: u64,
        protocol: u64,
        address: u64,
    ) -> Result<u64, Errno> {
        let kind = kind as u32;
        if kind & !(TYPE_MASK | TYPE_FLAGS) != 0 {
            return Err(Errno::EINVAL);
        }
        heap::require_reserve()?;
        let Process {
            descriptors,
            memory: Some(space),
            ..
        } = &mut self.processes[self.current.process]
        else {
            return Err(Errno::ESRCH);
        };
        let table = descriptors.own(&mut self.files)?;
        let first = table.lowest_free(0)?;
        table.lowest_free(first + 1)?;
        // That the answer can be written comes before what is asked for.
        let mut bytes = [0; 8];
        user::read(space, address, &mut bytes)?;
        user::write(space, address, &bytes)?;
        if family as u32 != net::AF_UNIX {
            return Err(Errno::EAFNOSUPPORT);
        }
        let wanted = match kind & TYPE_MASK {
            net::SOCK_STREAM => SocketKind::Stream,
            net::SOCK_SEQPACKET => SocketKind::SequencedPackets,
            net::SOCK_DGRAM | net::SOCK_RAW => SocketKind::Datagrams,
            TYPE_MAX.. => return Err(Errno::EINVAL),
            _ => return Err(Errno::ESOCKTNOSUPPORT),
        };
        if protocol != 0 && protocol as u32 != net::AF_UNIX {
            return Err(Errno::EPROTONOSUPPORT);
        }
        let flags = kind & TYPE_FLAGS;
        let [one, other] = self
            .files
            .socket_pair(&mut self.pages, table, wanted, flags)?;
        user::write(
            space,
            address,
            &[one.to_ne_bytes(), other.to_ne_bytes()].concat(),
        )?;
        Ok(0)
    }

    /// The kind of a descriptor's socket. ENOTSOCK where it is none.
    fn socket_kind(&self, descriptor: u64) -> Result<SocketKind, Errno> {
        self.files
            .socket_kind(self.description_of_call(descriptor)?)
    }

    /// Calls that are about addresses, which the sockets here have none of: an error that says what the socket is.
    pub fn socket_address_call(&mut self, descriptor: u64) -> Result<u64, Errno> {
        self.socket_kind(descriptor)?;
        Err(Errno::EOPNOTSUPP)
    }

    /// sendto(2).
    pub fn sendto(
        &mut self,
        descriptor: u64,
        address: u64,
        length: u64,
        flags: u64,
        name: u64,
    ) -> Result<Outcome, Errno> {
        user::check(address, length.min(TRANSFER_LIMIT))?;
        let kind = self.socket_kind(descriptor)?;
        if name != 0 && kind == SocketKind::Stream {
            return Err(Errno::EISCONN);
        }
        let buffers = Buffers::One(UserBuffer { address, length });
        self.send(descriptor, buffers, flags as u32)
    }

    fn send(&mut self, descriptor: u64, buffers: Buffers, flags: u32) -> Result<Outcome, Errno> {
        if flags & net::MSG_OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        let mut transfer = Transfer::new(0);
        transfer.flags = flags;
        self.transfer_as(Direction::Write, descriptor, buffers, &mut transfer)
    }

    /// recvfrom(2). Who sent it has no address.
    pub fn recvfrom(
        &mut self,
        descriptor: u64,
        address: u64,
        length: u64,
        flags: u64,
        name: u64,
    ) -> Result<Outcome, Errno> {
        user::check(address, length.min(TRANSFER_LIMIT))?;
        self.socket_kind(descriptor)?;
        let thread = &self.processes[self.current.thread];
        let [.., name_length] = thread.context.registers.arguments();
        let buffers = Buffers::One(UserBuffer { address, length });
        let (outcome, _) = self.receive(descriptor, buffers, flags as u32)?;
        if let Outcome::Return(_) = outcome
            && name != 0
        {
            user::write(self.space_now(), name_length, &[0; 4])?;
        }
        Ok(outcome)
    }

    fn receive(
        &mut self,
        descriptor: u64,
        buffers: Buffers,
        flags: u32,
    ) -> Result<(Outcome, Transfer), Errno> {
        if flags & net::MSG_OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        let mut transfer = Transfer::new(0);
        transfer.flags = flags;
        let outcome = self.transfer_as(Direction::Read, descriptor, buffers, &mut transfer)?;
        let whole = flags & net::MSG_TRUNC != 0 && transfer.begun;
        Ok(match outcome {
            Outcome::Return(_) if whole => (Outcome::Return(transfer.message as u64), transfer),
            outcome => (outcome, transfer),
        })
    }

    fn space_now(&self) -> &AddressSpace {
        self.processes[self.current.process].space()
    }

    /// The vector of a `struct msghdr`, and how long its control data is.
    fn message_header(&self, header: u64) -> Result<(Buffers, u64), Errno> {
        let words: [u64; HEADER_WORDS] = user::read_words(self.space_now(), header)?;
        let [_, name_length, address, count, _, control, _] = words;
        if (name_length as i32) < 0 {
            return Err(Errno::EINVAL);
        }
        if count > VECTOR_LIMIT {
            return Err(Errno::EMSGSIZE);
        }
        Ok((Buffers::Vector { address, count }, control))
    }

    /// sendmsg(2), without control data.
    pub fn sendmsg(&mut self, descriptor: u64, header: u64, flags: u64) -> Result<Outcome, Errno> {
        if flags as u32 & MSG_CMSG_COMPAT != 0 {
            return Err(Errno::EINVAL);
        }
        self.socket_kind(descriptor)?;
        let (buffers, control) = self.message_header(header)?;
        if control != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        self.send(descriptor, buffers, flags as u32)
    }

    /// recvmsg(2): there is never control data.
    pub fn recvmsg(&mut self, descriptor: u64, header: u64, flags: u64) -> Result<Outcome, Errno> {
        if flags as u32 & MSG_CMSG_COMPAT != 0 {
            return Err(Errno::EINVAL);
        }
        self.socket_kind(descriptor)?;
        let (buffers, _) = self.message_header(header)?;
        let (outcome, transfer) = self.receive(descriptor, buffers, flags as u32)?;
        if let Outcome::Return(_) = outcome {
            let cut = transfer.begun && transfer.message > transfer.total;
            let seen = if cut { net::MSG_TRUNC } else { 0 };
            let space = self.space_now();
            user::write(space, header.wrapping_add(NAME_LENGTH), &[0; 4])?;
            let answer = [0, u64::from(seen)];
            user::write_words(space, header.wrapping_add(CONTROL_LENGTH), &answer)?;
        }
        Ok(outcome)
    }

    /// shutdown(2).
    pub fn shutdown(&mut self, descriptor: u64, how: u64) -> Result<u64, Errno> {
        let description = self.description(descriptor)?;
        for queue in self.files.socket_queues(description)?.into_iter().flatten() {
            self.wake_all(queue);
        }
        self.files
            .shut_down(&mut self.pages, description, how as u32)?;
        self.wake_files();
        Ok(0)
    }

    /// getsockname(2), getpeername(2): a family, and no name.
    pub fn socket_name(&self, descriptor: u64, address: u64, length: u64) -> Result<u64, Errno> {
        self.socket_kind(descriptor)?;
        let name = (net::AF_UNIX as u16).to_ne_bytes();
        self.write_counted(address, length, &name)
    }

    /// Writes as much of `bytes` as the int at `length` says there is room for, and there how much there was.
    fn write_counted(&self, address: u64, length: u64, bytes: &[u8]) -> Result<u64, Errno> {
        let space = self.space_now();
        let mut room = [0; 4];
        user::read(space, length, &mut room)?;
        let room = i32::from_ne_bytes(room);
        let room = usize::try_from(room).map_err(|_| Errno::EINVAL)?;
        user::write(space, address, &bytes[..bytes.len().min(room)])?;
        user::write(space, length, &(bytes.len() as u32).to_ne_bytes())?;
        Ok(0)
    }

    /// getsockopt(2): SO_TYPE, SO_DOMAIN, SO_PROTOCOL, SO_ERROR, SO_ACCEPTCONN.
    pub fn getsockopt(
        &self,
        descriptor: u64,
        level: u64,
        name: u64,
        address: u64,
        length: u64,
    ) -> Result<u64, Errno> {
        let kind = self.socket_kind(descriptor)?;
        if level as u32 != net::SOL_SOCKET {
            return Err(Errno::EOPNOTSUPP);
        }
        let value = option(kind, name as u32)?;
        self.write_counted(address, length, &value.to_ne_bytes())
    }

    /// setsockopt(2): nothing can be set.
    pub fn setsockopt(&self, descriptor: u64, level: u64, length: u64) -> Result<u64, Errno> {
        if (length as i32) < 0 {
            return Err(Errno::EINVAL);
        }
        self.socket_kind(descriptor)?;
        Err(if level as u32 == net::SOL_SOCKET {
            Errno::ENOPROTOOPT
        } else {
            Errno::EOPNOTSUPP
        })
    }
}

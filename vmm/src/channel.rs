//! What the kernel sends while it runs (`contract::channel`): read here, and given to who it is for.

use crate::files_out::Exports;
use crate::kernel_image::KernelImage;
use crate::memory::Memory;
use crate::strace::Strace;
use contract::channel::{CAPACITY, HEADER, Kind, MESSAGE_LIMIT};
use std::sync::atomic::Ordering;
use vm_memory::{Bytes, GuestAddress};

/// Offsets in the `Channel`.
const READ: u64 = 8;
const RING: u64 = 16;
const WANTED: u64 = RING + CAPACITY as u64;

/// Reads the channel of a machine that runs.
#[derive(Default)]
pub struct Listener {
    /// Where the channel is; none where nothing is expected, or what came made no sense.
    address: Option<u64>,
    read: u64,
    /// Who wants system calls.
    pub strace: Option<Strace>,
    /// Who wants files.
    pub exports: Exports,
}

impl Listener {
    /// Expects what `strace` and `exports` are for.
    #[must_use]
    pub fn new(kernel: &KernelImage<'_>, strace: Option<Strace>, exports: Exports) -> Self {
        let wanted = strace.is_some() || !exports.is_empty();
        let records = kernel.records.filter(|_| wanted);
        Self {
            address: records.map(|records| records.channel),
            read: 0,
            strace,
            exports,
        }
    }

    /// Whether anything is expected.
    #[must_use]
    pub fn is_listening(&self) -> bool {
        self.address.is_some()
    }

    /// Lets the guest send its files now, and end. Whether there is anything to hope for.
    pub fn want_files(&self, memory: &Memory) -> bool {
        let Some(address) = self.address.filter(|_| self.waits_for_files()) else {
            return false;
        };
        memory
            .store(1_u64, GuestAddress(address + WANTED), Ordering::Release)
            .is_ok()
    }

    /// Whether files are still to come.
    #[must_use]
    pub fn waits_for_files(&self) -> bool {
        self.is_listening() && self.exports.are_awaited()
    }

    /// Bytes that have come.
    #[must_use]
    pub fn heard(&self) -> u64 {
        self.read
    }

    /// Takes all that has come. Cheap where that is nothing.
    pub fn hear(&mut self, memory: &Memory) {
        let Some(address) = self.address else { return };
        if self.take_all(memory, address).is_none() {
            crate::messages::say("the guest kernel sends nonsense; nothing more is read from it");
            self.address = None;
        }
        if let Some(strace) = &mut self.strace {
            strace.flush();
        }
    }

    /// Says how far has been read; `None` where the channel is no channel.
    fn take_all(&mut self, memory: &Memory, address: u64) -> Option<()> {
        let at = GuestAddress(address);
        let written: u64 = memory.load(at, Ordering::Acquire).ok()?;
        while self.read != written {
            let unread = written.checked_sub(self.read)?;
            if unread < HEADER as u64 || unread > CAPACITY as u64 {
                return None;
            }
            let header = self.bytes(memory, address, self.read, HEADER)?;
            let length = u32::from_le_bytes(header[..4].try_into().ok()?) as usize;
            let whole = HEADER.checked_add(length)?;
            if whole > MESSAGE_LIMIT || whole as u64 > unread {
                return None;
            }
            let payload = self.bytes(memory, address, self.read + HEADER as u64, length)?;
            self.read += whole as u64;
            self.give(Kind::from_number(header[4])?, &payload)?;
            let told = GuestAddress(address + READ);
            memory.store(self.read, told, Ordering::Release).ok()?;
        }
        Some(())
    }

    /// Bytes of the ring.
    fn bytes(
        &self,
        memory: &Memory,
        address: u64,
        position: u64,
        length: usize,
    ) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        let start = (position % CAPACITY as u64) as usize;
        let first = length.min(CAPACITY - start);
        let (before, after) = bytes.split_at_mut(first);
        let ring = address.checked_add(RING)?;
        let place = GuestAddress(ring.checked_add(start as u64)?);
        memory.read_slice(before, place).ok()?;
        memory.read_slice(after, GuestAddress(ring)).ok()?;
        Some(bytes)
    }

    fn give(&mut self, kind: Kind, payload: &[u8]) -> Option<()> {
        let payload = Fields(payload);
        match (kind, &mut self.strace) {
            (Kind::File | Kind::FileEnd, _) => self.exports.take(kind, payload),
            (_, Some(strace)) => strace.take(kind, payload),
            (_, None) => Some(()),
        }
    }
}

/// Reads a payload from its front.
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    /// The next byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    /// The next two bytes.
    pub fn short(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes(2)?.try_into().ok()?))
    }

    /// The next four bytes.
    pub fn half(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    /// The next eight bytes.
    pub fn word(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }
}

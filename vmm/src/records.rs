//! Reads what the kernel leaves in memory: counters, kernel log, crash record. The guest may have written anything
//! there; nothing is believed but that it is bytes.

use crate::kernel_image::KernelImage;
use crate::memory::Memory;
use crate::messages;
use contract::Sysno;
use contract::counters::{
    Counter, EXIT_WORD, FIRST_COUNTER, FIRST_SYSTEM_CALL, MAGIC, MISSING, WORDS,
};
use contract::records::{CrashRecord, LOG_CAPACITY};
use contract::status::Exit;
use std::sync::atomic::Ordering;
use vm_memory::{Bytes, GuestAddress};

/// A copy of the counter page.
#[derive(Clone)]
pub struct Counters {
    words: Vec<u64>,
}

impl Counters {
    /// Reads the page; `None` where the kernel has none or has not been loaded.
    #[must_use]
    pub fn read(memory: &Memory, kernel: &KernelImage<'_>) -> Option<Self> {
        let at = kernel.records?.counters;
        let mut bytes = vec![0; WORDS * 8];
        memory.read_slice(&mut bytes, GuestAddress(at)).ok()?;
        let words: Vec<u64> = bytes
            .chunks_exact(8)
            .map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()))
            .collect();
        (words.first() == Some(&MAGIC)).then_some(Self { words })
    }

    /// One counter.
    #[must_use]
    pub fn get(&self, counter: Counter) -> u64 {
        self.words
            .get(FIRST_COUNTER + counter as usize)
            .copied()
            .unwrap_or(0)
    }

    /// How the kernel says it ended.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        Exit::decode(*self.words.get(EXIT_WORD)? as u32).filter(|exit| *exit != Exit::None)
    }

    /// System calls made: name, how often, and whether the kernel lacks it.
    pub fn system_calls(&self) -> impl Iterator<Item = (String, u64, Presence)> {
        let words = self.words.iter().skip(FIRST_SYSTEM_CALL).enumerate();
        words.filter(|(_, word)| **word != 0).map(|(number, word)| {
            let name = Sysno::new(number)
                .map_or_else(|| format!("number_{number}"), |call| call.name().to_owned());
            let presence = if word & MISSING == 0 {
                Presence::There
            } else {
                Presence::Missing
            };
            (name, word & !MISSING, presence)
        })
    }
}

/// Whether the kernel has a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It does something.
    There,
    /// It answered ENOSYS.
    Missing,
}

/// Prints the kernel log as it grows.
pub struct LogReader {
    address: Option<u64>,
    read: u64,
    line: Vec<u8>,
}

impl LogReader {
    /// Nothing printed yet.
    #[must_use]
    pub fn new(kernel: &KernelImage<'_>) -> Self {
        Self {
            address: kernel.records.map(|records| records.log),
            read: 0,
            line: Vec::new(),
        }
    }

    /// Prints the lines that are new. Cheap where there are none.
    pub fn print_new(&mut self, memory: &Memory) {
        let Some(address) = self.address else { return };
        let Ok(written) = memory.load::<u64>(GuestAddress(address), Ordering::Acquire) else {
            return;
        };
        if written == self.read {
            return;
        }
        let Some(new) = written.checked_sub(self.read) else {
            // It never falls; a guest that makes it fall gets nothing more printed.
            return;
        };
        let capacity = LOG_CAPACITY as u64;
        if new > capacity {
            self.read = written - capacity;
            self.line.clear();
        }
        let mut text = vec![0; LOG_CAPACITY];
        if memory
            .read_slice(&mut text, GuestAddress(address + 8))
            .is_err()
        {
            return;
        }
        for at in self.read..written {
            match text[(at % capacity) as usize] {
                b'\n' => self.print_line(),
                byte => self.line.push(byte),
            }
        }
        self.read = written;
    }

    /// Prints all, a line without an end too.
    pub fn finish(&mut self, memory: &Memory) {
        self.print_new(memory);
        if !self.line.is_empty() {
            self.print_line();
        }
    }

    fn print_line(&mut self) {
        let text: String = String::from_utf8_lossy(&self.line)
            .chars()
            .map(|c| {
                if c.is_control() && c != '\t' {
                    '\u{fffd}'
                } else {
                    c
                }
            })
            .collect();
        messages::say(&format!("kernel: {text}"));
        self.line.clear();
    }
}

/// The crash record, where the kernel has filled it in.
#[must_use]
pub fn crash(memory: &Memory, kernel: &KernelImage<'_>) -> Option<CrashRecord> {
    let at = kernel.records?.crash;
    let mut words = [0_u64; std::mem::size_of::<CrashRecord>() / 8];
    for (index, word) in words.iter_mut().enumerate() {
        *word = memory
            .read_obj(GuestAddress(at.checked_add(index as u64 * 8)?))
            .ok()?;
    }
    let [
        valid,
        vector,
        error,
        rip,
        rsp,
        rflags,
        rbp,
        cr2,
        cr3,
        general @ ..,
    ] = words;
    (valid == 1).then_some(CrashRecord {
        valid,
        vector,
        error,
        rip,
        rsp,
        rflags,
        rbp,
        cr2,
        cr3,
        general,
    })
}

//! The stack that a program starts with (System V ABI for x86-64, 3.4.1; getauxval(3)).
//!
//! ```text
//!  STACK_TOP ── 8 zero bytes
//!               strings: the program's path, the environment, the arguments, "x86_64", 16 random bytes
//!               (aligned to 16)
//!               auxiliary vector, ended by AT_NULL
//!               pointers to the environment, 0
//!               pointers to the arguments, 0
//!  rsp ───────  number of arguments
//! ```
use crate::memory::space::AddressSpace;
use crate::memory::user::UserFault;
use crate::memory::user_window::{Reader, Writer};
use crate::process::template::Program;
use contract::{Errno, PAGE, command_line};
use core::ops::Range;
use linux_raw_sys::auxvec as aux;

/// Bytes of arguments and environment with their pointers: a quarter of the stack's limit, and on Linux's conditions.
fn limit(space: &AddressSpace) -> u64 {
    const LEAST: u64 = 128 << 10;
    const MOST: u64 = 6 << 20;
    (space.stack_limit() / 4).clamp(LEAST, MOST)
}
/// One string's limit, its NUL included (MAX_ARG_STRLEN of execve(2)).
pub const STRING_LIMIT: u64 = 128 << 10;

/// A list of strings to be put on the stack.
pub trait Strings<'a> {
    /// Calls `each` with every string in order.
    ///
    /// # Errors
    /// What `each` answers, and EFAULT where the list or a string cannot be read.
    fn walk(&mut self, each: &mut dyn FnMut(Text<'a>) -> Result<(), Errno>) -> Result<(), Errno>;
}

/// A string, without its NUL.
#[derive(Clone, Copy)]
pub enum Text<'a> {
    Kernel(&'a [u8]),
    /// A token of the kernel command line.
    Encoded(&'static [u8]),
    User {
        space: &'a AddressSpace,
        address: u64,
        length: u64,
    },
}

impl Text<'_> {
    fn len(&self) -> u64 {
        match self {
            Self::Kernel(bytes) => bytes.len() as u64,
            Self::Encoded(token) => command_line::argument(token).count() as u64,
            Self::User { length, .. } => *length,
        }
    }

    /// Copies it to `target`, with a NUL. Fresh stack is zero, so the NUL is there already.
    fn copy_to(&self, to: &mut Writer<'_>, target: u64) -> Result<(), UserFault> {
        match self {
            Self::Kernel(bytes) => to.write(target, bytes),
            Self::Encoded(token) => {
                for (at, byte) in (target..).zip(command_line::argument(token)) {
                    to.write(at, &[byte])?;
                }
                Ok(())
            }
            Self::User {
                space,
                address,
                length,
            } => {
                let mut from = Reader::new(space);
                let mut done = 0;
                while done < *length {
                    let rest = from.rest_of_page(address + done)?;
                    let piece = &rest[..rest.len().min((length - done) as usize)];
                    to.write(target + done, piece)?;
                    done += piece.len() as u64;
                }
                Ok(())
            }
        }
    }
}

/// Strings of a list that are not looked for again.
const FEW: usize = 8;

/// A list of strings that is walked twice, to measure and to copy; but where they are few, the second time only here.
struct List<'a, 's> {
    strings: &'s mut dyn Strings<'a>,
    limit: u64,
    count: u64,
    /// With the NULs.
    bytes: u64,
    /// The first of them.
    few: [&'a [u8]; FEW],
    /// Whether those are all.
    known: bool,
}

impl<'a, 's> List<'a, 's> {
    fn new(strings: &'s mut dyn Strings<'a>, limit: u64) -> Self {
        Self {
            strings,
            limit,
            count: 0,
            bytes: 0,
            few: [&[]; FEW],
            known: true,
        }
    }

    fn measure(&mut self) -> Result<(), Errno> {
        let Self {
            strings,
            limit,
            count,
            bytes,
            few,
            known,
        } = self;
        strings.walk(&mut |text| {
            let length = text.len();
            if length >= STRING_LIMIT {
                return Err(Errno::E2BIG);
            }
            match (few.get_mut(*count as usize), text) {
                (Some(place), Text::Kernel(bytes)) => *place = bytes,
                _ => *known = false,
            }
            *count += 1;
            *bytes += length + 1;
            if *count * 8 + *bytes > *limit {
                Err(Errno::E2BIG)
            } else {
                Ok(())
            }
        })
    }

    /// Copies the strings to where `target` says, and to where `pointers` says where each has come to lie, and a 0.
    fn copy(&mut self, to: &mut Writer<'_>, pointers: &mut u64, target: u64) -> Result<(), Errno> {
        let mut target = target;
        if self.known
            && let Some(all) = self.few.get(..self.count as usize)
        {
            for text in all {
                to.write(target, text)?;
                put(to, pointers, target)?;
                target += text.len() as u64 + 1;
            }
            return Ok(put(to, pointers, 0)?);
        }
        let mut words = Words::new(*pointers);
        self.strings.walk(&mut |text| {
            text.copy_to(to, target)?;
            words.put(to, target)?;
            target += text.len() + 1;
            Ok(())
        })?;
        words.put(to, 0)?;
        words.flush(to)?;
        *pointers = words.at;
        Ok(())
    }
}

/// Words that are written several at a time: what they point to lies in other pages, and the writer knows one.
struct Words {
    /// Where the next ones go.
    at: u64,
    waiting: [[u8; 8]; 32],
    count: usize,
}

impl Words {
    const fn new(at: u64) -> Self {
        Self {
            at,
            waiting: [[0; 8]; 32],
            count: 0,
        }
    }

    fn put(&mut self, to: &mut Writer<'_>, word: u64) -> Result<(), UserFault> {
        if self.count == self.waiting.len() {
            self.flush(to)?;
        }
        self.waiting[self.count] = word.to_ne_bytes();
        self.count += 1;
        Ok(())
    }

    fn flush(&mut self, to: &mut Writer<'_>) -> Result<(), UserFault> {
        let bytes = self.waiting[..self.count].as_flattened();
        to.write(self.at, bytes)?;
        self.at += bytes.len() as u64;
        self.count = 0;
        Ok(())
    }
}

/// Writes a word, and goes on to the place of the next.
#[inline]
fn put(to: &mut Writer<'_>, at: &mut u64, word: u64) -> Result<(), UserFault> {
    to.word(*at, word)?;
    *at += 8;
    Ok(())
}

/// An entry of the auxiliary vector.
#[inline]
const fn pair(tag: u32, value: u64) -> [[u8; 8]; 2] {
    [(tag as u64).to_ne_bytes(), value.to_ne_bytes()]
}

/// Where things came to lie.
pub struct InitialStack {
    pub pointer: u64,
    pub arguments: Range<u64>,
    pub environment: Range<u64>,
}

/// Fills the stack of `space`, whose top is `top` and which is fresh.
///
/// # Errors
/// E2BIG for too much, EFAULT for a list that cannot be read, ENOMEM without frames.
pub fn build(
    space: &AddressSpace,
    top: u64,
    program: &Program,
    path: &[u8],
    arguments: &mut dyn Strings<'_>,
    environment: &mut dyn Strings<'_>,
    random: [u64; 2],
) -> Result<InitialStack, Errno> {
    const PLATFORM: &[u8] = b"x86_64\0";
    let limit = limit(space);
    let mut arguments = List::new(arguments, limit);
    arguments.measure()?;
    // A program that is given no arguments has a name, if an empty one (execve(2), since Linux 5.18).
    if arguments.count == 0 {
        (arguments.count, arguments.bytes) = (1, 1);
    }
    let mut environment = List::new(environment, limit);
    environment.measure()?;
    if (arguments.count + environment.count) * 8 + arguments.bytes + environment.bytes > limit {
        return Err(Errno::E2BIG);
    }
    let path_at = top - 8 - (path.len() as u64 + 1);
    let environment_at = path_at - environment.bytes;
    let arguments_at = environment_at - arguments.bytes;
    let platform_at = arguments_at - PLATFORM.len() as u64;
    let random_at = (platform_at - 16) & !15;

    let vector: [[[u8; 8]; 2]; 16] = [
        pair(aux::AT_PAGESZ, PAGE),
        pair(aux::AT_CLKTCK, 100),
        pair(aux::AT_PHDR, program.header_address),
        pair(aux::AT_PHENT, program.header_size),
        pair(aux::AT_PHNUM, program.header_count),
        pair(aux::AT_BASE, 0),
        pair(aux::AT_FLAGS, 0),
        pair(aux::AT_ENTRY, program.entry),
        pair(aux::AT_UID, 0),
        pair(aux::AT_EUID, 0),
        pair(aux::AT_GID, 0),
        pair(aux::AT_EGID, 0),
        pair(aux::AT_SECURE, 0),
        pair(aux::AT_RANDOM, random_at),
        pair(aux::AT_PLATFORM, platform_at),
        pair(aux::AT_EXECFN, path_at),
    ];
    // argc, argv and its 0, envp and its 0, the vector and its end.
    let words = 1 + arguments.count + 1 + environment.count + 1 + 2 * (vector.len() as u64 + 1);
    let pointer = (random_at - words * 8) & !15;

    let mut writer = Writer::new(space);
    writer.write(path_at, path)?;
    writer.write(platform_at, PLATFORM)?;
    let mut at = pointer;
    put(&mut writer, &mut at, arguments.count)?;
    arguments.copy(&mut writer, &mut at, arguments_at)?;
    environment.copy(&mut writer, &mut at, environment_at)?;
    // The vector ends in AT_NULL, which is zeros: the stack's own.
    writer.write(at, vector.as_flattened().as_flattened())?;
    writer.word(random_at, random[0])?;
    writer.word(random_at + 8, random[1])?;
    Ok(InitialStack {
        pointer,
        arguments: arguments_at..environment_at,
        environment: environment_at..path_at,
    })
}

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

/// A list of strings to be put on the stack, walked twice: to measure, and to copy.
pub trait Strings {
    /// Calls `each` with every string in order.
    ///
    /// # Errors
    /// What `each` answers, and EFAULT where the list or a string cannot be read.
    fn walk(&mut self, each: &mut dyn FnMut(Text<'_>) -> Result<(), Errno>) -> Result<(), Errno>;
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

/// What a list of strings comes to.
#[derive(Clone, Copy, Default)]
struct Measure {
    count: u64,
    /// With the NULs.
    bytes: u64,
}

fn measure(strings: &mut dyn Strings, limit: u64) -> Result<Measure, Errno> {
    let mut sum = Measure::default();
    strings.walk(&mut |text| {
        let length = text.len();
        if length >= STRING_LIMIT {
            return Err(Errno::E2BIG);
        }
        sum.count += 1;
        sum.bytes += length + 1;
        if sum.count * 8 + sum.bytes > limit {
            Err(Errno::E2BIG)
        } else {
            Ok(())
        }
    })?;
    Ok(sum)
}

/// The arguments of a program that was given none (execve(2), since Linux 5.18).
struct Nameless;

impl Strings for Nameless {
    fn walk(&mut self, each: &mut dyn FnMut(Text<'_>) -> Result<(), Errno>) -> Result<(), Errno> {
        each(Text::Kernel(b""))
    }
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
pub fn build<'a>(
    space: &AddressSpace,
    top: u64,
    program: &Program,
    path: &[u8],
    arguments: &'a mut dyn Strings,
    environment: &'a mut dyn Strings,
    random: [u64; 2],
) -> Result<InitialStack, Errno> {
    const PLATFORM: &[u8] = b"x86_64\0";
    let limit = limit(space);
    let mut argument_size = measure(arguments, limit)?;
    // A program has a name, if an empty one.
    let arguments = if argument_size.count == 0 {
        (argument_size.count, argument_size.bytes) = (1, 1);
        &mut Nameless
    } else {
        arguments
    };
    let environment_size = measure(environment, limit)?;
    if (argument_size.count + environment_size.count) * 8
        + argument_size.bytes
        + environment_size.bytes
        > limit
    {
        return Err(Errno::E2BIG);
    }
    let path_at = top - 8 - (path.len() as u64 + 1);
    let environment_at = path_at - environment_size.bytes;
    let arguments_at = environment_at - argument_size.bytes;
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
    let words =
        1 + argument_size.count + 1 + environment_size.count + 1 + 2 * (vector.len() as u64 + 1);
    let pointer = (random_at - words * 8) & !15;

    let mut writer = Writer::new(space);
    writer.write(path_at, path)?;
    writer.write(platform_at, PLATFORM)?;
    let mut at = pointer;
    let mut put = |writer: &mut Writer<'_>, word| {
        writer.word(at, word)?;
        at += 8;
        Ok::<(), UserFault>(())
    };
    put(&mut writer, argument_size.count)?;
    for (strings, first_at) in [(arguments, arguments_at), (environment, environment_at)] {
        let mut target = first_at;
        strings.walk(&mut |text| {
            text.copy_to(&mut writer, target)?;
            put(&mut writer, target)?;
            target += text.len() + 1;
            Ok(())
        })?;
        put(&mut writer, 0)?;
    }
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

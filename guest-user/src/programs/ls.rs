//! ls(1): the names in directories, sorted, one a line; `-l` with type, mode and size.
#![no_std]
#![no_main]
use guest_user::{Result, eprintln, print, println, program, stdio};

program!(main);

use core::ffi::CStr;
use guest_user::memory::{self, Reserve};
use guest_user::{Errno, Error, directory, files};

/// Bytes of address space for the names of one directory; only what is used becomes memory.
const NAMES: usize = 16 << 20;
/// Most names of one directory.
const COUNT: usize = 1 << 18;

/// How much is told.
#[derive(Clone, Copy)]
enum Form {
    Names,
    Long,
}

fn main() -> Result<u8> {
    let mut words = guest_user::arguments().skip(1).peekable();
    let form = match words.next_if_eq(&c"-l") {
        Some(_) => Form::Long,
        None => Form::Names,
    };
    let mut status = 0;
    let mut report = |path: &CStr, outcome: Result<()>| {
        if let Err(error) = outcome {
            let path = core::str::from_utf8(path.to_bytes()).unwrap_or("?");
            eprintln!("ls: {path}: {}", error.errno.name());
            status = 1;
        }
    };
    if words.peek().is_none() {
        report(c".", list(c".", form));
    }
    for path in words {
        report(path, list(path, form));
    }
    stdio::flush()?;
    Ok(status)
}

fn list(path: &CStr, form: Form) -> Result<()> {
    let names = memory::map(NAMES, Reserve::No)?;
    let starts = memory::map(COUNT * 4, Reserve::No)?;
    let starts = as_words(starts);
    let (mut end, mut count) = (0, 0);
    let visited = directory::for_each(path, |name| {
        let bytes = name.to_bytes_with_nul();
        if bytes.starts_with(b".") {
            return Ok(());
        }
        let full = Error {
            call: "mmap",
            errno: Errno::ENOMEM,
        };
        *starts.get_mut(count).ok_or(full)? = end as u32;
        let room = names.get_mut(end..end + bytes.len()).ok_or(full)?;
        room.copy_from_slice(bytes);
        end += bytes.len();
        count += 1;
        Ok(())
    });
    match visited {
        Err(error) if error.errno == Errno::ENOTDIR => {
            show(path.to_bytes(), path, form)?;
            return Ok(());
        }
        outcome => outcome?,
    }
    let names: &[u8] = names;
    let name = |start: u32| {
        CStr::from_bytes_until_nul(names.get(start as usize..).unwrap_or_default())
            .unwrap_or_default()
    };
    let starts = &mut starts[..count];
    starts.sort_unstable_by(|&a, &b| name(a).cmp(name(b)));
    for &start in starts.iter() {
        show(path.to_bytes(), name(start), form)?;
    }
    Ok(())
}

/// The memory as numbers.
fn as_words(bytes: &'static mut [u8]) -> &'static mut [u32] {
    // SAFETY: any bytes are a `u32`.
    unsafe { bytes.align_to_mut() }.1
}

/// One line: for a file that was named itself, `directory` is its name too.
fn show(directory: &[u8], name: &CStr, form: Form) -> Result<()> {
    if let Form::Long = form {
        let mut path = [0_u8; 4096];
        let path = if directory == name.to_bytes() {
            name
        } else {
            join(&mut path, directory, name.to_bytes())
        };
        let stat = files::lstat(path)?;
        let kind = match stat.st_mode & 0o170_000 {
            0o040_000 => 'd',
            0o120_000 => 'l',
            0o020_000 => 'c',
            0o060_000 => 'b',
            0o010_000 => 'p',
            0o140_000 => 's',
            _ => '-',
        };
        print!("{kind}");
        for bit in (0..9).rev() {
            let set = stat.st_mode >> bit & 1 != 0;
            print!("{}", if set { ["x", "w", "r"][bit % 3] } else { "-" });
        }
        print!(" {:3} {:9} ", stat.st_nlink, stat.st_size);
    }
    stdio::put(name.to_bytes())?;
    println!();
    Ok(())
}

/// `directory/name` in the buffer; empty, and so ENOENT, where it does not fit.
fn join<'a>(buffer: &'a mut [u8], directory: &[u8], name: &[u8]) -> &'a CStr {
    let length = directory.len() + 1 + name.len();
    if length < buffer.len() {
        buffer[..directory.len()].copy_from_slice(directory);
        buffer[directory.len()] = b'/';
        buffer[directory.len() + 1..length].copy_from_slice(name);
    }
    CStr::from_bytes_until_nul(buffer).unwrap_or_default()
}

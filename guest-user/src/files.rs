//! Files and descriptors, under their names in section 2 of the manual.
use crate::Result;
use crate::call::call;
use contract::Errno;
use core::ffi::CStr;
use linux_raw_sys::{general as raw, ioctl};

/// A file descriptor.
pub type Descriptor = i32;

/// Descriptor of standard input.
pub const STDIN: Descriptor = 0;
/// Descriptor of standard output.
pub const STDOUT: Descriptor = 1;
/// Descriptor of standard error.
pub const STDERR: Descriptor = 2;

pub use raw::{
    O_APPEND, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY,
};

/// open(2), new files with mode 0644.
///
/// # Errors
/// Those of open(2).
pub fn open(path: &CStr, flags: u32) -> Result<Descriptor> {
    // SAFETY: the path ends with a NUL, and the call only reads it.
    unsafe { call!(open, path.as_ptr(), flags, 0o644) }.map(|fd| fd as Descriptor)
}

/// close(2).
///
/// # Errors
/// Those of close(2).
pub fn close(fd: Descriptor) -> Result<()> {
    // SAFETY: no memory is passed.
    unsafe { call!(close, fd) }.map(drop)
}

/// read(2): how many bytes were read, zero at the end.
///
/// # Errors
/// Those of read(2).
pub fn read(fd: Descriptor, buffer: &mut [u8]) -> Result<usize> {
    // SAFETY: the call writes within the buffer, which is exclusively ours.
    unsafe { call!(read, fd, buffer.as_mut_ptr(), buffer.len()) }
}

/// Reads until the buffer is full or the end is reached: how many bytes were read.
///
/// # Errors
/// Those of read(2).
pub fn read_all(fd: Descriptor, buffer: &mut [u8]) -> Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match read(fd, &mut buffer[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.errno == Errno::EINTR => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

/// Opens, reads from the start as far as the buffer goes, closes: how many bytes were read.
///
/// # Errors
/// Those of open(2) and read(2).
pub fn read_file(path: &CStr, buffer: &mut [u8]) -> Result<usize> {
    let fd = open(path, O_RDONLY | O_CLOEXEC)?;
    let length = read_all(fd, buffer);
    close(fd)?;
    length
}

/// write(2): how many bytes were written.
///
/// # Errors
/// Those of write(2).
pub fn write(fd: Descriptor, bytes: &[u8]) -> Result<usize> {
    // SAFETY: the call only reads the bytes.
    unsafe { call!(write, fd, bytes.as_ptr(), bytes.len()) }
}

/// write(2) until everything is written.
///
/// # Errors
/// Those of write(2).
pub fn write_all(fd: Descriptor, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        match write(fd, bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(error) if error.errno == Errno::EINTR => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Where an offset of lseek(2) counts from.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum Whence {
    /// The start of the file.
    Start = raw::SEEK_SET,
    /// The present position.
    Current = raw::SEEK_CUR,
    /// The end of the file.
    End = raw::SEEK_END,
}

/// lseek(2): the new position in bytes from the start.
///
/// # Errors
/// Those of lseek(2).
pub fn lseek(fd: Descriptor, offset: i64, whence: Whence) -> Result<u64> {
    // SAFETY: no memory is passed.
    unsafe { call!(lseek, fd, offset, whence) }.map(|at| at as u64)
}

/// dup2(2).
///
/// # Errors
/// Those of dup2(2).
pub fn dup2(from: Descriptor, to: Descriptor) -> Result<()> {
    // SAFETY: no memory is passed.
    unsafe { call!(dup2, from, to) }.map(drop)
}

/// The two ends of a pipe.
#[derive(Clone, Copy, Debug)]
pub struct Pipe {
    /// Where bytes come out.
    pub reader: Descriptor,
    /// Where bytes go in.
    pub writer: Descriptor,
}

/// pipe(2).
///
/// # Errors
/// Those of pipe(2).
pub fn pipe() -> Result<Pipe> {
    let mut ends = [0; 2];
    // SAFETY: the call writes two descriptors, and there is room for two.
    unsafe { call!(pipe, &raw mut ends) }?;
    let [reader, writer] = ends;
    Ok(Pipe { reader, writer })
}

/// unlink(2).
///
/// # Errors
/// Those of unlink(2).
pub fn unlink(path: &CStr) -> Result<()> {
    // SAFETY: the path ends with a NUL, and the call only reads it.
    unsafe { call!(unlink, path.as_ptr()) }.map(drop)
}

/// mkdir(2) with mode 0755.
///
/// # Errors
/// Those of mkdir(2).
pub fn mkdir(path: &CStr) -> Result<()> {
    // SAFETY: the path ends with a NUL, and the call only reads it.
    unsafe { call!(mkdir, path.as_ptr(), 0o755) }.map(drop)
}

/// chdir(2).
///
/// # Errors
/// Those of chdir(2).
pub fn chdir(path: &CStr) -> Result<()> {
    // SAFETY: the path ends with a NUL, and the call only reads it.
    unsafe { call!(chdir, path.as_ptr()) }.map(drop)
}

/// isatty(3).
pub fn isatty(fd: Descriptor) -> bool {
    let mut settings = core::mem::MaybeUninit::<raw::termios>::uninit();
    // SAFETY: TCGETS writes one `termios`, and there is room for one.
    unsafe { call!(ioctl, fd, ioctl::TCGETS, settings.as_mut_ptr()) }.is_ok()
}

/// tcdrain(3): waits until a terminal has sent what was written.
///
/// # Errors
/// ENOTTY where it is none; those of ioctl(2).
pub fn drain(fd: Descriptor) -> Result<()> {
    // SAFETY: TCSBRK takes an integer.
    unsafe { call!(ioctl, fd, ioctl::TCSBRK, 1) }.map(drop)
}

/// What stat(2) tells, as far as it is used here.
pub type Stat = raw::stat;

/// lstat(2): of a symbolic link itself.
///
/// # Errors
/// Those of lstat(2).
pub fn lstat(path: &CStr) -> Result<Stat> {
    let mut stat = core::mem::MaybeUninit::<Stat>::zeroed();
    // SAFETY: the path ends with a NUL; the call writes one `stat`, and there is room for one.
    unsafe { call!(lstat, path.as_ptr(), stat.as_mut_ptr()) }?;
    // SAFETY: numbers only, zero or written by the kernel.
    Ok(unsafe { stat.assume_init() })
}

/// getdents64(2): how many bytes of the buffer were filled with records, zero at the end.
///
/// # Errors
/// Those of getdents64(2).
pub fn getdents64(fd: Descriptor, buffer: &mut [u8]) -> Result<usize> {
    // SAFETY: the call writes within the buffer, which is exclusively ours.
    unsafe { call!(getdents64, fd, buffer.as_mut_ptr(), buffer.len()) }
}

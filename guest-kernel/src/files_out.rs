//! Files for the host, when the machine ends, by itself or because the monitor wants it to: each tree that the command
//! line names, as a cpio archive (newc, cpio(5)) through the channel.
use crate::arch::machine;
use crate::boot::command_line::Options;
use crate::boot::tokens::Token;
use crate::channel;
use crate::kernel::Kernel;
use crate::memory::heap;
use crate::one_cpu::OneCpu;
use crate::process::signal::SIGKILL;
use crate::records::CHANNEL;
use contract::channel::Kind;
use contract::status::Exit;
use contract::{Errno, PAGE, PAGE_SIZE};
use core::sync::atomic::Ordering;
use files::{Attributes, InodeId, LastLink, NoProcesses, Owner, PATH_MAX, View};
use linux_raw_sys::general as linux;

const TRAILER: &[u8] = b"TRAILER!!!";

/// What is wanted, where something is.
static WANTED: OneCpu<Option<&'static Options>> = OneCpu::new(None);

/// Notes what a command line wants.
pub fn expect(options: &'static Options) {
    if options.exports().next().is_some() {
        WANTED.with(|wanted| *wanted = Some(options));
    }
}

/// Whether files are to be sent, and the monitor may want them at any time.
pub fn are_expected() -> bool {
    WANTED.with(|wanted| wanted.is_some())
}

/// Ends the machine, files first, if the monitor wants that: nobody else can any more.
pub fn send_if_wanted(kernel: &Kernel) {
    if are_expected() && CHANNEL.wanted.load(Ordering::Relaxed) != 0 {
        send_all(kernel);
        machine::exit(Exit::Killed(SIGKILL));
    }
}

/// Sends all that is wanted.
pub fn send_all(kernel: &Kernel) {
    let Some(options) = WANTED.with(Option::take) else {
        return;
    };
    for (index, token) in options.exports().enumerate() {
        let index = index as u32;
        let result = send(kernel, index, token);
        channel::send(Kind::FileEnd, |message| {
            message.half(index);
            message.half(result.err().map_or(0, |errno| u32::from(errno.0)));
        });
    }
    channel::ring();
}

fn send(kernel: &Kernel, index: u32, token: Token) -> Result<(), Errno> {
    let mut buffer = [0; PATH_MAX];
    let mut length = 0;
    for byte in token.bytes() {
        *buffer.get_mut(length).ok_or(Errno::ENAMETOOLONG)? = byte;
        length += 1;
    }
    let view = View {
        start: kernel.files.root(),
        process: 0,
        umask: 0,
        owner: Owner::ROOT,
        processes: &NoProcesses,
    };
    let top = kernel
        .files
        .lookup(&view, &buffer[..length], LastLink::Keep)?;
    if let InodeId::Proc(_) = top {
        return Err(Errno::EINVAL);
    }
    let archive = Archive { kernel, index };
    kernel
        .files
        .visit_tree(top, &mut |path, inode| archive.entry(&view, path, inode))?;
    archive.header(TRAILER, None);
    Ok(())
}

/// An archive on its way to the host.
struct Archive<'a> {
    kernel: &'a Kernel,
    index: u32,
}

impl Archive<'_> {
    fn entry(&self, view: &View<'_>, path: &[u8], inode: InodeId) -> Result<(), Errno> {
        // What nobody has looked at comes into being.
        heap::require_reserve()?;
        let attributes = self.kernel.files.attributes(inode)?;
        if u32::try_from(attributes.size).is_err() {
            return Err(Errno::EFBIG);
        }
        match attributes.mode & linux::S_IFMT {
            linux::S_IFREG => {
                self.header(path, Some((&attributes, attributes.size as u32)));
                self.content(inode, attributes.size);
                self.pad(attributes.size as usize);
            }
            linux::S_IFLNK => {
                let target = self.kernel.files.readlink_inode(view, inode)?;
                self.header(path, Some((&attributes, target.len() as u32)));
                self.bytes(&target);
                self.pad(target.len());
            }
            _ => self.header(path, Some((&attributes, 0))),
        }
        Ok(())
    }

    /// A header with its name; the last one is of no file.
    fn header(&self, path: &[u8], of: Option<(&Attributes, u32)>) {
        let name = if path.is_empty() { b"." } else { path };
        let (attributes, size) = (
            of.map(|(attributes, _)| attributes),
            of.map_or(0, |of| of.1),
        );
        let word = |of: fn(&Attributes) -> u64| attributes.map_or(0, of) as u32;
        let fields = [
            word(|a| a.ino),
            word(|a| u64::from(a.mode)),
            word(|a| u64::from(a.uid)),
            word(|a| u64::from(a.gid)),
            word(|a| a.nlink),
            word(|a| a.mtime.seconds as u64),
            size,
            0,
            0,
            word(|a| u64::from(linux_major(a.rdev))),
            word(|a| u64::from(linux_minor(a.rdev))),
            name.len() as u32 + 1,
            0,
        ];
        let mut header = [0; 110];
        header[..6].copy_from_slice(b"070701");
        for (place, field) in header[6..].chunks_exact_mut(8).zip(fields) {
            for (digit, shift) in place.iter_mut().zip((0..8).rev()) {
                *digit = b"0123456789ABCDEF"[(field >> (4 * shift)) as usize & 15];
            }
        }
        self.bytes(&header);
        self.bytes(name);
        self.bytes(&[0]);
        self.pad(header.len() + name.len() + 1);
    }

    fn content(&self, inode: InodeId, size: u64) {
        let mut page = [0; PAGE_SIZE];
        let mut offset = 0;
        while offset < size {
            let want = (size - offset).min(PAGE) as usize;
            let read =
                self.kernel
                    .files
                    .read_at(&self.kernel.pages, inode, offset, &mut page[..want]);
            // A file that is shorter than it says has zeros.
            page[read..].fill(0);
            self.bytes(&page[..want]);
            offset += want as u64;
        }
    }

    /// Everything starts on a multiple of four.
    fn pad(&self, length: usize) {
        self.bytes(&[0; 3][..length.next_multiple_of(4) - length]);
    }

    fn bytes(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            channel::send(Kind::File, |message| {
                message.half(self.index);
                message.bytes(bytes);
            });
        }
    }
}

/// Major number of a device as `st_rdev` has it (makedev(3)).
const fn linux_major(device: u64) -> u32 {
    (device >> 8 & 0xfff) as u32 | (device >> 32) as u32 & !0xfff
}

/// Minor number.
const fn linux_minor(device: u64) -> u32 {
    (device & 0xff) as u32 | (device >> 12) as u32 & !0xff
}

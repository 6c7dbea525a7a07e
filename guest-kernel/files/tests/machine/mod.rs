//! What the tests run the files on: a store that counts its pages and can be told to fail, and a caller.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses a part of it"
)]

mod archives;
mod pages;

pub use archives::{Entry, archive, directory, file, put_entry, symlink};
use contract::Errno;
use files::{
    DescriptionId, FdTable, Files, InodeId, Output, PageStore, ProcContent, ProcSource, Step,
    Transfer, View, WaitFor,
};
pub use pages::{Page, Pages, RESERVE};
use std::cell::RefCell;

/// Processes 1 and 7.
pub struct Processes {
    pub descriptors: RefCell<Vec<(u32, DescriptionId)>>,
    pub cwd: InodeId,
    pub text: Vec<u8>,
}

impl ProcSource for Processes {
    fn next_process(&self, from: u32) -> Option<u32> {
        [1, 7].into_iter().find(|pid| *pid >= from)
    }
    fn write(&self, content: ProcContent, out: &mut dyn Output) -> Result<()> {
        writeln!(out, "{content:?}").map_err(|_| Errno::ENOMEM)?;
        out.bytes(&self.text);
        Ok(())
    }
    fn next_thread(&self, process: u32, from: u32) -> Option<u32> {
        self.next_process(from).filter(|thread| *thread == process)
    }
    fn asking_thread(&self) -> u32 {
        1
    }
    fn executable(&self, _process: u32) -> Option<&[u8]> {
        Some(b"/bin/echo")
    }
    fn working_directory(&self, _process: u32) -> Option<InodeId> {
        Some(self.cwd)
    }
    fn descriptor(&self, process: u32, fd: u32) -> Option<DescriptionId> {
        let all = self.descriptors.borrow();
        all.iter()
            .find(|(n, _)| process == 1 && *n == fd)
            .map(|(_, id)| *id)
    }
    fn next_descriptor(&self, process: u32, from: u32) -> Option<u32> {
        let all = self.descriptors.borrow();
        all.iter()
            .map(|(n, _)| *n)
            .filter(|n| process == 1 && *n >= from)
            .min()
    }
}

/// Files, a store and process 1.
pub struct Machine {
    pub files: Files<Pages>,
    pub pages: Pages,
    pub table: FdTable,
    pub processes: Processes,
}

pub type Result<T> = std::result::Result<T, Errno>;

impl Machine {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// A tree from these entries, with `/dev` and `/proc`.
    pub fn with(entries: &[Entry<'_>]) -> Self {
        let mut files = Files::new();
        let mut pages = Pages {
            out: 0,
            left: 1 << 20,
        };
        if !entries.is_empty() {
            files.seed(&mut pages, archive(entries).leak()).unwrap();
        }
        files.populate(&mut pages).unwrap();
        let cwd = files.root();
        Self {
            files,
            pages,
            table: FdTable::new(),
            processes: Processes {
                descriptors: RefCell::new(Vec::new()),
                cwd,
                text: Vec::new(),
            },
        }
    }

    pub fn view(processes: &Processes) -> View<'_> {
        View {
            start: processes.cwd,
            process: 1,
            umask: 0o022,
            owner: files::Owner::ROOT,
            processes,
        }
    }

    /// Lets `/proc/1/fd` show the table.
    pub fn publish(&mut self) {
        let mut all = Vec::new();
        let mut from = 0;
        while let Some(fd) = self.table.next_open(from) {
            all.push((fd, self.table.get(fd).unwrap()));
            from = fd + 1;
        }
        *self.processes.descriptors.borrow_mut() = all;
    }

    pub fn open_step(&mut self, path: &str, flags: u32, progress: &mut usize) -> Step<u32> {
        let view = Self::view(&self.processes);
        self.files.open(
            &mut self.pages,
            &mut self.table,
            &view,
            path.as_bytes(),
            flags,
            0o666,
            progress,
        )
    }

    pub fn open(&mut self, path: &str, flags: u32) -> Result<u32> {
        done(self.open_step(path, flags, &mut 0))
    }

    pub fn close(&mut self, fd: u32) -> Result<()> {
        self.files.close(&mut self.pages, &mut self.table, fd)
    }

    /// One whole read call, as the kernel does it, in pieces of `piece` bytes.
    pub fn read_pieces(&mut self, fd: u32, length: usize, piece: usize) -> Step<Vec<u8>> {
        let id = match self.table.get(fd) {
            Ok(id) => id,
            Err(errno) => return Step::Done(Err(errno)),
        };
        let mut buffer = vec![0xee; length];
        let mut transfer = Transfer::new(length);
        loop {
            let end = (transfer.done + piece).min(length);
            let into = &mut buffer[transfer.done..end];
            let size = into.len();
            let last = match self.files.read(&mut self.pages, id, &mut transfer, into) {
                Step::Done(Ok(count)) if count == size && transfer.done < length => continue,
                Step::Done(last) => last,
                Step::Generate => {
                    let made = self.files.generate(&mut self.pages, id, &self.processes);
                    match made {
                        Ok(()) => continue,
                        Err(errno) => return Step::Done(Err(errno)),
                    }
                }
                Step::Wait(until) => return Step::Wait(until),
                Step::Device(device) => return Step::Device(device),
                Step::Set(file) => return Step::Set(file),
                Step::Pages(process, at) => return Step::Pages(process, at),
                Step::Aside => return Step::Aside,
            };
            let result = transfer.result(last);
            return Step::Done(result.map(|count| buffer[..count].to_vec()));
        }
    }

    pub fn read(&mut self, fd: u32, length: usize) -> Result<Vec<u8>> {
        done(self.read_pieces(fd, length, 4096))
    }

    pub fn write(&mut self, fd: u32, bytes: &[u8]) -> Result<usize> {
        let mut transfer = Transfer::new(bytes.len());
        match self.write_pieces(fd, bytes, 4096, &mut transfer) {
            Step::Done(result) => result,
            step => panic!("{step:?}"),
        }
    }

    /// One attempt at a write call, in pieces; `transfer` is kept over a wait.
    pub fn write_pieces(
        &mut self,
        fd: u32,
        bytes: &[u8],
        piece: usize,
        transfer: &mut Transfer,
    ) -> Step<usize> {
        let id = match self.table.get(fd) {
            Ok(id) => id,
            Err(errno) => return Step::Done(Err(errno)),
        };
        loop {
            let end = (transfer.done + piece).min(bytes.len());
            let from = &bytes[transfer.done..end];
            match self.files.write(&mut self.pages, id, transfer, from) {
                Step::Done(Ok(count)) if count == from.len() && transfer.done < bytes.len() => {}
                Step::Done(last) => return Step::Done(transfer.result(last)),
                step => return step,
            }
        }
    }

    pub fn seek(&mut self, fd: u32, offset: i64, whence: u32) -> Result<u64> {
        let id = self.table.get(fd)?;
        self.files.lseek(&mut self.pages, id, offset, whence)
    }

    /// Creates a file with this content.
    pub fn put(&mut self, path: &str, content: &[u8]) -> Result<()> {
        use linux_raw_sys::general as linux;
        let fd = self.open(path, linux::O_CREAT | linux::O_WRONLY | linux::O_TRUNC)?;
        assert_eq!(self.write(fd, content), Ok(content.len()));
        self.close(fd)
    }

    pub fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        let fd = self.open(path, 0)?;
        let content = self.read(fd, 1 << 20);
        self.close(fd)?;
        content
    }

    pub fn stat(&self, path: &str) -> Result<files::Attributes> {
        let view = Self::view(&self.processes);
        self.files
            .stat(&view, path.as_bytes(), files::LastLink::Follow)
    }

    pub fn lstat(&self, path: &str) -> Result<files::Attributes> {
        let view = Self::view(&self.processes);
        self.files
            .stat(&view, path.as_bytes(), files::LastLink::Keep)
    }

    pub fn mkdir(&mut self, path: &str) -> Result<()> {
        let view = Self::view(&self.processes);
        self.files
            .mkdir(&mut self.pages, &view, path.as_bytes(), 0o777)
    }

    pub fn rmdir(&mut self, path: &str) -> Result<()> {
        let view = Self::view(&self.processes);
        self.files.rmdir(&mut self.pages, &view, path.as_bytes())
    }

    pub fn unlink(&mut self, path: &str) -> Result<()> {
        let view = Self::view(&self.processes);
        self.files.unlink(&mut self.pages, &view, path.as_bytes())
    }

    pub fn symlink(&mut self, target: &str, path: &str) -> Result<()> {
        let view = Self::view(&self.processes);
        self.files
            .symlink(&mut self.pages, &view, target.as_bytes(), path.as_bytes())
    }

    pub fn link(&mut self, old: &str, new: &str) -> Result<()> {
        let view = Self::view(&self.processes);
        let inode = self
            .files
            .lookup(&view, old.as_bytes(), files::LastLink::Keep)?;
        self.files.link(inode, &view, new.as_bytes())
    }

    pub fn rename(&mut self, old: &str, new: &str, flags: u32) -> Result<()> {
        let view = Self::view(&self.processes);
        self.files.rename(
            &mut self.pages,
            &view,
            old.as_bytes(),
            &view,
            new.as_bytes(),
            files::Replaced::from_flags(flags)?,
        )
    }

    pub fn readlink(&self, path: &str) -> Result<String> {
        let view = Self::view(&self.processes);
        let text = self.files.readlink(&view, path.as_bytes())?;
        Ok(String::from_utf8(text).unwrap())
    }

    pub fn path_of(&self, path: &str) -> Result<String> {
        let view = Self::view(&self.processes);
        let id = self
            .files
            .lookup(&view, path.as_bytes(), files::LastLink::Follow)?;
        Ok(String::from_utf8(self.files.path_of(id)?).unwrap())
    }

    /// The path of a program that is found by one.
    pub fn program(&self, path: &str) -> Result<String> {
        let view = Self::view(&self.processes);
        let file = self.files.program(&view, path.as_bytes())?;
        Ok(String::from_utf8(self.files.path_of_found(&file)?).unwrap())
    }

    /// Names and types of a directory, by getdents64 into a buffer of `size` bytes.
    pub fn list(&mut self, path: &str, size: usize) -> Result<Vec<(String, u8)>> {
        let fd = self.open(path, linux_raw_sys::general::O_DIRECTORY)?;
        let id = self.table.get(fd)?;
        let mut all = Vec::new();
        let mut buffer = vec![0; size];
        loop {
            let count = self.files.read_directory(
                id,
                &self.processes,
                files::Listing::Wide,
                &mut buffer,
            )?;
            if count == 0 {
                break;
            }
            all.extend(entries(&buffer[..count]).into_iter().map(|e| (e.0, e.1)));
        }
        self.close(fd)?;
        Ok(all)
    }

    /// Queues to be woken.
    pub fn wakeups(&mut self) -> Vec<WaitFor> {
        std::iter::from_fn(|| self.files.take_wakeup()).collect()
    }

    /// Closes all descriptors; every page that no file in the tree has must be back.
    pub fn finish(mut self) {
        self.files.close_all(&mut self.pages, &mut self.table);
        assert_eq!(self.pages.out as u64, self.files.frames());
    }
}

/// Name, type, inode and cursor of each `struct linux_dirent64`.
pub fn entries(mut bytes: &[u8]) -> Vec<(String, u8, u64, u64)> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        let size = usize::from(u16::from_le_bytes(bytes[16..18].try_into().unwrap()));
        let name = bytes[19..size].split(|byte| *byte == 0).next().unwrap();
        let name = String::from_utf8(name.to_vec()).unwrap();
        all.push((name, bytes[18], word(0), word(8)));
        bytes = &bytes[size..];
    }
    all
}

pub fn done<T: std::fmt::Debug>(step: Step<T>) -> Result<T> {
    match step {
        Step::Done(result) => result,
        step => panic!("not done: {step:?}"),
    }
}

/// A small generator of pseudo-random numbers, the same on every run.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    /// Fewer than `bound` bytes.
    pub fn bytes(&mut self, bound: usize) -> Vec<u8> {
        let length = self.below(bound);
        (0..length).map(|_| self.below(256) as u8).collect()
    }
}

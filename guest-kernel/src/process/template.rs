//! Pristine programs: the first exec of a file builds its address space, later ones fork it.
//!
//! A template is an address space that no process runs in: the file's pages, mapped where they lie in the
//! initramfs as far as they are page-aligned there, the zeroed rest reserved, and the stack reserved. exec
//! is then, like fork, the copy of a root. A template is dropped when its file changes, when another
//! program wants its place, and when frames run out.
use super::elf_image::{ElfImage, HEADER_BYTES, Segment};
use crate::kernel::Kernel;
use crate::memory::frames::{FRAMES, Use, frame_of};
use crate::memory::mappings::Object;
use crate::memory::pages::Pages;
use crate::memory::space::{AddressSpace, STACK_LIMIT, USER_END};
use crate::memory::{direct_map, heap, physical_address};
use crate::process::layout::{EXECS, Layout, STACK_TOP};
use crate::records::COUNTERS;
use alloc::boxed::Box;
use alloc::rc::Rc;
use contract::counters::Counter;
use contract::{Errno, PAGE, PAGE_SIZE};
use core::cell::RefCell;
use core::ops::Range;
use files::{Files, Found, InodeId};
use x86_64::structures::paging::PhysFrame;

/// Bytes of a program's path that are kept.
const PATH_KEPT: usize = 1024;
/// Programs kept.
const PLACES: usize = 32;

/// What exec needs to know of a program beside its memory.
#[derive(Clone, Copy)]
pub struct Program {
    pub entry: u64,
    pub header_address: u64,
    pub header_count: u64,
    pub header_size: u64,
    /// Where its heap begins (brk(2)).
    pub break_start: u64,
    pub stack_top: u64,
    /// Pages that it starts with.
    pub resident: u32,
}

/// A file's content at one time.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Content {
    inode: InodeId,
    version: u64,
    layout: Layout,
}

struct Template {
    content: Content,
    /// Where the file was found, links followed.
    path: Rc<[u8]>,
    pristine: RefCell<Pristine>,
}

/// What an exec copies.
struct Pristine {
    program: Program,
    space: Rc<AddressSpace>,
    /// Where the stack can end at the highest.
    highest_stack: u64,
    /// So many copies more before it ends elsewhere, where that is random.
    execs_left: u8,
}

impl Template {
    /// A fresh address space.
    ///
    /// # Errors
    /// ENOMEM without frames.
    #[inline]
    fn fresh(&self) -> Result<(Rc<AddressSpace>, Program), Errno> {
        let pristine = &mut *self.pristine.borrow_mut();
        if self.content.layout == Layout::Random {
            match pristine.execs_left.checked_sub(1) {
                Some(left) => pristine.execs_left = left,
                None => pristine.move_stack()?,
            }
        }
        Ok((pristine.space.fresh_copy()?, pristine.program))
    }

    fn release(self) {
        AddressSpace::release(self.pristine.into_inner().space);
    }
}

impl Pristine {
    /// Draws anew where the stack ends.
    #[cold]
    fn move_stack(&mut self) -> Result<(), Errno> {
        let space = self.space.fresh_copy()?;
        let end = Layout::Random.stack_end(self.highest_stack);
        if let Err(errno) = space.move_stack(end) {
            AddressSpace::release(space);
            return Err(errno);
        }
        self.program.stack_top = end;
        self.execs_left = EXECS - 1;
        AddressSpace::release(core::mem::replace(&mut self.space, space));
        Ok(())
    }
}

/// The templates, each at the place its file's number gives.
pub struct Templates([Option<Box<Template>>; PLACES]);

impl Templates {
    pub const fn new() -> Self {
        Self([const { None }; PLACES])
    }

    /// Drops all of them: their frames are free but for what processes share. Answers how many there were.
    pub fn drop_all(&mut self) -> usize {
        let mut dropped = 0;
        for place in &mut self.0 {
            if let Some(template) = place.take() {
                template.release();
                dropped += 1;
            }
        }
        dropped
    }

    /// Where the program in `inode` was found when its template was made.
    #[inline]
    pub fn path_of(&self, inode: InodeId) -> Option<Rc<[u8]>> {
        let template = self.0[place_of(inode)].as_ref()?;
        (template.content.inode == inode).then(|| Rc::clone(&template.path))
    }
}

impl Kernel {
    /// A fresh address space of the program in `inode`, where a template of it is kept.
    ///
    /// # Errors
    /// ENOMEM without frames.
    #[inline]
    pub fn known_program(
        &self,
        inode: InodeId,
        layout: Layout,
    ) -> Option<Result<(Rc<AddressSpace>, Program), Errno>> {
        let template = self.templates.0[place_of(inode)].as_ref()?;
        let version = self.files.content_version(inode);
        (template.content
            == Content {
                inode,
                version,
                layout,
            })
        .then(|| template.fresh())
    }

    /// A fresh address space of the program in `file`, of which a template is made.
    ///
    /// # Errors
    /// ENOEXEC for what is not a static program for this machine, ENOMEM without frames.
    pub fn new_program(
        &mut self,
        file: &Found<'_>,
        layout: Layout,
    ) -> Result<(Rc<AddressSpace>, Program), Errno> {
        let inode = file.inode;
        let content = Content {
            inode,
            version: self.files.content_version(inode),
            layout,
        };
        heap::require_reserve()?;
        let mapped = self.files.mapped_file(inode).map_err(|_| Errno::ENOEXEC)?;
        let object = self.file_object(mapped, file);
        let template = build(&self.files, &self.pages, content, &object)?;
        let fresh = match template.fresh() {
            Ok(fresh) => fresh,
            Err(fault) => {
                template.release();
                return Err(fault);
            }
        };
        if let Some(old) = self.templates.0[place_of(inode)].replace(template) {
            old.release();
        }
        COUNTERS.add(Counter::ExecTemplates, 1);
        Ok(fresh)
    }
}

fn build(
    files: &Files<Pages>,
    pages: &Pages,
    content: Content,
    object: &Rc<Object>,
) -> Result<Box<Template>, Errno> {
    heap::require_reserve()?;
    let file = ProgramFile {
        files,
        pages,
        inode: content.inode,
        size: files.size(content.inode),
    };
    let mut image = ElfImage::nothing();
    file.read_headers(content.layout, &mut image)?;

    let space = AddressSpace::new()?;
    match fill(&space, &file, &image, content.layout, object) {
        Ok((program, highest_stack)) => Ok(Box::new(Template {
            content,
            path: Rc::from(&object.name[..object.name.len().min(PATH_KEPT)]),
            pristine: RefCell::new(Pristine {
                program,
                space,
                highest_stack,
                execs_left: EXECS,
            }),
        })),
        Err(errno) => {
            AddressSpace::release(space);
            Err(errno)
        }
    }
}

/// Maps everything; answers what exec needs to know, and where the stack can end at the highest.
fn fill(
    space: &AddressSpace,
    file: &ProgramFile<'_>,
    image: &ElfImage,
    layout: Layout,
    object: &Rc<Object>,
) -> Result<(Program, u64), Errno> {
    let mut resident = 0;
    for segment in image.segments() {
        resident += map_segment(space, file, segment, object)?;
    }
    let highest_stack = [STACK_TOP, USER_END - PAGE]
        .into_iter()
        .find(|&end| is_clear(image, end - layout.stack_room()..end))
        .ok_or(Errno::ENOEXEC)?;
    let stack_top = layout.stack_end(highest_stack);
    space.reserve_stack(stack_top, STACK_LIMIT)?;
    let (code, data) = image.code_and_data();
    space.place_program(code, data, image.end())?;
    let program = Program {
        entry: image.entry,
        header_address: image.header_address,
        header_count: image.header_count,
        header_size: image.header_size,
        break_start: image.end(),
        stack_top,
        resident: u32::try_from(resident).unwrap_or(u32::MAX),
    };
    Ok((program, highest_stack))
}

fn is_clear(image: &ElfImage, range: Range<u64>) -> bool {
    image.segments().iter().all(|segment| {
        let pages = segment.pages();
        pages.end <= range.start || range.end <= pages.start
    })
}

/// Maps a segment; answers how many of its pages are there.
fn map_segment(
    space: &AddressSpace,
    file: &ProgramFile<'_>,
    segment: &Segment,
    object: &Rc<Object>,
) -> Result<u64, Errno> {
    let pages = segment.pages();
    let file_end = segment.address + segment.file_size;
    // Pages that hold something of the file; the rest of the segment is zero.
    let filled = if segment.file_size == 0 {
        pages.start
    } else {
        file_end.div_ceil(PAGE) * PAGE
    };
    // Where zeroed memory follows, it begins in the file's last page; else, as on Linux, that page shows
    // what the file has there.
    let whole = if segment.file_size == segment.memory_size {
        filled
    } else {
        file_end / PAGE * PAGE
    };
    let mut page = pages.start;
    while page < filled {
        let offset = segment.file_offset - (segment.address - page.min(segment.address))
            + (page - page.min(segment.address));
        match file.in_place(offset, whole.saturating_sub(page)) {
            Some((first, length)) => {
                space.map_borrowed(page..page + length, first, segment.protection)?;
                page += length;
            }
            None => {
                let length = (file_end - page).min(PAGE) as usize;
                let frame = FRAMES
                    .with(|frames| frames.allocate(Use::Page))
                    .ok_or(Errno::ENOMEM)?;
                // SAFETY: the frame was just handed out, and nothing else refers to it.
                let bytes = unsafe {
                    core::slice::from_raw_parts_mut(direct_map(frame.start_address()), PAGE_SIZE)
                };
                let read = file.read(offset, &mut bytes[..length]);
                bytes[read..].fill(0);
                if let Err(fault) = space.map_counted(page, frame, segment.protection) {
                    FRAMES.with(|frames| frames.free(frame, Use::Page));
                    return Err(fault);
                }
                page += PAGE;
            }
        }
    }
    if pages.start < filled {
        space.note_program(pages.start..filled, object, segment.file_offset / PAGE)?;
    }
    if filled < pages.end {
        space.reserve(filled..pages.end, segment.protection)?;
    }
    Ok((filled - pages.start) / PAGE)
}

/// Where a file's template is kept.
const fn place_of(inode: InodeId) -> usize {
    match inode {
        InodeId::Memory(number) => number as usize % PLACES,
        InodeId::Proc(_) => 0,
    }
}

/// The bytes of a program.
struct ProgramFile<'a> {
    files: &'a Files<Pages>,
    pages: &'a Pages,
    inode: InodeId,
    size: u64,
}

impl ProgramFile<'_> {
    /// Reads what its headers say into `image`.
    fn read_headers(&self, layout: Layout, image: &mut ElfImage) -> Result<(), Errno> {
        let mut read = |start| image.read(start, self.size, layout.relocatable_base());
        if let Some(content) = self.files.content_in_place(self.inode) {
            return read(&content[..content.len().min(HEADER_BYTES)]);
        }
        let mut start = Box::new([0; HEADER_BYTES]);
        let length = self.read(0, &mut start[..]);
        read(&start[..length])
    }

    fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        self.files.read_at(self.pages, self.inode, offset, buffer)
    }

    /// The first of the frames of the initramfs that are the file's pages from `offset` on, and how many bytes
    /// of whole pages there are, at most `limit`; where the file lies there unchanged and page-aligned.
    fn in_place(&self, offset: u64, limit: u64) -> Option<(PhysFrame, u64)> {
        let content = self.files.content_in_place(self.inode)?;
        let bytes = content.get(usize::try_from(offset).ok()?..)?;
        let address = physical_address(bytes.as_ptr()).as_u64();
        let length = (bytes.len() as u64).min(limit) / PAGE * PAGE;
        (length > 0 && address.is_multiple_of(PAGE))
            .then(|| (frame_of((address / PAGE) as u32), length))
    }
}

//! mmap(2), in Linux's order of checks.
use super::memory::pages;
use crate::kernel::Kernel;
use crate::memory::heap;
use crate::memory::mappings::{Advice, Mapping, Object, Purpose};
use crate::memory::pages::Page;
use crate::memory::space::{LOWEST_ADDRESS, USER_END};
use alloc::boxed::Box;
use alloc::rc::Rc;
use contract::Errno;
use contract::PAGE;
use core::ops::Range;
use files::{DescriptionId, Found, MAX_FILE_SIZE, Mappable, MappedFile};
use linux_raw_sys::general as linux;
use page_tree::{Protection, Sharing};

/// `st_dev` of what has no file, as Linux numbers it.
const NO_FILE_DEVICE: u64 = 1;

/// What mmap is asked for.
#[derive(Clone, Copy)]
struct Request {
    protection: Protection,
    flags: u32,
    /// Bytes, whole pages.
    offset: u64,
}

impl Request {
    const fn has(self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// The logarithm of the size of huge pages; 0 for the usual.
    const fn huge_size(self) -> u32 {
        self.flags >> linux::MAP_HUGE_SHIFT & linux::MAP_HUGE_MASK
    }

    const fn is_fixed(self) -> bool {
        self.has(linux::MAP_FIXED | linux::MAP_FIXED_NOREPLACE)
    }
}

/// How a descriptor is open.
#[derive(Clone, Copy)]
struct Source {
    description: DescriptionId,
    may_read: bool,
    may_write: bool,
}

impl Kernel {
    /// mmap(2).
    pub fn mmap(
        &mut self,
        address: u64,
        length: u64,
        bits: u64,
        flags: u64,
        descriptor: u64,
    ) -> Result<u64, Errno> {
        let [.., offset] = self.processes[self.current.thread]
            .context
            .registers
            .arguments();
        if !offset.is_multiple_of(PAGE) {
            return Err(Errno::EINVAL);
        }
        let request = Request {
            protection: Protection::from_bits_truncate(bits as u8),
            flags: flags as u32,
            offset,
        };
        let source = self.source(request, descriptor)?;
        if length == 0 {
            return Err(Errno::EINVAL);
        }
        let length = length.checked_next_multiple_of(PAGE).ok_or(Errno::ENOMEM)?;
        heap::require_reserve()?;
        self.space().require_areas()?;
        let range = self.place(address, length, request.flags)?;
        let locked = request.has(linux::MAP_LOCKED);
        if locked || self.space().places().locks_future {
            self.may_map_locked(length, locked)?;
        }
        let sharing = self.sharing(request, source, length)?;
        let instead = request.is_fixed().then_some(&range);
        self.may_expand(length, instead, request.protection, sharing)?;
        match self.mapping(request, source, length, sharing)? {
            Some(mapping) => {
                self.space()
                    .map_object(range.clone(), request.protection, mapping)?;
            }
            None => self.map_zeros(request, &range)?,
        }
        self.settle(request, &range);
        Ok(range.start)
    }

    /// What a descriptor allows; `None` for anonymous memory.
    fn source(&self, request: Request, descriptor: u64) -> Result<Option<Source>, Errno> {
        if request.has(linux::MAP_ANONYMOUS) {
            return match (request.has(linux::MAP_HUGETLB), request.huge_size()) {
                (false, _) => Ok(None),
                // None are set apart.
                (true, 0 | 21 | 30) => Err(Errno::ENOMEM),
                (true, _) => Err(Errno::EINVAL),
            };
        }
        let description = self.description(descriptor)?;
        let (may_read, may_write) = self.files.mapping_rights(description)?;
        if request.has(linux::MAP_HUGETLB) {
            return Err(Errno::EINVAL);
        }
        Ok(Some(Source {
            description,
            may_read,
            may_write,
        }))
    }

    /// Where a mapping goes.
    fn place(&self, address: u64, length: u64, flags: u32) -> Result<Range<u64>, Errno> {
        if length > USER_END {
            return Err(Errno::ENOMEM);
        }
        if flags & (linux::MAP_FIXED | linux::MAP_FIXED_NOREPLACE) != 0 {
            if address > USER_END - length {
                return Err(Errno::ENOMEM);
            }
            let range = pages(address, length).ok_or(Errno::EINVAL)?;
            if range.start < LOWEST_ADDRESS {
                return Err(Errno::EPERM);
            }
            if flags & linux::MAP_FIXED_NOREPLACE != 0 && !self.space().is_unmapped(&range) {
                return Err(Errno::EEXIST);
            }
            return Ok(range);
        }
        self.free_place(address, length, flags)
    }

    /// A place where nothing is mapped: at the hint, if that is free and no stack needs it.
    pub(super) fn free_place(
        &self,
        hint: u64,
        length: u64,
        flags: u32,
    ) -> Result<Range<u64>, Errno> {
        let space = self.space();
        let hint = hint & !(PAGE - 1);
        let hint = if hint == 0 {
            None
        } else {
            pages(hint.max(LOWEST_ADDRESS), length)
        };
        let low = flags & linux::MAP_32BIT != 0;
        const TWO_GIB: u64 = 1 << 31;
        if let Some(range) = hint
            && (!low || range.end <= TWO_GIB)
            && space.is_unmapped(&range)
            && !space.is_near_a_stack(&range)
        {
            return Ok(range);
        }
        let start = if low {
            space.find_low_gap(length)
        } else {
            space.find_gap(length)
        };
        let start = start.ok_or(Errno::ENOMEM)?;
        Ok(start..start + length)
    }

    /// Whether the mapping is shared, when what was asked for is allowed.
    fn sharing(
        &self,
        request: Request,
        source: Option<Source>,
        length: u64,
    ) -> Result<Sharing, Errno> {
        /// What MAP_SHARED_VALIDATE knows of a file in memory.
        const VALID: u32 = linux::MAP_TYPE
            | linux::MAP_FIXED
            | linux::MAP_ANONYMOUS
            | linux::MAP_DENYWRITE
            | linux::MAP_EXECUTABLE
            | linux::MAP_GROWSDOWN
            | linux::MAP_LOCKED
            | linux::MAP_NORESERVE
            | linux::MAP_POPULATE
            | linux::MAP_NONBLOCK
            | linux::MAP_STACK
            | linux::MAP_HUGETLB
            | linux::MAP_HUGE_2MB
            | linux::MAP_HUGE_1GB
            | linux::MAP_32BIT;
        let kind = request.flags & linux::MAP_TYPE;
        let Some(source) = source else {
            return match kind {
                linux::MAP_SHARED if request.has(linux::MAP_GROWSDOWN) => Err(Errno::EINVAL),
                linux::MAP_SHARED => Ok(Sharing::Shared),
                linux::MAP_PRIVATE => Ok(Sharing::Private),
                _ => Err(Errno::EINVAL),
            };
        };
        if length > MAX_FILE_SIZE || request.offset > MAX_FILE_SIZE - length {
            return Err(Errno::EOVERFLOW);
        }
        let sharing = match kind {
            linux::MAP_SHARED => Sharing::Shared,
            linux::MAP_SHARED_VALIDATE if request.flags & !VALID != 0 => {
                return Err(Errno::EOPNOTSUPP);
            }
            linux::MAP_SHARED_VALIDATE => Sharing::Shared,
            linux::MAP_PRIVATE => Sharing::Private,
            _ => return Err(Errno::EINVAL),
        };
        let writes = sharing == Sharing::Shared && request.protection.contains(Protection::WRITE);
        if writes {
            self.files.check_sealed_mapping(source.description)?;
        }
        if writes && !source.may_write || !source.may_read {
            return Err(Errno::EACCES);
        }
        Ok(sharing)
    }

    /// What is mapped; `None` for private zeros.
    fn mapping(
        &mut self,
        request: Request,
        source: Option<Source>,
        length: u64,
        sharing: Sharing,
    ) -> Result<Option<Mapping>, Errno> {
        let mappable = match source {
            None => Mappable::Zeros,
            Some(source) => self.files.mappable(source.description)?,
        };
        if source.is_some() && request.has(linux::MAP_GROWSDOWN) {
            if let Mappable::File(file, _) = mappable {
                file.release(&mut self.pages);
            }
            return Err(Errno::EINVAL);
        }
        let (object, first) = match (mappable, sharing) {
            (Mappable::Zeros, Sharing::Private) => return Ok(None),
            (Mappable::Zeros, Sharing::Shared) => {
                let file = MappedFile::zeros(length);
                let name = Box::from(&b"/dev/zero (deleted)"[..]);
                let inode = self.next_shared_memory();
                (Object::new(file, name, NO_FILE_DEVICE, inode), 0)
            }
            (Mappable::File(content, inode), _) => {
                let file = Found { inode, path: None };
                let object = self.file_object(content, &file);
                (object, request.offset / PAGE)
            }
        };
        let may_write = source.is_none_or(|source| source.may_write);
        Ok(Some(Mapping {
            object,
            first,
            sharing,
            purpose: if may_write || sharing == Sharing::Private {
                Purpose::Writable
            } else {
                Purpose::ReadOnly
            },
        }))
    }

    /// A file as mappings show it.
    pub fn file_object(&self, content: MappedFile<Page>, file: &Found<'_>) -> Rc<Object> {
        let (device, inode) = self.files.identity(file.inode);
        let name = self.files.path_of_found(file).unwrap_or_default();
        Object::new(content, name.into_boxed_slice(), device, inode)
    }

    /// Maps private zeros.
    fn map_zeros(&self, request: Request, range: &Range<u64>) -> Result<(), Errno> {
        if request.is_fixed() {
            self.space().replace(range.clone(), request.protection)?;
        } else {
            self.space().reserve(range.clone(), request.protection)?;
        }
        if request.has(linux::MAP_GROWSDOWN) {
            self.space()
                .advise(range.clone(), |advice| advice | Advice::GROWS_DOWN)?;
        }
        Ok(())
    }

    /// What is mapped now comes at once where that was asked for; as on Linux, whether it can does not matter.
    fn settle(&self, request: Request, range: &Range<u64>) {
        if request.has(linux::MAP_LOCKED) || self.space().places().locks_future {
            let _ = self.lock(range.clone());
        } else if request.has(linux::MAP_POPULATE) && !request.has(linux::MAP_NONBLOCK) {
            let _ = self.space().populate_as_allowed(range.clone());
        }
    }

    /// The number of a new piece of shared memory, for `/proc/PID/maps`.
    fn next_shared_memory(&mut self) -> u64 {
        self.shared_memories += 1;
        self.shared_memories
    }

    /// After a call that may have cut a file: mappings let go of the pages it has lost.
    pub fn forget_lost_pages(&mut self) {
        let Some(file) = self.files.take_lost_pages() else {
            return;
        };
        if let Some(lost) = file.lost() {
            for slot in self.processes.slots() {
                if let Some(space) = &self.processes[slot].memory {
                    space.forget_lost_pages(&file, &lost);
                }
            }
            file.forget_lost();
        }
        file.release(&mut self.pages);
    }
}

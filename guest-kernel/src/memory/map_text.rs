//! `/proc/PID/maps` (proc(5)).
use super::areas::Area;
use super::space::{AddressSpace, USER_END};
use contract::PAGE;
use core::fmt::{self, Write};
use files::Output;
use page_tree::{Protection, Sharing};

/// Column of the names.
const NAMES: usize = 73;

impl AddressSpace {
    /// The mappings, a line each.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_map(&self, out: &mut dyn Output) -> fmt::Result {
        let mut from = 0;
        while let Some(area) = self.area(from..USER_END) {
            from = area.range.end;
            let mut line = Line::default();
            write_area(&area, &mut line)?;
            out.bytes(line.text());
            self.write_name(&area, line.length, out)?;
            out.bytes(b"\n");
        }
        Ok(())
    }

    fn write_name(&self, area: &Area, column: usize, out: &mut dyn Output) -> fmt::Result {
        let places = self.places();
        let heap = places.break_start..self.break_end();
        let (name, note): (&[u8], &[u8]) = match &area.mapping {
            Some(mapping) if mapping.object.file().is_unlinked() => {
                (&mapping.object.name, b" (deleted)")
            }
            Some(mapping) => (&mapping.object.name, b""),
            None if !heap.is_empty()
                && area.range.start < heap.end
                && area.range.end > heap.start =>
            {
                (b"[heap]", b"")
            }
            None if area.range.contains(&(places.stack_end - 1)) => (b"[stack]", b""),
            None => return Ok(()),
        };
        for _ in column..NAMES {
            out.bytes(b" ");
        }
        for &byte in name {
            // As Linux writes it: the line must stay one.
            match byte {
                b'\n' => out.bytes(b"\\012"),
                byte => out.bytes(&[byte]),
            }
        }
        out.bytes(note);
        Ok(())
    }
}

fn write_area(area: &Area, line: &mut Line) -> fmt::Result {
    let letter = |allowed, letter| match area.protection.contains(allowed) {
        true => letter,
        false => '-',
    };
    let (offset, device, inode) = area.mapping.as_ref().map_or((0, 0, 0), |mapping| {
        let object = &mapping.object;
        (mapping.first * PAGE, object.device, object.inode)
    });
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff);
    write!(
        line,
        "{:08x}-{:08x} {}{}{}{} {offset:08x} {major:02x}:{minor:02x} {inode} ",
        area.range.start,
        area.range.end,
        letter(Protection::READ, 'r'),
        letter(Protection::WRITE, 'w'),
        letter(Protection::EXECUTE, 'x'),
        match area.sharing() {
            Sharing::Shared => 's',
            Sharing::Private => 'p',
        },
    )
}

/// A line up to its name.
struct Line {
    bytes: [u8; 128],
    length: usize,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            bytes: [0; 128],
            length: 0,
        }
    }
}

impl Line {
    fn text(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes
            .get_mut(self.length..end)
            .ok_or(fmt::Error)?
            .copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

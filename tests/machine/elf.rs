//! A small program, byte by byte, to be made wrong.

/// A program of one page of code that exits with 5, to be made wrong.
#[derive(Clone)]
pub struct Elf {
    pub header: [u8; 64],
    pub segments: Vec<Segment>,
    pub code: Vec<u8>,
}

/// A program header.
#[derive(Clone, Copy)]
pub struct Segment {
    pub kind: u32,
    pub flags: u32,
    pub offset: u64,
    pub address: u64,
    pub file_size: u64,
    pub memory_size: u64,
    pub align: u64,
}

/// Where it begins.
pub const BASE: u64 = 0x40_0000;

impl Elf {
    pub fn good() -> Self {
        let mut header = [0; 64];
        header[..20].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0");
        header[20] = 1;
        header[24..32].copy_from_slice(&(BASE + 0x1000).to_le_bytes());
        header[32] = 64;
        header[52] = 64;
        header[54] = 56;
        // mov edi, 5; mov eax, exit_group; syscall
        let code = b"\xbf\x05\0\0\0\xb8\xe7\0\0\0\x0f\x05".to_vec();
        let text = Segment {
            kind: 1,
            flags: 5,
            offset: 0x1000,
            address: BASE + 0x1000,
            file_size: code.len() as u64,
            memory_size: code.len() as u64,
            align: 0x1000,
        };
        Self {
            header,
            segments: vec![text],
            code,
        }
    }

    pub fn with_segment(mut self, change: impl FnOnce(&mut Segment)) -> Self {
        let mut segment = self.segments[0];
        segment.flags = 6;
        segment.address = BASE + 0x10_0000;
        change(&mut segment);
        self.segments.push(segment);
        self
    }

    pub fn with_text(mut self, change: impl FnOnce(&mut Segment)) -> Self {
        change(&mut self.segments[0]);
        self
    }

    pub fn with_entry(mut self, entry: u64) -> Self {
        self.header[24..32].copy_from_slice(&entry.to_le_bytes());
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.header.to_vec();
        bytes[56..58].copy_from_slice(&(self.segments.len() as u16).to_le_bytes());
        for segment in &self.segments {
            bytes.extend_from_slice(&segment.kind.to_le_bytes());
            bytes.extend_from_slice(&segment.flags.to_le_bytes());
            for word in [
                segment.offset,
                segment.address,
                segment.address,
                segment.file_size,
                segment.memory_size,
                segment.align,
            ] {
                bytes.extend_from_slice(&word.to_le_bytes());
            }
        }
        bytes.resize(0x1000, 0);
        bytes.extend_from_slice(&self.code);
        bytes.resize(0x2000, 0);
        bytes
    }

    /// Where the last byte that is loaded lies in a file.
    pub fn end_of_segments(file: &[u8]) -> usize {
        let word =
            |at: usize| u64::from_le_bytes(file[at..at + 8].try_into().expect("eight bytes"));
        let table = word(32) as usize;
        let count = usize::from(file[56]);
        (0..count)
            .map(|index| table + index * 56)
            .filter(|&at| file[at] == 1)
            .map(|at| (word(at + 8) + word(at + 32)) as usize)
            .max()
            .expect("something to load")
    }
}

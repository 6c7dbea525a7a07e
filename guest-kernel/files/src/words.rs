//! Searching bytes eight at a time: names and output pass through here, and an instruction of the kernel can be dear.

pub(crate) use contract::archive_index::hash;
use contract::archive_index::tail;

const ONES: u64 = 0x0101_0101_0101_0101;

/// Bit 7 of each byte of `word` that is below `limit`, which is 128 at most; the lowest such bit is right, above it
/// there may be others.
#[inline]
fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * u64::from(limit)) & !word & (ONES << 7)
}

/// Where the first byte is that `marks` marks in its word, if there is one.
#[inline]
fn find_marked(bytes: &[u8], marks: impl Fn(u64) -> u64) -> Option<usize> {
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk() {
        let found = marks(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(bytes.len() - rest.len() + found.trailing_zeros() as usize / 8);
        }
        rest = after;
    }
    let found = marks(tail(rest)) & ((1 << (8 * rest.len())) - 1);
    (found != 0).then(|| bytes.len() - rest.len() + found.trailing_zeros() as usize / 8)
}

/// Where the first byte that is `wanted` is, if there is one.
#[inline]
#[must_use]
pub fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    find_marked(bytes, |word| below(word ^ (ONES * u64::from(wanted)), 1))
}

/// Where the first byte below `limit`, which is 128 at most, is, if there is one.
#[inline]
#[must_use]
pub fn find_below(bytes: &[u8], limit: u8) -> Option<usize> {
    find_marked(bytes, |word| below(word, limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;
    use alloc::{format, vec};

    #[test]
    fn first_of_many() {
        for length in 0..40 {
            for at in 0..length {
                for second in at..length {
                    let mut bytes = vec![0x0b; length];
                    bytes[second] = b'\n';
                    bytes[at] = b'\n';
                    assert_eq!(find(&bytes, b'\n'), Some(at));
                    assert_eq!(find_below(&bytes, 0x0b), Some(at));
                }
            }
            assert_eq!(find(&vec![0x80; length], 0), None);
            assert_eq!(find_below(&vec![0x80; length], 0x80), None);
        }
    }

    #[test]
    fn like_names_differ() {
        let mut seen = BTreeSet::new();
        let mut low = Vec::new();
        for n in 0..4096 {
            let hash = hash(format!("file{n}").as_bytes());
            seen.insert(hash);
            low.push(hash % 1024);
        }
        assert_eq!(seen.len(), 4096);
        let longest = (0..1024).map(|chain| low.iter().filter(|n| **n == chain).count());
        assert!(longest.max() < Some(20));
    }
}

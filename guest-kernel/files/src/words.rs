//! Searching bytes eight at a time: names and output pass through here, and an instruction of the kernel can be dear.

const ONES: u64 = 0x0101_0101_0101_0101;

/// Bit 7 of each byte of `word` that is `wanted`; the lowest such bit is right, above it there may be others.
#[inline]
fn matches(word: u64, wanted: u8) -> u64 {
    let differs = word ^ (ONES * u64::from(wanted));
    differs.wrapping_sub(ONES) & !differs & (ONES << 7)
}

/// Fewer than eight bytes as the lower ones of a word, the others zero.
#[inline]
fn tail(bytes: &[u8]) -> u64 {
    // Two loads that overlap: where both have a byte, it is the same one.
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => {
            let shift = 8 * (bytes.len() as u32 - 4);
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << shift
        }
        _ => match *bytes {
            [a, b, c] => u64::from(a) | u64::from(b) << 8 | u64::from(c) << 16,
            [a, b] => u64::from(a) | u64::from(b) << 8,
            [a] => u64::from(a),
            _ => 0,
        },
    }
}

/// Where the first `wanted` is.
#[inline]
pub(crate) fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let found = matches(u64::from_le_bytes(*word), wanted);
        if found != 0 {
            return Some(index * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let found = matches(tail(rest), wanted) & ((1 << (8 * rest.len())) - 1);
    (found != 0).then(|| words.len() * 8 + found.trailing_zeros() as usize / 8)
}

/// A hash of a name: each byte changes it, and so does the length.
#[inline]
pub(crate) fn hash(bytes: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = bytes.as_chunks::<8>();
    let mut hash = bytes.len() as u64;
    for word in words {
        hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
        hash ^= hash >> 32;
    }
    hash = (hash ^ tail(rest)).wrapping_mul(FACTOR);
    // A product's upper bits depend on all of the factor's: they come lowest, where a table looks.
    hash.rotate_left(24) as u32
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
                }
            }
            assert_eq!(find(&vec![0x80; length], 0), None);
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

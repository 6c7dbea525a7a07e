//! Names in `/proc`.
use alloc::vec::Vec;

/// Name of an entry of `/proc`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ProcName {
    Fixed(&'static str),
    Number(u32),
}

impl ProcName {
    /// Its bytes, in `buffer` where they must be made.
    pub(crate) fn bytes(self, buffer: &mut [u8; 10]) -> &[u8] {
        match self {
            Self::Fixed(name) => name.as_bytes(),
            Self::Number(number) => digits(number, buffer),
        }
    }

    /// Appends it.
    pub(crate) fn push_to(self, text: &mut Vec<u8>) {
        text.extend_from_slice(self.bytes(&mut [0; 10]));
    }
}

fn digits(mut number: u32, buffer: &mut [u8; 10]) -> &[u8] {
    let mut start = buffer.len();
    loop {
        start -= 1;
        buffer[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &buffer[start..];
        }
    }
}

/// A number as `/proc` names it: no sign, no leading zero.
pub(super) fn decimal(name: &[u8]) -> Option<u32> {
    if name.is_empty() || (name[0] == b'0' && name.len() > 1) {
        return None;
    }
    name.iter().try_fold(0u32, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(u32::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_numbers() {
        assert_eq!(decimal(b"0"), Some(0));
        assert_eq!(decimal(b"4294967295"), Some(u32::MAX));
        for bad in [&b""[..], b"01", b"4294967296", b"+1", b"1a", b"/"] {
            assert_eq!(decimal(bad), None);
        }
        assert_eq!(digits(0, &mut [0; 10]), b"0");
        assert_eq!(digits(u32::MAX, &mut [0; 10]), b"4294967295");
    }
}

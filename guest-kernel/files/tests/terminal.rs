//! The line discipline: cases whose answers are those of Linux's pseudo-terminals, and random typing against a model.
mod machine;

use files::Transfer;
use files::tty::{Flow, INPUT_CAPACITY, Kind, Read, Received, Termios, Tty};
use linux_raw_sys::general as linux;
use machine::Random;
use std::collections::VecDeque;

struct Terminal {
    tty: Tty,
    screen: Vec<u8>,
    signals: Vec<u8>,
}

impl Terminal {
    fn new() -> Self {
        Self {
            tty: Tty::new(Kind::Terminal),
            screen: Vec::new(),
            signals: Vec::new(),
        }
    }

    /// Types bytes; returns what appeared.
    fn types(&mut self, bytes: &[u8]) -> Vec<u8> {
        for byte in bytes {
            let screen = &mut self.screen;
            if let Received::Signal(signal) = self.tty.input(*byte, &mut |byte| screen.push(byte)) {
                self.signals.push(signal);
            }
        }
        std::mem::take(&mut self.screen)
    }

    /// One whole read call in pieces; `None` where it waits.
    fn read_pieces(&mut self, length: usize, piece: usize) -> Option<Vec<u8>> {
        let mut buffer = vec![0; length];
        let mut transfer = Transfer::new(length);
        while transfer.done < transfer.total {
            let start = transfer.done;
            let end = (start + piece).min(length);
            match self.tty.read(&mut transfer, &mut buffer[start..end]) {
                Read::Done(Ok(count)) if count == end - start => {}
                Read::Done(Ok(_)) => break,
                Read::Done(Err(errno)) => panic!("{errno:?}"),
                Read::Wait(_) => return None,
            }
        }
        buffer.truncate(transfer.done);
        Some(buffer)
    }

    fn read(&mut self, length: usize) -> Option<Vec<u8>> {
        self.read_pieces(length, 4096)
    }

    fn change(&mut self, change: impl FnOnce(&mut Termios)) {
        let mut termios = self.tty.termios().unwrap();
        change(&mut termios);
        self.tty.set_termios(termios).unwrap();
    }
}

#[test]
fn lines_are_edited() {
    let mut t = Terminal::new();
    assert_eq!(t.types(b"ab\x7fc"), b"ab\x08 \x08c");
    assert_eq!(t.read(10), None);
    assert!(!t.tty.is_readable());
    assert_eq!(t.types(b"\r"), b"\r\n");
    assert!(t.tty.is_readable());
    assert_eq!(t.tty.readable_bytes(), 3);
    assert_eq!(t.read(2), Some(b"ac".to_vec()));
    assert_eq!(t.read(2), Some(b"\n".to_vec()));
    assert_eq!(t.read(2), None);
    // An erased control character takes its caret with it; nothing is erased before the line.
    assert_eq!(t.types(b"\x01\x7f\x7f"), b"^A\x08 \x08\x08 \x08");
    assert_eq!(
        t.types(b"one two\x17"),
        b"one two\x08 \x08\x08 \x08\x08 \x08"
    );
    assert_eq!(t.types(b"\x15"), b"\x08 \x08".repeat(4));
    assert_eq!(
        t.types(b"a\tb\x7f\x7f"),
        [&b"a\tb\x08 \x08"[..], &[8; 7]].concat()
    );
    assert_eq!(t.types(b"\x12"), b"^R\r\na");
    // The next character as it is.
    assert_eq!(t.types(b"\x16\x03\n"), b"^\x08^C\r\n");
    assert_eq!(t.read(10), Some(b"a\x03\n".to_vec()));
    assert_eq!(t.types(b"gone\x03"), b"gone^C");
    assert_eq!(t.types(b"\x1c\x1a"), b"^\\^Z");
    assert_eq!(
        t.signals,
        [linux::SIGINT, linux::SIGQUIT, linux::SIGTSTP].map(|n| n as u8)
    );
    assert_eq!(t.types(b"\n"), b"\r\n");
    assert_eq!(t.read(10), Some(b"\n".to_vec()));
}

#[test]
fn end_of_file_characters() {
    let mut t = Terminal::new();
    t.types(b"\x04");
    assert_eq!(t.read(10), Some(vec![]));
    assert_eq!(t.read(10), None);
    t.types(b"ab\x04cd\n");
    // The mark that ended the line is gone with it, even where it is just not reached.
    assert_eq!(t.read(2), Some(b"ab".to_vec()));
    assert_eq!(t.read(10), Some(b"cd\n".to_vec()));
    t.types(b"one\ntwo\nrest");
    assert_eq!(t.read_pieces(100, 4), Some(b"one\n".to_vec()));
    assert_eq!(t.read_pieces(100, 2), Some(b"two\n".to_vec()));
    t.tty.end_input();
    assert_eq!(t.read(10), Some(b"rest".to_vec()));
    assert_eq!(t.read(10), Some(vec![]));
    assert!(t.tty.is_readable());
}

#[test]
fn raw_mode() {
    let mut t = Terminal::new();
    t.types(b"half a line");
    t.change(|termios| {
        termios.local &= !(linux::ICANON | linux::ECHO | linux::ISIG | linux::IEXTEN);
        termios.input &= !(linux::ICRNL | linux::IXON);
        termios.output &= !linux::OPOST;
    });
    assert_eq!(t.read(5), Some(b"half ".to_vec()));
    assert_eq!(t.types(b"\r\x03\x04\x7f\x13"), b"");
    assert_eq!(t.read(50), Some(b"a line\r\x03\x04\x7f\x13".to_vec()));
    let mut transfer = Transfer::new(9);
    assert_eq!(t.tty.read(&mut transfer, &mut [0; 9]), Read::Wait(None));
    for (minimum, time, typed, expected) in [
        (0, 0, &b""[..], Read::Done(Ok(0))),
        (0, 7, b"", Read::Wait(Some(7))),
        (3, 0, b"ab", Read::Wait(None)),
        (3, 7, b"", Read::Wait(None)),
        (3, 7, b"ab", Read::Wait(Some(7))),
        (3, 7, b"abc", Read::Done(Ok(3))),
        (200, 0, b"123456789", Read::Done(Ok(9))),
    ] {
        t.change(|termios| {
            termios.control[linux::VMIN as usize] = minimum;
            termios.control[linux::VTIME as usize] = time;
        });
        t.types(typed);
        let mut transfer = Transfer::new(9);
        assert_eq!(t.tty.read(&mut transfer, &mut [0; 9]), expected);
    }
    let mut out = Vec::new();
    t.tty
        .output(b"a\nb", &mut |bytes| out.extend_from_slice(bytes));
    assert_eq!(out, b"a\nb");
}

#[test]
fn output_is_processed() {
    let mut t = Terminal::new();
    let mut out = Vec::new();
    let text = b"one\n\ntwo and a longer line\nend";
    t.tty
        .output(text, &mut |bytes| out.extend_from_slice(bytes));
    assert_eq!(out, b"one\r\n\r\ntwo and a longer line\r\nend");
    // The column counts for a tab that is typed and erased behind a prompt.
    assert_eq!(t.types(b"\t\x7f"), [&b"\t"[..], &[8; 5]].concat());
    assert_eq!(t.types(b"\x13"), b"");
    assert_eq!(t.tty.flow(), Flow::Stopped);
    t.types(b"\x11");
    assert_eq!(t.tty.flow(), Flow::Running);
}

#[test]
fn letters_change_their_case() {
    let mut t = Terminal::new();
    t.change(|termios| {
        termios.input |= linux::IUCLC;
        termios.output |= linux::OLCUC;
    });
    assert_eq!(t.types(b"aZ\xc9\xd7\n"), b"AZ\xc9\xd7\r\n");
    assert_eq!(t.read(10).unwrap(), b"az\xe9\xd7\n");
    let mut out = Vec::new();
    t.tty
        .output(b"q9\xff\n", &mut |bytes| out.extend_from_slice(bytes));
    assert_eq!(out, b"Q9\xdf\r\n");
    // Only with IEXTEN is input changed.
    t.change(|termios| termios.local &= !linux::IEXTEN);
    t.types(b"A\n");
    assert_eq!(t.read(10).unwrap(), b"A\n");
}

#[test]
fn a_line_that_is_too_long_can_be_ended() {
    let mut t = Terminal::new();
    t.types(&[b'x'; 5000]);
    t.types(b"\n");
    let line = t.read(9000).unwrap();
    assert_eq!(line.len(), INPUT_CAPACITY);
    assert_eq!(line.last(), Some(&b'\n'));
    assert_eq!(t.read(10), None);
}

#[test]
fn plain_bytes_pass() {
    let mut t = Terminal::new();
    t.tty = Tty::new(Kind::Plain);
    assert!(t.tty.termios().is_err());
    assert_eq!(t.types(b"a\r\n\x03\x04\x7f"), b"");
    assert_eq!(t.signals, []);
    assert_eq!(t.tty.room(), INPUT_CAPACITY - 6);
    assert_eq!(t.read(100), Some(b"a\r\n\x03\x04\x7f".to_vec()));
    assert_eq!(t.read(100), None);
    let mut out = Vec::new();
    t.tty
        .output(b"a\nb", &mut |bytes| out.extend_from_slice(bytes));
    assert_eq!(out, b"a\nb");
    t.tty.end_input();
    assert_eq!(t.read(100), Some(vec![]));
}

#[test]
fn settings_as_bytes() {
    let initial = Termios::INITIAL;
    let bytes = initial.to_bytes();
    assert_eq!(bytes.len(), 36);
    assert_eq!(&bytes[..4], &0x500u32.to_le_bytes());
    assert_eq!(&bytes[12..16], &0x8a3bu32.to_le_bytes());
    assert_eq!(Termios::from_bytes(&bytes), initial);
}

#[test]
fn random_typing_matches_a_model() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let mut t = Terminal::new();
        let mut line = Vec::new();
        // Whole lines; one that ^D ended is without a newline.
        let mut lines: VecDeque<Vec<u8>> = VecDeque::new();
        for _ in 0..300 {
            match random.below(12) {
                0 => {
                    t.types(b"\x7f");
                    line.pop();
                }
                1 if random.below(3) == 0 => {
                    t.types(b"\x15");
                    line.clear();
                }
                2 => {
                    t.types([&b"\r"[..], b"\n"][random.below(2)]);
                    line.push(b'\n');
                    lines.push_back(std::mem::take(&mut line));
                }
                3 => {
                    t.types(b"\x04");
                    lines.push_back(std::mem::take(&mut line));
                }
                4 | 5 => {
                    let length = 1 + random.below(6);
                    let got = t.read_pieces(length, 1 + random.below(4));
                    let Some(first) = lines.front_mut() else {
                        assert_eq!(got, None);
                        continue;
                    };
                    let count = length.min(first.len());
                    let expected: Vec<u8> = first.drain(..count).collect();
                    if first.is_empty() {
                        lines.pop_front();
                    }
                    assert_eq!(got, Some(expected), "seed {seed}");
                }
                _ => {
                    let byte = b'a' + random.below(26) as u8;
                    assert_eq!(t.types(&[byte]), [byte]);
                    line.push(byte);
                }
            }
            assert_eq!(t.tty.is_readable(), !lines.is_empty());
            assert_eq!(
                t.tty.readable_bytes(),
                lines.iter().map(Vec::len).sum::<usize>()
            );
        }
    }
}

//! The options of the kernel command line; `contract::command_line` has the grammar.
use crate::arch::clock::SECOND;
use crate::host_keys::WindowSize;
use crate::log::Destination;
use crate::process::layout::Layout;
use files::find_byte;

/// What the console is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Console {
    /// A plain stream of bytes.
    Stream,
    /// A terminal, with a person before it.
    Terminal,
    /// The same, and the monitor says how large it is, and when that changes.
    SizedTerminal(WindowSize),
}

/// Whether system calls are sent to the monitor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tracing {
    Off,
    On,
}

/// What the kernel does when the machine ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AtEnd {
    /// It ends: nobody needs its memory any more.
    Stop,
    /// Everything is given back first, and whether every frame is there looked at.
    CheckFrames,
}

/// What is in RAM that nothing has been put into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ram {
    /// Nobody says.
    Anything,
    /// Zeros.
    Zero,
}

/// The options; a later one of a name takes the place of an earlier.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// CLOCK_REALTIME at boot, in nanoseconds.
    pub epoch: Option<u64>,
    /// What the console is.
    pub console: Console,
    /// Where the kernel log goes.
    pub log: Destination,
    /// Working directory of pid 1, as its token.
    pub directory: Option<&'static [u8]>,
    /// Name of the machine, as its token.
    pub host_name: Option<&'static [u8]>,
    /// Whether system calls are traced.
    pub tracing: Tracing,
    /// Frequency of the time-stamp counter.
    pub tsc_khz: Option<u64>,
    /// Whether programs are laid out at random addresses.
    pub layout: Layout,
    /// What is in RAM that nothing has been put into.
    pub ram: Ram,
    /// What is done when the machine ends.
    pub at_end: AtEnd,
    /// The line from the first string of the environment on, up to `--`.
    environment: &'static [u8],
    /// The same from the first path to be exported on.
    exports: &'static [u8],
    /// The line from `--` on.
    arguments: &'static [u8],
}

impl Options {
    /// Reads the options of a line. Unknown and malformed ones are ignored.
    pub fn parse(line: &'static [u8]) -> Self {
        let mut options = Self {
            epoch: None,
            console: Console::Stream,
            log: Destination::MemoryAndUart,
            tracing: Tracing::Off,
            directory: None,
            host_name: None,
            tsc_khz: None,
            layout: Layout::Random,
            ram: Ram::Anything,
            at_end: AtEnd::Stop,
            environment: &[],
            exports: &[],
            arguments: &[],
        };
        let mut tokens = Tokens { rest: line };
        let mut end = line.len();
        let (mut environment, mut exports) = (end, end);
        while let Some(token) = tokens.next() {
            let at = line.len() - tokens.rest.len() - token.len();
            // The first letter first: most tokens are of the environment, and there may be many.
            match token {
                [b'e', b'p', ..] => {
                    if let Some(value) = token.strip_prefix(b"epoch=") {
                        options.epoch = parse_seconds(value);
                    }
                }
                [b'e', b'n', ..] => environment = environment.min(at),
                [b'e', b'x', ..] => exports = exports.min(at),
                [b't', ..] => {
                    if token == b"tty=1" {
                        options.console = Console::Terminal;
                    } else if let Some(size) = token.strip_prefix(b"tty=").and_then(parse_size) {
                        options.console = Console::SizedTerminal(size);
                    } else if let Some(value) = token.strip_prefix(b"tsc_khz=") {
                        options.tsc_khz = parse_number(value).filter(|&khz| khz != 0);
                    }
                }
                [b'c', ..] => {
                    if let Some(directory) = token.strip_prefix(b"cwd=") {
                        options.directory = Some(directory);
                    } else if token == b"check=frames" {
                        options.at_end = AtEnd::CheckFrames;
                    }
                }
                [b'h', ..] => {
                    if let Some(name) = token.strip_prefix(b"hostname=") {
                        options.host_name = Some(name);
                    }
                }
                b"strace=1" => options.tracing = Tracing::On,
                b"ram=zero" => options.ram = Ram::Zero,
                b"--" => {
                    (end, options.arguments) = (at, tokens.rest);
                    break;
                }
                b"aslr=0" => options.layout = Layout::Fixed,
                b"log=memory" => options.log = Destination::Memory,
                _ => {}
            }
        }
        options.environment = line.get(environment..end).unwrap_or_default();
        options.exports = line.get(exports..end).unwrap_or_default();
        options
    }

    /// argv of pid 1, each argument as its token; none means `/init`.
    pub fn arguments(&self) -> impl Iterator<Item = &'static [u8]> + use<> {
        Tokens {
            rest: self.arguments,
        }
    }

    /// What is to be exported, each path as its token.
    pub fn exports(&self) -> impl Iterator<Item = &'static [u8]> + use<> {
        Tokens { rest: self.exports }.filter_map(|token| token.strip_prefix(b"export="))
    }

    /// The environment of pid 1, each string as its token.
    pub fn environment(&self) -> impl Iterator<Item = &'static [u8]> + use<> {
        let rest = self.environment;
        Tokens { rest }.filter_map(|token| token.strip_prefix(b"env="))
    }
}

/// The tokens of a line.
struct Tokens {
    rest: &'static [u8],
}

impl Iterator for Tokens {
    type Item = &'static [u8];

    fn next(&mut self) -> Option<&'static [u8]> {
        while let [b' ', rest @ ..] = self.rest {
            self.rest = rest;
        }
        let length = find_byte(self.rest, b' ').unwrap_or(self.rest.len());
        let (token, rest) = self.rest.split_at(length);
        self.rest = rest;
        (length > 0).then_some(token)
    }
}

fn parse_size(text: &[u8]) -> Option<WindowSize> {
    let cross = text.iter().position(|&byte| byte == b'x')?;
    let number = |digits| u16::try_from(parse_number(digits)?).ok();
    Some(WindowSize {
        rows: number(&text[..cross])?,
        columns: number(&text[cross + 1..])?,
    })
}

fn parse_number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, &digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// Seconds, and after a point up to nine digits of a fraction: as nanoseconds.
fn parse_seconds(text: &[u8]) -> Option<u64> {
    let point = text
        .iter()
        .position(|&byte| byte == b'.')
        .unwrap_or(text.len());
    let fraction = text.get(point + 1..).unwrap_or_default();
    let nanoseconds = match fraction.len() {
        0 => 0,
        digits @ 1..=9 => parse_number(fraction)? * 10u64.pow(9 - digits as u32),
        _ => return None,
    };
    parse_number(&text[..point])?
        .checked_mul(SECOND)?
        .checked_add(nanoseconds)
}

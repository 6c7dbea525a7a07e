//! The options of the kernel command line; `contract::command_line` has the grammar.
use super::tokens::{List, Token, Tokens};
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
    /// Working directory of pid 1.
    pub directory: Option<Token>,
    /// Name of the machine.
    pub host_name: Option<Token>,
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
    environment: List,
    exports: List,
    arguments: List,
}

impl Options {
    /// What holds where nothing is said.
    pub const NONE: Self = Self {
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
        environment: List::EMPTY,
        exports: List::EMPTY,
        arguments: List::EMPTY,
    };

    /// Reads the options of the line that `bytes` begin with, and says how long it is, without its NUL. Unknown and
    /// malformed options are ignored. `None` where no NUL ends it.
    pub fn read(&mut self, bytes: &'static [u8]) -> Option<usize> {
        let mut tokens = Tokens::of(bytes);
        while let Some(token) = tokens.next() {
            // The first letter first: most tokens are of the environment, and there may be many.
            match token.text() {
                [b'e', b'p', ..] => {
                    if let Some(value) = token.value_of(b"epoch=") {
                        self.epoch = parse_number(value.text());
                    }
                }
                [b'e', b'n', ..] => {
                    if let Some(string) = token.value_of(b"env=") {
                        self.environment.add(string, tokens.rest());
                    }
                }
                [b'e', b'x', ..] => {
                    if let Some(path) = token.value_of(b"export=") {
                        self.exports.add(path, tokens.rest());
                    }
                }
                [b't', ..] => {
                    if token.text() == b"tty=1" {
                        self.console = Console::Terminal;
                    } else if let Some(value) = token.value_of(b"tty=") {
                        if let Some(size) = parse_size(value.text()) {
                            self.console = Console::SizedTerminal(size);
                        }
                    } else if let Some(value) = token.value_of(b"tsc_khz=") {
                        self.tsc_khz = parse_number(value.text()).filter(|&khz| khz != 0);
                    }
                }
                [b'c', ..] => {
                    if let Some(directory) = token.value_of(b"cwd=") {
                        self.directory = Some(directory);
                    } else if token.text() == b"check=frames" {
                        self.at_end = AtEnd::CheckFrames;
                    }
                }
                [b'h', ..] => {
                    if let Some(name) = token.value_of(b"hostname=") {
                        self.host_name = Some(name);
                    }
                }
                b"strace=1" => self.tracing = Tracing::On,
                b"ram=zero" => self.ram = Ram::Zero,
                b"--" => {
                    while !self.arguments.is_full()
                        && let Some(argument) = tokens.next()
                    {
                        self.arguments.add(argument, tokens.rest());
                    }
                    break;
                }
                b"aslr=0" => self.layout = Layout::Fixed,
                b"log=memory" => self.log = Destination::Memory,
                _ => {}
            }
        }
        let rest = tokens.rest();
        let length = bytes.len() - rest.len() + find_byte(rest, 0)?;
        for list in [
            &mut self.environment,
            &mut self.exports,
            &mut self.arguments,
        ] {
            list.cut(bytes.len() - length);
        }
        Some(length)
    }

    /// argv of pid 1; none means `/init`.
    pub fn arguments(&self) -> impl Iterator<Item = Token> + Clone + use<'_> {
        self.arguments.few().chain(self.arguments.others())
    }

    /// The environment of pid 1.
    pub fn environment(&self) -> impl Iterator<Item = Token> + Clone + use<'_> {
        self.environment
            .few()
            .chain(options(&self.environment, b"env="))
    }

    /// The paths of what is to be exported.
    pub fn exports(&self) -> impl Iterator<Item = Token> + use<'_> {
        self.exports.few().chain(options(&self.exports, b"export="))
    }
}

/// The options of a name that are not among the first few.
fn options<'a>(list: &'a List, name: &'a [u8]) -> impl Iterator<Item = Token> + Clone + use<'a> {
    let before_arguments = list.others().take_while(|token| token.text() != b"--");
    before_arguments.filter_map(move |token| token.value_of(name))
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
    // So many are no number of 64 bits, or nearly none.
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut value = 0;
    for &digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + u64::from(digit);
    }
    Some(value)
}

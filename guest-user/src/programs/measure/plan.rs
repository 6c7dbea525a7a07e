//! What was asked for.
use core::ffi::CStr;
use guest_user::arguments;

/// Rounds when nothing is said: odd, so that one of them is the median.
const ROUNDS: usize = 21;
/// Most rounds.
pub const MOST_ROUNDS: usize = 99;
/// Most sizes.
const MOST_SIZES: usize = 8;

/// The options.
pub struct Plan {
    /// How often each measure is taken.
    pub rounds: usize,
    /// Whether the machine is this program's own.
    pub machine: bool,
    sizes: [usize; MOST_SIZES],
}

impl Plan {
    /// Reads the program's arguments.
    pub fn of_arguments() -> Self {
        let mut plan = Self {
            rounds: ROUNDS,
            machine: false,
            sizes: [1, 4, 16, 64, 256, 0, 0, 0],
        };
        for argument in arguments().skip(1).map(CStr::to_bytes) {
            if argument == b"--machine" {
                plan.machine = true;
            } else if let Some(number) = argument.strip_prefix(b"--rounds=") {
                plan.rounds = parse(number).clamp(1, MOST_ROUNDS);
            } else if let Some(list) = argument.strip_prefix(b"--sizes=") {
                plan.sizes = [0; MOST_SIZES];
                let numbers = list.split(|&byte| byte == b',').map(parse);
                for (size, number) in plan.sizes.iter_mut().zip(numbers) {
                    *size = number;
                }
            }
        }
        plan
    }

    /// Sizes of a parent, in MiB.
    pub fn sizes(&self) -> impl Iterator<Item = usize> + '_ {
        self.sizes.iter().copied().filter(|&size| size != 0)
    }

    /// Whether a measure is wanted.
    pub fn wants(&self, name: &str) -> bool {
        let mut names = arguments()
            .skip(1)
            .map(CStr::to_bytes)
            .filter(|argument| !argument.starts_with(b"--"))
            .peekable();
        names.peek().is_none() || names.any(|wanted| wanted == name.as_bytes())
    }
}

/// A decimal number; 0 for anything else.
fn parse(text: &[u8]) -> usize {
    core::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

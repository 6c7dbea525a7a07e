//! A small shell: what a person types, a file holds, or `-c` says, as commands.
//!
//! ```text
//! list      pipeline, then any of  ;  &  &&  ||  and more
//! pipeline  command | command | …
//! command   words, and redirections  <file  >file  >>file
//! word      letters, 'as it is', "with $NAME", \x; $NAME, $? and $$ stand for what they are
//! ```
//!
//! Builtins: `cd`, `exit`. Variables are those it was started with.
#![no_std]
#![no_main]

mod reader;

use core::ffi::CStr;
use guest_user::files::{
    self, O_APPEND, O_CLOEXEC, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY, STDIN, STDOUT,
};
use guest_user::process::{self, Fork, WNOHANG};
use guest_user::status::{SIGINT, SIGQUIT, SIGTSTP};
use guest_user::{Pid, Result, Status, arguments, eprintln, exec, exit, program, stdio, variable};

use reader::{End, Reader, Token};

program!(main);

/// Longest line, and most bytes that the words of a pipeline take.
const LINE: usize = 4096;
/// Most words of a command, and commands of a pipeline.
const WORDS: usize = 64;
const COMMANDS: usize = 16;
/// Keys that send signals are for what it runs.
const KEYS: [u32; 3] = [SIGINT, SIGQUIT, SIGTSTP];

/// One command of a pipeline: ranges in its tokens.
#[derive(Clone, Copy, Default)]
struct Command {
    first: usize,
    last: usize,
}

fn main() -> Result<u8> {
    let mut status = 0;
    let mut given = arguments().skip(1);
    let script = match (given.next(), given.next()) {
        (Some(option), Some(line)) if option == c"-c" => {
            run_line(line.to_bytes(), &mut status);
            return Ok(status);
        }
        (Some(option), _) if option.to_bytes().starts_with(b"-") => {
            eprintln!("sh: only `sh`, `sh FILE` and `sh -c COMMAND`");
            return Ok(2);
        }
        (Some(file), _) => match files::open(file, O_RDONLY | O_CLOEXEC) {
            Ok(script) => Some(script),
            Err(error) => {
                eprintln!("sh: {}: {error}", file.to_bytes().escape_ascii());
                return Ok(127);
            }
        },
        (None, _) => None,
    };
    let input = script.unwrap_or(STDIN);
    let is_interactive = script.is_none() && files::isatty(STDIN);
    if is_interactive {
        for key in KEYS {
            process::ignore_signal(key)?;
        }
        files::write_all(
            STDOUT,
            b"A small shell. `ls /bin` shows what there is; `exit` ends it.\n",
        )?;
    }
    loop {
        while let Ok(Some(_)) = process::wait4(-1, WNOHANG) {}
        if is_interactive {
            let prompt = variable("PS1").filter(|prompt| !prompt.contains(&b'\\'));
            files::write_all(STDOUT, prompt.unwrap_or(b"# "))?;
        }
        let mut line = [0; LINE];
        match read_line(input, &mut line)? {
            None => return Ok(status),
            Some(length) => run_line(&line[..length], &mut status),
        }
    }
}

/// Byte by byte: what follows the line is for the programs that it runs.
fn read_line(input: files::Descriptor, line: &mut [u8; LINE]) -> Result<Option<usize>> {
    let mut length = 0;
    loop {
        let mut byte = [0];
        match files::read(input, &mut byte)? {
            0 if length == 0 => return Ok(None),
            0 => return Ok(Some(length)),
            _ if byte[0] == b'\n' => return Ok(Some(length)),
            _ if length < LINE => {
                line[length] = byte[0];
                length += 1;
            }
            _ => {}
        }
    }
}

fn run_line(line: &[u8], status: &mut u8) {
    let mut reader = Reader::new(line, *status);
    let mut skip = false;
    loop {
        let mut tokens = [Token::Pipe; 2 * WORDS];
        let Some((count, end)) = reader.pipeline(&mut tokens) else {
            eprintln!("sh: the line cannot be understood");
            *status = 2;
            return;
        };
        if count > 0 && !skip {
            reader.status = run_pipeline(&tokens[..count], &reader, end);
            *status = reader.status;
        }
        match end {
            End::Line => return,
            End::Next | End::Background => skip = false,
            End::And => skip = reader.status != 0,
            End::Or => skip = reader.status == 0,
        }
    }
}

/// Runs the commands of a pipeline; the status of the last.
fn run_pipeline(tokens: &[Token], reader: &Reader<'_>, end: End) -> u8 {
    let mut commands = [Command::default(); COMMANDS];
    let mut count = 0;
    for (index, token) in tokens.iter().enumerate() {
        if *token == Token::Pipe {
            count += 1;
            if count == COMMANDS {
                eprintln!("sh: too many commands");
                return 2;
            }
            commands[count].first = index + 1;
        } else {
            commands[count].last = index + 1;
        }
    }
    let commands = &commands[..=count];
    if commands.iter().any(|command| command.last <= command.first) {
        eprintln!("sh: a command is missing");
        return 2;
    }
    if let [command] = commands
        && end != End::Background
        && let Some(status) = builtin(&tokens[command.first..command.last], reader)
    {
        return status;
    }
    let mut pids: [Pid; COMMANDS] = [0; COMMANDS];
    let mut input = STDIN;
    for (index, command) in commands.iter().enumerate() {
        let tokens = &tokens[command.first..command.last];
        let is_last = index + 1 == commands.len();
        match start(tokens, reader, input, is_last) {
            Ok((pid, next)) => {
                pids[index] = pid;
                input = next;
            }
            Err(error) => {
                eprintln!("sh: {error}");
                return 1;
            }
        }
    }
    if end == End::Background {
        eprintln!("[{}]", pids[commands.len() - 1]);
        return 0;
    }
    let mut status = 0;
    for &pid in &pids[..commands.len()] {
        if let Ok(ended) = process::waitpid(pid) {
            status = shown(ended);
        }
    }
    status
}

/// A status as `$?` has it.
fn shown(ended: Status) -> u8 {
    if ended.WIFEXITED() {
        ended.WEXITSTATUS()
    } else {
        128 + ended.WTERMSIG() as u8
    }
}

fn builtin(tokens: &[Token], reader: &Reader<'_>) -> Option<u8> {
    let word = |index: usize| match tokens.get(index) {
        Some(Token::Word(start)) => Some(reader.text(*start)),
        _ => None,
    };
    match word(0)?.to_bytes() {
        b"cd" => {
            let home = variable("HOME").unwrap_or(b"/");
            let mut path = [0; LINE];
            let wanted = word(1).map_or(home, CStr::to_bytes);
            let length = wanted.len().min(LINE - 1);
            path[..length].copy_from_slice(&wanted[..length]);
            let path = CStr::from_bytes_until_nul(&path).unwrap_or(c"/");
            Some(match files::chdir(path) {
                Ok(()) => 0,
                Err(error) => {
                    eprintln!("sh: {error}");
                    1
                }
            })
        }
        b"exit" => {
            let number = word(1).map(|word| {
                let digits = word
                    .to_bytes()
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit());
                digits.fold(0_u8, |sum, digit| {
                    sum.wrapping_mul(10).wrapping_add(digit - b'0')
                })
            });
            exit(number.unwrap_or(reader.status))
        }
        _ => None,
    }
}

/// Starts a command that reads `input`; its pid, and what the next one reads.
fn start(
    tokens: &[Token],
    reader: &Reader<'_>,
    input: files::Descriptor,
    is_last: bool,
) -> Result<(Pid, files::Descriptor)> {
    let ends = if is_last { None } else { Some(files::pipe()?) };
    stdio::flush()?;
    match process::fork()? {
        Fork::Parent(pid) => {
            if input != STDIN {
                files::close(input)?;
            }
            let next = match ends {
                Some(ends) => {
                    files::close(ends.writer)?;
                    ends.reader
                }
                None => STDIN,
            };
            Ok((pid, next))
        }
        Fork::Child => {
            let status = child(tokens, reader, input, ends);
            exit(status)
        }
    }
}

/// Becomes the program; the status where that fails.
fn child(
    tokens: &[Token],
    reader: &Reader<'_>,
    input: files::Descriptor,
    ends: Option<files::Pipe>,
) -> u8 {
    let prepared = (|| {
        for key in KEYS {
            process::default_signal(key)?;
        }
        if input != STDIN {
            files::dup2(input, STDIN)?;
            files::close(input)?;
        }
        if let Some(ends) = ends {
            files::dup2(ends.writer, STDOUT)?;
            files::close(ends.writer)?;
            files::close(ends.reader)?;
        }
        redirect(tokens, reader)
    })();
    if let Err(error) = prepared {
        eprintln!("sh: {error}");
        return 1;
    }
    if let Some(status) = builtin(tokens, reader) {
        return status;
    }
    let mut words = [c""; WORDS];
    let mut count = 0;
    let mut is_target = false;
    for token in tokens {
        if let (Token::Word(start), false) = (token, is_target)
            && let Some(place) = words.get_mut(count)
        {
            *place = reader.text(*start);
            count += 1;
        }
        is_target = !matches!(token, Token::Word(_));
    }
    if count == 0 {
        return 0;
    }
    let error = exec::execvp(words[0], &words[..count]);
    let name = words[0].to_bytes().escape_ascii();
    if error.errno == guest_user::Errno::ENOENT {
        eprintln!("sh: {name}: not found");
        127
    } else {
        eprintln!("sh: {name}: {error}");
        126
    }
}

fn redirect(tokens: &[Token], reader: &Reader<'_>) -> Result<()> {
    for pair in tokens.windows(2) {
        let [operator, Token::Word(start)] = pair else {
            continue;
        };
        let (flags, target) = match operator {
            Token::Input => (O_RDONLY, STDIN),
            Token::Output => (O_WRONLY | O_CREAT | O_TRUNC, STDOUT),
            Token::Append => (O_WRONLY | O_CREAT | O_APPEND, STDOUT),
            _ => continue,
        };
        let opened = files::open(reader.text(*start), flags)?;
        files::dup2(opened, target)?;
        files::close(opened)?;
    }
    Ok(())
}

//! The tokens of the kernel command line, and lists of them; `contract::command_line` has the grammar.
use contract::command_line::argument;
use files::find_byte_below;

/// A token of the line.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    text: &'static [u8],
    encoding: Encoding,
}

/// Whether something in a token stands for other bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Encoding {
    Plain,
    Percent,
}

impl Token {
    const EMPTY: Self = Self {
        text: &[],
        encoding: Encoding::Plain,
    };

    /// As it stands in the line.
    pub const fn text(self) -> &'static [u8] {
        self.text
    }

    /// What it stands for, where that is what stands in the line.
    pub fn plain(self) -> Option<&'static [u8]> {
        (self.encoding == Encoding::Plain).then_some(self.text)
    }

    /// What it stands for.
    pub fn bytes(self) -> impl Iterator<Item = u8> {
        argument(self.text)
    }

    /// What follows the name of an option, if it is that.
    pub fn value_of(self, name: &[u8]) -> Option<Self> {
        let text = self.text.strip_prefix(name)?;
        Some(Self { text, ..self })
    }
}

/// The tokens of a line, up to a NUL or the end.
#[derive(Clone)]
pub struct Tokens {
    rest: &'static [u8],
}

impl Tokens {
    pub const fn of(line: &'static [u8]) -> Self {
        Self { rest: line }
    }

    /// What follows the last token.
    pub const fn rest(&self) -> &'static [u8] {
        self.rest
    }
}

impl Iterator for Tokens {
    type Item = Token;

    #[inline]
    fn next(&mut self) -> Option<Token> {
        while let [b' ', rest @ ..] = self.rest {
            self.rest = rest;
        }
        match self.rest {
            [] | [0, ..] => None,
            line => {
                let (length, encoding) = measure(line);
                let (text, rest) = line.split_at(length);
                self.rest = rest;
                Some(Token { text, encoding })
            }
        }
    }
}

/// How long the token is that a line begins with.
fn measure(line: &[u8]) -> (usize, Encoding) {
    let mut encoding = Encoding::Plain;
    let mut length = 0;
    // What is looked for are a NUL, a space and a `%`, and little else is below them.
    while let Some(skipped) = find_byte_below(&line[length..], b'%' + 1) {
        length += skipped;
        match line[length] {
            0 | b' ' => return (length, encoding),
            b'%' => encoding = Encoding::Percent,
            _ => {}
        }
        length += 1;
    }
    (line.len(), encoding)
}

/// Tokens of one kind: the first few, and the line after them, which is taken apart again where there are more.
#[derive(Clone, Copy, Debug)]
pub struct List {
    few: [Token; Self::FEW],
    count: usize,
    rest: &'static [u8],
}

impl List {
    const FEW: usize = 8;

    /// No tokens.
    pub const EMPTY: Self = Self {
        few: [Token::EMPTY; Self::FEW],
        count: 0,
        rest: &[],
    };

    /// Adds a token while there are few; `rest` is the line after it.
    pub fn add(&mut self, token: Token, rest: &'static [u8]) {
        if let Some(place) = self.few.get_mut(self.count) {
            *place = token;
            self.count += 1;
            self.rest = rest;
        }
    }

    /// Leaves out the last bytes of the line.
    pub fn cut(&mut self, bytes: usize) {
        self.rest = &self.rest[..self.rest.len().saturating_sub(bytes)];
    }

    /// Whether no more are added.
    pub const fn is_full(&self) -> bool {
        self.count == Self::FEW
    }

    /// The first few.
    pub fn few(&self) -> impl Iterator<Item = Token> + Clone + use<'_> {
        self.few[..self.count].iter().copied()
    }

    /// All tokens of the line after those, of whatever kind.
    pub fn others(&self) -> Tokens {
        Tokens::of(if self.is_full() { self.rest } else { &[] })
    }
}

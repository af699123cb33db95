//! Tokens from standard input or a file. What is longer than any token is counted, not kept.

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;

use clap::Args;
use pulse_trust::Error;
use pulse_trust::token::MAX_TOKEN_LEN;

use crate::outcome::Stop;

#[derive(Args)]
pub(crate) struct TokenArgs {
    /// Takes this whole file as one token; a line end after it does not count
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Takes the file byte for byte, its last line end too
    #[arg(long, requires = "file")]
    exact: bool,
}

/// The tokens of one call, in order.
pub(crate) enum Tokens {
    One(Option<Token>),
    Lines(Box<dyn BufRead>),
}

/// A token's bytes, and how long it was where it is longer than any token.
pub(crate) struct Token {
    bytes: Vec<u8>,
    length: usize,
    /// Whether there may be more than that.
    is_cut: bool,
}

/// Nothing was refused and nothing accepted.
pub(crate) fn no_token() -> Stop {
    Stop::cannot_tell("no token was given: the input is empty")
}

impl TokenArgs {
    pub(crate) fn open(&self) -> Result<Tokens, Stop> {
        let Some(path) = &self.file else {
            if io::stdin().is_terminal() {
                writeln!(anstream::stderr(), "Paste tokens, one a line, and end with Ctrl-D.").ok();
            }
            return Ok(Tokens::Lines(Box::new(BufReader::new(io::stdin()))));
        };
        let token = File::open(path).and_then(|file| {
            let length = file.metadata()?.len();
            Token::read(file, length, self.exact)
        });
        token
            .map(|token| Tokens::One(Some(token).filter(|token| token.length > 0)))
            .map_err(|error| Stop::cannot_tell(format!("{}: {error}", path.display())))
    }
}

impl Tokens {
    /// The next tokens, at most `count`; none at the end.
    pub(crate) fn next_chunk(&mut self, count: usize) -> Result<Vec<Token>, Stop> {
        let lines = match self {
            Self::One(token) => return Ok(token.take().into_iter().collect()),
            Self::Lines(lines) => lines,
        };
        let mut chunk = Vec::new();
        while chunk.len() < count {
            let next = Token::read_line(lines)
                .map_err(|error| Stop::cannot_tell(format!("standard input cannot be read: {error}")))?;
            match next {
                Some(token) => chunk.push(token),
                None => break,
            }
        }
        Ok(chunk)
    }
}

impl Token {
    /// The input as one token. A device has no end, so no more is read than shows that it is too long for a token; how
    /// long it is is then what the file says of itself.
    fn read(input: impl Read, file_len: u64, exact: bool) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let kept = input.take(kept_len()).read_to_end(&mut bytes)?;
        let length = kept.max(usize::try_from(file_len).unwrap_or(usize::MAX));
        let is_cut = length == kept && u64::try_from(kept).is_ok_and(|kept| kept == kept_len());
        let mut token = Self { bytes, length, is_cut };
        if !exact && length == kept {
            token.trim_line_end();
        }
        Ok(token)
    }

    /// The next line, without its line end.
    fn read_line(input: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        let mut length = input.take(kept_len()).read_until(b'\n', &mut bytes)?;
        if length == 0 {
            return Ok(None);
        }
        let mut ended = bytes.last() == Some(&b'\n');
        while !ended {
            let mut more = Vec::new();
            let read = input.take(kept_len()).read_until(b'\n', &mut more)?;
            let line_end = usize::from(more.last() == Some(&b'\n'));
            ended = read == 0 || line_end == 1;
            length = length.saturating_add(read).saturating_sub(line_end);
        }
        let mut token = Self { bytes, length, is_cut: false };
        if length == token.bytes.len() {
            token.trim_line_end();
        }
        Ok(Some(token))
    }

    /// A line end of Unix or of Windows.
    fn trim_line_end(&mut self) {
        if self.bytes.last() == Some(&b'\n') {
            self.bytes.pop();
            if self.bytes.last() == Some(&b'\r') {
                self.bytes.pop();
            }
        }
        self.length = self.bytes.len();
    }

    pub(crate) fn text(&self) -> Result<&str, Error> {
        if self.length > MAX_TOKEN_LEN {
            let what = if self.is_cut { "token, or what was read of it," } else { "token" };
            return Err(Error::token_too_large(what, MAX_TOKEN_LEN, self.length));
        }
        str::from_utf8(&self.bytes).map_err(|_| Error::token_malformed("not UTF-8"))
    }
}

/// A token's limit and a Windows line end: one byte more says that it is too long.
fn kept_len() -> u64 {
    u64::try_from(MAX_TOKEN_LEN).unwrap_or(u64::MAX).saturating_add(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> Vec<(usize, Result<String, Error>)> {
        let mut input = io::Cursor::new(input.to_vec());
        std::iter::from_fn(|| Token::read_line(&mut input).unwrap())
            .map(|token| (token.length, token.text().map(str::to_owned)))
            .collect()
    }

    #[test]
    fn a_line_end_of_either_kind_does_not_count() {
        let read = lines(b"a.b.c\r\nd.e.f\n\ng");
        let texts: Vec<_> = read.iter().map(|(_, text)| text.as_deref().unwrap()).collect();
        assert_eq!(texts, ["a.b.c", "d.e.f", "", "g"]);
    }

    #[test]
    fn a_line_over_the_limit_is_counted_and_the_next_one_is_whole() {
        let longest = "x".repeat(MAX_TOKEN_LEN);
        let over = "y".repeat(3 * MAX_TOKEN_LEN);
        let read = lines(format!("{longest}\r\n{over}\nz\n").as_bytes());
        assert_eq!(read[0].1.as_deref(), Ok(longest.as_str()));
        assert!(matches!(read[1].1, Err(Error::TokenTooLarge { received, .. }) if received == 3 * MAX_TOKEN_LEN));
        assert_eq!(read[2].1.as_deref(), Ok("z"));
    }

    #[test]
    fn a_file_is_taken_byte_for_byte_only_when_asked() {
        let text = |exact| Token::read(&b"a.b.c\n"[..], 6, exact).unwrap().text().map(str::to_owned);
        assert_eq!(text(false).as_deref(), Ok("a.b.c"));
        assert_eq!(text(true).as_deref(), Ok("a.b.c\n"));
    }
}

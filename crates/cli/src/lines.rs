//! Lines of standard input and of files.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read};
use std::os::fd::AsFd as _;

use artstore_core::{Error, Result};

/// How much is read at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// Standard input. It is read without the standard library's small buffer.
pub(crate) fn stdin() -> Result<File> {
    let file = io::stdin().as_fd().try_clone_to_owned();
    file.map(File::from).map_err(unreadable)
}

/// What it means that standard input cannot be read.
pub(crate) fn unreadable(error: io::Error) -> Error {
    Error::unavailable("standard input cannot be read")
        .with("problem", &error)
        .caused_by(error)
}

/// The lines of a source that are not blank, in bounded memory.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    source: BufReader<R>,
    limit: usize,
    line: Vec<u8>,
    number: u64,
}

/// A line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Which line of the source it is, blank ones counted, from 1.
    pub(crate) number: u64,
    /// What it holds, without its end; `None` if that is more than the limit.
    pub(crate) content: Option<&'a [u8]>,
}

impl<R: Read> Lines<R> {
    /// The lines of `source`, of at most `limit` bytes each.
    pub(crate) fn new(source: R, limit: usize) -> Self {
        Self {
            source: BufReader::with_capacity(PIECE_BYTES, source),
            limit,
            line: Vec::new(),
            number: 0,
        }
    }

    /// The next line that is not blank; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            let Some(is_whole) = self.read_line()? else {
                return Ok(None);
            };
            self.number += 1;
            if !is_whole || !self.line.trim_ascii().is_empty() {
                return Ok(Some(Line {
                    number: self.number,
                    content: is_whole.then_some(&self.line),
                }));
            }
        }
    }

    /// Whether the next line was received whole, so that it need not be waited for.
    pub(crate) fn has_next_at_hand(&self) -> bool {
        self.source.buffer().contains(&b'\n')
    }

    /// Reads a line, and tells whether it was kept; `None` if there is none.
    fn read_line(&mut self) -> io::Result<Option<bool>> {
        self.line.clear();
        let mut is_whole = true;
        let mut is_begun = false;
        loop {
            let piece = match self.source.fill_buf() {
                Ok(piece) => piece,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if piece.is_empty() {
                return Ok(is_begun.then_some(is_whole));
            }
            is_begun = true;
            let end = piece.iter().position(|byte| *byte == b'\n');
            let content = &piece[..end.unwrap_or(piece.len())];
            is_whole &= self.line.len() + content.len() <= self.limit;
            if is_whole {
                self.line.extend_from_slice(content);
            }
            let used = content.len() + usize::from(end.is_some());
            self.source.consume(used);
            if end.is_some() {
                return Ok(Some(is_whole));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte at a time.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let (now, rest) = self.0.split_at(self.0.len().min(1));
            self.0 = rest;
            buffer[..now.len()].copy_from_slice(now);
            Ok(now.len())
        }
    }

    fn check(text: &str, expected: &[(u64, Option<&str>)]) {
        let sources: [Box<dyn Read>; 2] =
            [Box::new(text.as_bytes()), Box::new(Drops(text.as_bytes()))];
        for source in sources {
            let mut lines = Lines::new(source, 5);
            for (number, content) in expected {
                let content = content.map(str::as_bytes);
                let number = *number;
                assert_eq!(lines.next().unwrap(), Some(Line { number, content }));
            }
            assert_eq!(lines.next().unwrap(), None);
        }
    }

    #[test]
    fn blank_lines_are_counted_and_left_out() {
        check("", &[]);
        check("\n \r\n\n", &[]);
        check("a\n\nb", &[(1, Some("a")), (3, Some("b"))]);
        check("a\r\nb\n", &[(1, Some("a\r")), (2, Some("b"))]);
    }

    #[test]
    fn a_line_over_the_limit_is_told_and_left_out() {
        check(
            "12345\n123456\nc\n",
            &[(1, Some("12345")), (2, None), (3, Some("c"))],
        );
        check("1234567", &[(1, None)]);
        check("       \n1", &[(1, None), (2, Some("1"))]);
    }

    #[test]
    fn a_line_is_at_hand_when_its_end_is() {
        let mut lines = Lines::new("a\nb\nc".as_bytes(), 5);
        assert!(!lines.has_next_at_hand());
        lines.next().unwrap();
        assert!(lines.has_next_at_hand());
        lines.next().unwrap();
        assert!(!lines.has_next_at_hand());
    }
}

//! The first record of a window of text -> its cells.
//!
//! Answers for: delimiters, quotes (RFC 4180), line ends of every kind, and where a record ends. Two ways: plain lines eight
//! bytes at a time, anything else cell by cell. Does not: read, hold or bound anything.

use memchr::{memchr, memchr2, memchr2_iter, memchr3};

/// Where a cell lies in a record's text.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    #[inline]
    fn new(start: usize, end: usize) -> Span {
        // a record is far shorter than 4 GiB
        #[expect(clippy::cast_possible_truncation, reason = "bounded by twice RECORD_LIMIT")]
        Span { start: start as u32, end: end as u32 }
    }

    /// The bytes it covers.
    #[inline]
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// What the spans of a record are pieces of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// pieces of the record itself
    InPlace,
    /// pieces of a copy, doubled quotes made one
    Copied,
}

/// The outcome of splitting a window that begins with a record. Lengths are from the window's start.
pub enum Split {
    Row {
        length: usize,
        consumed: usize,
        breaks: u64,
        cells: usize,
    },
    /// text after a closing quote in the line where the quote opened: the row ends with that line
    Broken {
        length: usize,
        consumed: usize,
        breaks: u64,
    },
    /// the record does not end in the window
    More(Option<OpenQuote>),
    /// a quote that opened so many lines down is not closed, or closes in the middle of another line
    NotClosed(u64),
    /// quotes are doubled in it: the cells must be copied
    Doubled,
}

/// A quote that opens a cell and is not closed in the window.
#[derive(Debug, Clone, Copy)]
pub struct OpenQuote {
    /// lines below the record's first
    pub down: u64,
    /// line breaks since it opened
    pub breaks: u64,
}

/// Every delimiter is one, eight bytes at a time: cells are short, and `memchr` pays for long ones.
pub fn split_plain(line: &[u8], delimiter: u8, most_cells: usize, spans: &mut Vec<Span>) -> usize {
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    let pattern = u64::from_le_bytes([delimiter; 8]);
    let mut cut = Cut { from: 0, cells: 0, most_cells, spans };
    cut.spans.clear();
    let (words, tail) = line.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let differs = u64::from_le_bytes(*word) ^ pattern;
        // the high bit of each byte that is the delimiter, and no other bit
        let mut hits = !((differs & LOW).wrapping_add(LOW) | differs | LOW);
        while hits != 0 {
            cut.at(index * 8 + (hits.trailing_zeros() / 8) as usize);
            hits &= hits - 1;
        }
    }
    for (index, _) in tail.iter().enumerate().filter(|(_, byte)| **byte == delimiter) {
        cut.at(words.len() * 8 + index);
    }
    cut.at(line.len());
    cut.cells
}

struct Cut<'s> {
    from: usize,
    cells: usize,
    most_cells: usize,
    spans: &'s mut Vec<Span>,
}

impl Cut<'_> {
    #[inline]
    fn at(&mut self, to: usize) {
        if self.cells < self.most_cells {
            self.spans.push(Span::new(self.from, to));
        }
        self.cells += 1;
        self.from = to + 1;
    }
}

/// Line ends in a piece of text: `\n`, `\r\n`, or `\r` alone.
pub fn line_breaks(text: &[u8]) -> u64 {
    memchr2_iter(b'\n', b'\r', text)
        .filter(|&at| text[at] == b'\n' || text.get(at + 1) != Some(&b'\n'))
        .count() as u64
}

/// Splits the record at the beginning of a window, byte by byte.
pub struct Splitter<'w> {
    /// begins with the record
    pub window: &'w [u8],
    /// the file ends with the window
    pub ended: bool,
    pub delimiter: u8,
    pub most_cells: usize,
    pub spans: &'w mut Vec<Span>,
    pub copy: &'w mut Vec<u8>,
}

/// What a cell ended with, and where the next byte is.
enum Ended {
    Cell(usize),
    Row(usize),
}

impl Splitter<'_> {
    /// The record's cells, as pieces of what `text` says.
    pub fn split(&mut self, text: Text) -> Split {
        self.spans.clear();
        self.copy.clear();
        let (mut at, mut cells, mut breaks) = (0, 0, 0);
        loop {
            let cell = match self.window.get(at) {
                Some(b'"') => self.quoted(at, &mut breaks, text),
                Some(_) => self.unquoted(at, text),
                None if self.ended => Ok((Span::new(at, at), at)),
                None => Err(Split::More(None)),
            };
            let (span, after) = match cell {
                Ok(cell) => cell,
                Err(split) => return split,
            };
            let Some(ended) = self.ended_by(after) else { return self.misplaced(after, breaks) };
            if cells < self.most_cells {
                self.spans.push(self.placed(span, text));
            }
            cells += 1;
            match ended {
                Err(more) => return more,
                Ok(Ended::Cell(next)) => at = next,
                Ok(Ended::Row(consumed)) => {
                    return Split::Row { length: after, consumed, breaks: breaks + 1, cells };
                }
            }
        }
    }

    fn placed(&self, span: Span, text: Text) -> Span {
        match text {
            Text::InPlace => span,
            Text::Copied => {
                let size = span.range().len();
                Span::new(self.copy.len() - size, self.copy.len())
            }
        }
    }

    /// `None` where neither a delimiter nor a line end stands.
    fn ended_by(&self, at: usize) -> Option<Result<Ended, Split>> {
        match self.window.get(at) {
            None if self.ended => Some(Ok(Ended::Row(at))),
            None => Some(Err(Split::More(None))),
            Some(b'\n') => Some(Ok(Ended::Row(at + 1))),
            Some(b'\r') => Some(match self.window.get(at + 1) {
                Some(b'\n') => Ok(Ended::Row(at + 2)),
                None if !self.ended => Err(Split::More(None)),
                Some(_) | None => Ok(Ended::Row(at + 1)),
            }),
            Some(&byte) if byte == self.delimiter => Some(Ok(Ended::Cell(at + 1))),
            Some(_) => None,
        }
    }

    fn unquoted(&mut self, at: usize, text: Text) -> Result<(Span, usize), Split> {
        let rest = &self.window[at..];
        let size = match memchr3(self.delimiter, b'\n', b'\r', rest) {
            Some(size) => size,
            None if self.ended => rest.len(),
            None => return Err(Split::More(None)),
        };
        if text == Text::Copied {
            self.copy.extend_from_slice(&rest[..size]);
        }
        Ok((Span::new(at, at + size), at + size))
    }

    /// From the opening quote: the cell between the quotes (its length is that of the copy), and where it ends, spaces included.
    fn quoted(&mut self, open: usize, breaks: &mut u64, text: Text) -> Result<(Span, usize), Split> {
        let down = *breaks;
        let begins = self.copy.len();
        let mut at = open + 1;
        loop {
            let Some(size) = memchr(b'"', &self.window[at..]) else {
                let breaks = line_breaks(&self.window[open..]);
                return Err(Split::More(Some(OpenQuote { down, breaks })));
            };
            let close = at + size;
            *breaks += line_breaks(&self.window[at..close]);
            if text == Text::Copied {
                self.copy.extend_from_slice(&self.window[at..close]);
            }
            match (self.window.get(close + 1), text) {
                (None, _) if !self.ended => return Err(Split::More(None)),
                (Some(b'"'), Text::InPlace) => return Err(Split::Doubled),
                (Some(b'"'), Text::Copied) => {
                    self.copy.push(b'"');
                    at = close + 2;
                }
                (Some(_) | None, _) => {
                    let after = self.spaces(close + 1)?;
                    if *breaks > down && self.ended_by(after).is_none() {
                        return Err(Split::NotClosed(down));
                    }
                    let span = match text {
                        Text::InPlace => Span::new(open + 1, close),
                        Text::Copied => Span::new(0, self.copy.len() - begins),
                    };
                    return Ok((span, after));
                }
            }
        }
    }

    /// Spaces between a closing quote and the delimiter mean nothing.
    fn spaces(&self, from: usize) -> Result<usize, Split> {
        let space = |byte: u8| (byte == b' ' || byte == b'\t') && byte != self.delimiter;
        let size = self.window[from..].iter().take_while(|&&byte| space(byte)).count();
        let after = from + size;
        if after == self.window.len() && !self.ended {
            return Err(Split::More(None));
        }
        Ok(after)
    }

    /// Text after a closing quote: the row is broken; the next begins after this line.
    fn misplaced(&self, at: usize, breaks: u64) -> Split {
        let rest = &self.window[at..];
        let size = match memchr2(b'\n', b'\r', rest) {
            Some(size) => size,
            None if self.ended => rest.len(),
            None => return Split::More(None),
        };
        let length = at + size;
        let breaks = breaks + 1;
        match self.ended_by(length) {
            Some(Err(more)) => more,
            Some(Ok(Ended::Row(consumed) | Ended::Cell(consumed))) => {
                Split::Broken { length, consumed, breaks }
            }
            None => Split::Broken { length, consumed: length, breaks },
        }
    }
}

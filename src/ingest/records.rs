//! Bytes of text -> records of cells, one at a time, each with the line it begins in.
//!
//! Answers for: delimiters, quotes (RFC 4180), line ends of every kind, blank lines, and bounds: a record longer than
//! [`RECORD_LIMIT`] is passed over without being held. The `csv` crate reads the same records (a test compares them), but
//! grows without bound on a quote that never closes, cannot go on at the next line, and keeps no raw text for a reject.
//! Does not: know columns or encodings.

use super::Stop;
use super::bytes::{Bytes, refuse};
use memchr::{memchr, memchr_iter, memchr2, memchr2_iter, memchr3};

/// Most bytes of one record.
pub const RECORD_LIMIT: usize = 1 << 20;
/// Most columns of a file.
pub const COLUMN_LIMIT: usize = 4_096;
/// Bytes read at a time; grows up to twice the record limit where a record asks for it.
const BUFFER: usize = 256 * 1024;
/// Bytes that a transcoder needs at least to say anything.
const ROOM: usize = 16;
/// Bytes kept of a record that is passed over, for its reject.
const KEPT: usize = 16 * 1024;

/// Where a cell lies in a record's text.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    start: u32,
    end: u32,
}

/// One record.
#[derive(Debug, Clone, Copy)]
pub struct Record<'b> {
    /// line in the file where it begins, from 1
    pub line: u64,
    /// as it stands in the file, without its line end
    pub raw: &'b [u8],
    /// what the cells are pieces of: `raw`, or a copy where quotes were doubled
    pub text: &'b [u8],
    /// the cells, at most as many as were asked for
    pub spans: &'b [Span],
    /// how many cells it has
    pub cells: usize,
}

impl Span {
    fn new(start: usize, end: usize) -> Span {
        // a record is far shorter than 4 GiB
        #[expect(clippy::cast_possible_truncation, reason = "bounded by twice RECORD_LIMIT")]
        Span { start: start as u32, end: end as u32 }
    }

    /// The bytes it covers.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Why a record could not be split; the next one can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// longer than [`RECORD_LIMIT`]; so many delimiters were seen in its first part
    TooLong(usize),
    /// text after a closing quote
    Quote,
}

/// What comes next in a file.
#[derive(Debug)]
pub enum Next<'b> {
    /// a record
    Record(Record<'b>),
    /// no record: why, where, and the beginning of its text
    Broken(Broken, u64, &'b [u8]),
    /// nothing more
    End,
}

/// The records of a file.
pub struct Records<'r> {
    bytes: Bytes<'r>,
    delimiter: u8,
    /// how many cells of a record are kept; more are counted
    pub most_cells: usize,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// no `\n` lies between `start` and here
    searched: usize,
    ended: bool,
    /// of the next record
    line: u64,
    spans: Vec<Span>,
    copy: Vec<u8>,
}

/// Where the record just found lies in the buffer.
enum Found {
    Row {
        from: usize,
        to: usize,
        line: u64,
        text: Text,
        cells: usize,
    },
    Broken {
        why: Broken,
        from: usize,
        to: usize,
        line: u64,
    },
    /// its beginning is in `copy`
    PassedOver {
        cells: usize,
        line: u64,
    },
    End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    InPlace,
    Copied,
}

/// The outcome of splitting a window that begins with a record. Lengths are from the window's start.
enum Split {
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

#[derive(Clone, Copy)]
struct OpenQuote {
    /// lines below the record's first
    down: u64,
    /// line breaks since it opened
    breaks: u64,
}

impl<'r> Records<'r> {
    /// Ready to read the first record; `delimiter` is a plain ASCII character.
    pub fn new(bytes: Bytes<'r>, delimiter: u8) -> Result<Records<'r>, Stop> {
        if !delimiter.is_ascii() || matches!(delimiter, b'"' | b'\n' | b'\r' | 0) {
            return Err(refuse(
                "bad_delimiter",
                format!(
                    "byte {delimiter} cannot separate cells; set delimiter to one ASCII character such as `,` or `;`"
                ),
            ));
        }
        Ok(Records {
            bytes,
            delimiter,
            most_cells: COLUMN_LIMIT,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            searched: 0,
            ended: false,
            line: 1,
            spans: Vec::new(),
            copy: Vec::new(),
        })
    }

    /// Unpacked bytes read so far.
    pub fn count(&self) -> u64 {
        self.bytes.count
    }

    /// The next record; blank lines are none.
    pub fn next(&mut self) -> Result<Next<'_>, Stop> {
        Ok(match self.find()? {
            Found::End => Next::End,
            Found::PassedOver { cells, line } => Next::Broken(Broken::TooLong(cells), line, &self.copy),
            Found::Broken { why, from, to, line } => Next::Broken(why, line, &self.buffer[from..to]),
            Found::Row { from, to, line, text, cells } => {
                let raw = &self.buffer[from..to];
                let text = match text {
                    Text::InPlace => raw,
                    Text::Copied => &self.copy,
                };
                Next::Record(Record { line, raw, text, spans: &self.spans, cells })
            }
        })
    }

    fn find(&mut self) -> Result<Found, Stop> {
        loop {
            if self.start == self.end && self.ended {
                return Ok(Found::End);
            }
            if let Some(found) = self.plain_line() {
                match found {
                    Found::Row { from, to, .. } if self.blank(from, to) => continue,
                    found => return Ok(found),
                }
            }
            if let Some(found) = self.any_record()? {
                return Ok(found);
            }
        }
    }

    /// The fast path: a line without quotes that ends in `\n` or `\r\n`.
    fn plain_line(&mut self) -> Option<Found> {
        let searched = self.searched.max(self.start);
        let Some(at) = memchr(b'\n', &self.buffer[searched..self.end]) else {
            self.searched = self.end;
            return None;
        };
        let newline = searched + at;
        self.searched = newline; // found again at once where this line needs the slow path
        let line = &self.buffer[self.start..newline];
        let content = match memchr2(b'"', b'\r', line) {
            None => line,
            Some(at) if at + 1 == line.len() && line[at] == b'\r' => &line[..at],
            Some(_) => return None,
        };
        let cells = split_plain(content, self.delimiter, self.most_cells, &mut self.spans);
        let (from, to, line) = (self.start, self.start + content.len(), self.line);
        self.start = newline + 1;
        self.line += 1;
        Some(Found::Row { from, to, line, text: Text::InPlace, cells })
    }

    fn blank(&self, from: usize, to: usize) -> bool {
        let space = |byte: u8| (byte == b' ' || byte == b'\t') && byte != self.delimiter;
        self.buffer[from..to].iter().all(|&byte| space(byte))
    }

    /// Quotes, bare carriage returns, a last line without its end, and records that reach beyond the buffer.
    fn any_record(&mut self) -> Result<Option<Found>, Stop> {
        let window = &self.buffer[self.start..self.end];
        let mut splitter = Splitter {
            window,
            ended: self.ended,
            delimiter: self.delimiter,
            most_cells: self.most_cells,
            spans: &mut self.spans,
            copy: &mut self.copy,
        };
        let mut text = Text::InPlace;
        let mut split = splitter.split(text);
        if matches!(split, Split::Doubled) {
            text = Text::Copied;
            split = splitter.split(text);
        }
        let (from, line, size) = (self.start, self.line, window.len());
        match split {
            Split::Row { length, consumed, breaks, cells } => {
                self.pass(consumed, breaks);
                let found = Found::Row { from, to: from + length, line, text, cells };
                Ok((!self.blank(from, from + length)).then_some(found))
            }
            Split::Broken { length, consumed, breaks } => {
                self.pass(consumed, breaks);
                Ok(Some(Found::Broken { why: Broken::Quote, from, to: from + length, line }))
            }
            Split::NotClosed(down) => Err(not_closed(line + down)),
            Split::More(Some(open)) if self.ended => Err(not_closed(line + open.down)),
            Split::More(open) if size > RECORD_LIMIT => self.pass_over(open).map(Some),
            Split::More(_) | Split::Doubled => self.fill().map(|()| None),
        }
    }

    fn pass(&mut self, consumed: usize, breaks: u64) {
        self.start += consumed;
        self.line += breaks;
    }

    /// Drops the rest of a record that is too long, up to its line end, holding nothing of it but its beginning.
    fn pass_over(&mut self, open: Option<OpenQuote>) -> Result<Found, Stop> {
        let line = self.line;
        let opened = line + open.map_or(0, |open| open.down);
        if open.is_some_and(|open| open.breaks > 0) {
            return Err(not_closed(opened));
        }
        // a last `\r` may be the line end: it is looked at again with what follows it
        let to = self.end - usize::from(self.buffer[self.end - 1] == b'\r');
        let held = &self.buffer[self.start..to];
        let cells = memchr_iter(self.delimiter, held).count();
        self.copy.clear();
        self.copy.extend_from_slice(&held[..KEPT]);
        self.line += line_breaks(held);
        self.start = to;
        let mut inside = open.is_some();
        loop {
            while let Some(at) = memchr3(b'"', b'\n', b'\r', &self.buffer[self.start..self.end]) {
                let byte = self.buffer[self.start + at];
                self.start += at + 1;
                match byte {
                    b'"' => inside = !inside && open.is_some(),
                    _ if inside => return Err(not_closed(opened)),
                    byte => {
                        self.end_line(byte)?;
                        return Ok(Found::PassedOver { cells, line });
                    }
                }
            }
            self.start = self.end;
            if self.ended {
                return if inside { Err(not_closed(opened)) } else { Ok(Found::PassedOver { cells, line }) };
            }
            self.fill()?;
        }
    }

    /// After a line end's first byte: takes the `\n` of a `\r\n` too.
    fn end_line(&mut self, byte: u8) -> Result<(), Stop> {
        self.line += 1;
        if byte == b'\r' {
            if self.start == self.end && !self.ended {
                self.fill()?;
            }
            if self.start < self.end && self.buffer[self.start] == b'\n' {
                self.start += 1;
            }
        }
        Ok(())
    }

    /// Moves what is left to the front and reads until the buffer is full or the file has ended.
    fn fill(&mut self) -> Result<(), Stop> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.searched = self.searched.saturating_sub(self.start);
        self.start = 0;
        if self.buffer.len() - self.end < ROOM {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        while self.buffer.len() - self.end >= ROOM {
            match self.bytes.read(&mut self.buffer[self.end..])? {
                0 => {
                    self.ended = true;
                    break;
                }
                read => self.end += read,
            }
        }
        Ok(())
    }
}

fn not_closed(line: u64) -> Stop {
    refuse(
        "quote_not_closed",
        format!(
            "line {line}: a quote opens a cell and none closes it (a closing quote stands before a delimiter or a line end); close it, or double the quotes that are part of a text, and send the file again"
        ),
    )
}

fn split_plain(line: &[u8], delimiter: u8, most_cells: usize, spans: &mut Vec<Span>) -> usize {
    spans.clear();
    let mut from = 0;
    let mut cells = 0;
    for at in memchr_iter(delimiter, line) {
        if cells < most_cells {
            spans.push(Span::new(from, at));
        }
        cells += 1;
        from = at + 1;
    }
    if cells < most_cells {
        spans.push(Span::new(from, line.len()));
    }
    cells + 1
}

/// Line ends in a piece of text: `\n`, `\r\n`, or `\r` alone.
fn line_breaks(text: &[u8]) -> u64 {
    memchr2_iter(b'\n', b'\r', text)
        .filter(|&at| text[at] == b'\n' || text.get(at + 1) != Some(&b'\n'))
        .count() as u64
}

/// Splits the record at the beginning of a window, byte by byte.
struct Splitter<'w> {
    window: &'w [u8],
    /// the file ends with the window
    ended: bool,
    delimiter: u8,
    most_cells: usize,
    spans: &'w mut Vec<Span>,
    copy: &'w mut Vec<u8>,
}

/// What a cell ended with, and where the next byte is.
enum Ended {
    Cell(usize),
    Row(usize),
}

impl Splitter<'_> {
    fn split(&mut self, text: Text) -> Split {
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

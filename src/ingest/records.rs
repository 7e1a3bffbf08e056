//! Bytes of text -> records of cells, one at a time, each with the line it begins in.
//!
//! Answers for: reading piece by piece, line numbers, blank lines, and bounds: a record longer than
//! [`RECORD_LIMIT`] is passed over without being held. The `csv` crate reads the same records (a test compares them), but
//! grows without bound on a quote that never closes, cannot go on at the next line, and keeps no raw text for a reject.
//! Does not: know columns or encodings.

mod plain;
mod whole;

pub use plain::Lines;
pub use whole::{Piece, Shape};

use super::Stop;
use super::bytes::{Bytes, refuse};
use super::control::{LastRow, is_trailer};
use super::split::{OpenQuote, Span, Split, Splitter, Text, line_breaks, split_plain};
use memchr::{memchr, memchr_iter, memchr2, memchr3};

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

/// The records of a file, or of a block of it.
pub struct Records<'r> {
    /// a block has nothing behind it
    bytes: Option<Bytes<'r>>,
    delimiter: u8,
    /// how many cells of a record are kept; more are counted
    pub most_cells: usize,
    /// a trailer is no record
    pub last_row: LastRow,
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
            bytes: Some(bytes),
            delimiter,
            most_cells: COLUMN_LIMIT,
            last_row: LastRow::Data,
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
        self.bytes.as_ref().map_or(0, |bytes| bytes.count)
    }

    /// The next record; blank lines are none.
    pub fn next(&mut self) -> Result<Next<'_>, Stop> {
        let mut found = self.find()?;
        while self.last_row == LastRow::Trailer && self.is_trailer(&found) {
            found = self.find()?;
        }
        Ok(match found {
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

    fn is_trailer(&self, found: &Found) -> bool {
        let Found::Row { from, to, line, text, cells } = found else { return false };
        let raw = &self.buffer[*from..*to];
        let text = match text {
            Text::InPlace => raw,
            Text::Copied => &self.copy,
        };
        is_trailer(&Record { line: *line, raw, text, spans: &self.spans, cells: *cells })
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
        let (to, newline) = self.plain_end()?;
        let content = &self.buffer[self.start..to];
        let cells = split_plain(content, self.delimiter, self.most_cells, &mut self.spans);
        let (from, line) = (self.start, self.line);
        self.pass(newline + 1 - from, 1);
        Some(Found::Row { from, to, line, text: Text::InPlace, cells })
    }

    /// Where the content of such a line ends, and where its `\n` is.
    fn plain_end(&mut self) -> Option<(usize, usize)> {
        let searched = self.searched.max(self.start);
        let Some(at) = memchr(b'\n', &self.buffer[searched..self.end]) else {
            self.searched = self.end;
            return None;
        };
        let newline = searched + at;
        self.searched = newline; // found again at once where this line needs the slow path
        let line = &self.buffer[self.start..newline];
        match memchr2(b'"', b'\r', line) {
            None => Some((newline, newline)),
            Some(at) if at + 1 == line.len() && line[at] == b'\r' => Some((newline - 1, newline)),
            Some(_) => None,
        }
    }

    fn blank(&self, from: usize, to: usize) -> bool {
        blank(&self.buffer[from..to], self.delimiter)
    }

    /// Quotes, bare carriage returns, a last line without its end, and records that reach beyond the buffer.
    fn any_record(&mut self) -> Result<Option<Found>, Stop> {
        let (split, text) = self.split_record();
        let (from, line, size) = (self.start, self.line, self.end - self.start);
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

    /// The record at the front of the buffer, byte by byte.
    fn split_record(&mut self) -> (Split, Text) {
        let mut splitter = Splitter {
            window: &self.buffer[self.start..self.end],
            ended: self.ended,
            delimiter: self.delimiter,
            most_cells: self.most_cells,
            spans: &mut self.spans,
            copy: &mut self.copy,
        };
        match splitter.split(Text::InPlace) {
            Split::Doubled => (splitter.split(Text::Copied), Text::Copied),
            split => (split, Text::InPlace),
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
            let room = &mut self.buffer[self.end..];
            match self.bytes.as_mut().map_or(Ok(0), |bytes| bytes.read(room))? {
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

fn blank(line: &[u8], delimiter: u8) -> bool {
    let space = |byte: u8| (byte == b' ' || byte == b'\t') && byte != delimiter;
    line.iter().all(|&byte| space(byte))
}

fn not_closed(line: u64) -> Stop {
    refuse(
        "quote_not_closed",
        format!(
            "line {line}: a quote opens a cell and none closes it (a closing quote stands before a delimiter or a line end); close it, or double the quotes that are part of a text, and send the file again"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::decimal::DecimalMark;
    use crate::ingest::{CreditNotes, Encoding, Layout, Packing};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn layout() -> Layout {
        Layout {
            delimiter: b',',
            encoding: Encoding::Utf8,
            decimal_mark: DecimalMark::Point,
            dates: Vec::new(),
            credit_notes: CreditNotes::Signed,
            columns: BTreeMap::new(),
            defaults: BTreeMap::new(),
            values: BTreeMap::new(),
            timezone: chrono_tz::UTC,
            numbers_restart: None,
            max_bytes: u64::MAX,
            last_row: LastRow::Data,
        }
    }

    /// Lines and cells, with a buffer of so many bytes to begin with; `None` where the file is refused.
    fn split(text: &[u8], buffer: usize) -> Option<Vec<(u64, Vec<String>)>> {
        let mut reader = text;
        let bytes = Bytes::open(&mut reader, Packing::Plain, &layout()).expect("plain text");
        let mut records = Records::new(bytes, b',').expect("a comma");
        records.buffer = vec![0; buffer];
        all_of(&mut records)
    }

    fn all_of(records: &mut Records<'_>) -> Option<Vec<(u64, Vec<String>)>> {
        let mut found = Vec::new();
        loop {
            match records.next().ok()? {
                Next::End => return Some(found),
                Next::Broken(why, line, raw) => {
                    found.push((line, vec![format!("{why:?}"), String::from_utf8_lossy(raw).into_owned()]));
                }
                Next::Record(record) => found.push((record.line, cells_of(&record))),
            }
        }
    }

    fn cells_of(record: &Record<'_>) -> Vec<String> {
        assert_eq!(record.cells, record.spans.len());
        let cell = |span: &Span| String::from_utf8_lossy(&record.text[span.range()]).into_owned();
        record.spans.iter().map(cell).collect()
    }

    /// The same, read block by block.
    fn split_in_blocks(text: &[u8], buffer: usize) -> Option<Vec<(u64, Vec<String>)>> {
        let mut reader = text;
        let bytes = Bytes::open(&mut reader, Packing::Plain, &layout()).expect("plain text");
        let mut records = Records::new(bytes, b',').expect("a comma");
        records.buffer = vec![0; buffer];
        let (mut found, mut room) = (Vec::new(), Vec::new());
        while let Some(piece) = records.next_piece(room).ok()? {
            room = match piece {
                Piece::Whole(whole) => match Lines::of(records.shape(), whole) {
                    Ok(mut lines) => {
                        while let Some((record, text)) = lines.next() {
                            assert_eq!(record.raw, text.as_bytes());
                            found.push((record.line, cells_of(&record)));
                        }
                        lines.into_room()
                    }
                    Err(whole) => {
                        let mut block = Records::of_whole(records.shape(), whole);
                        found.extend(all_of(&mut block)?);
                        block.into_room()
                    }
                },
                Piece::TooLong { cells, line, raw } => {
                    let why = format!("{:?}", Broken::TooLong(cells));
                    found.push((line, vec![why, String::from_utf8_lossy(&raw).into_owned()]));
                    Vec::new()
                }
            };
        }
        Some(found)
    }

    fn by_csv(text: &[u8]) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
        let records = reader.records().map(|record| record.expect("text"));
        records.map(|record| record.iter().map(str::to_string).collect()).collect()
    }

    fn cells(text: &[u8]) -> Vec<Vec<String>> {
        let records = split(text, BUFFER).expect("no quote is open");
        records.into_iter().map(|(_, cells)| cells).collect()
    }

    #[test]
    fn a_quote_that_is_never_closed_names_its_line() {
        let text = b"a,b\n\"1\n2\",\"open\n3,4\n";
        let mut reader = &text[..];
        let bytes = Bytes::open(&mut reader, Packing::Plain, &layout()).expect("plain text");
        let mut records = Records::new(bytes, b',').expect("a comma");
        assert!(matches!(records.next(), Ok(Next::Record(_))));
        let Err(Stop::Refused(refusal)) = records.next() else { panic!("not refused") };
        assert_eq!(refusal.reason, "quote_not_closed");
        assert!(refusal.detail.starts_with("line 3:"), "{}", refusal.detail);
    }

    #[test]
    fn a_delimiter_is_one_plain_character() {
        for delimiter in [b'"', b'\n', 0, 0xA6] {
            let mut reader = &b"a"[..];
            let bytes = Bytes::open(&mut reader, Packing::Plain, &layout()).expect("plain text");
            assert!(matches!(Records::new(bytes, delimiter), Err(Stop::Refused(_))), "{delimiter}");
        }
    }

    #[test]
    fn more_cells_than_wanted_are_counted_not_kept() {
        let text = b"1,2,3,4\n\"1\",2,3\n";
        let mut reader = &text[..];
        let bytes = Bytes::open(&mut reader, Packing::Plain, &layout()).expect("plain text");
        let mut records = Records::new(bytes, b',').expect("a comma");
        records.most_cells = 2;
        for wanted in [4, 3] {
            let Ok(Next::Record(record)) = records.next() else { panic!("a record") };
            assert_eq!((record.cells, record.spans.len()), (wanted, 2));
        }
    }

    #[test]
    fn a_record_too_long_is_one_in_blocks_too() {
        for long in [
            "x,".repeat(2 << 20),
            format!("\"{}\"", "x".repeat(3 << 20)),
            format!("\"{}\",", "y".repeat(2000)).repeat(1200),
        ] {
            let text = format!("a,b\n1,2\n{long}\n3,\"4\"\r\n{long}\r5,6");
            let found = split_in_blocks(text.as_bytes(), BUFFER);
            assert!(found.as_ref().is_some_and(|found| found.len() > 4));
            assert_eq!(found, split(text.as_bytes(), BUFFER));
        }
    }

    proptest! {
        #[test]
        fn what_csv_writes_is_read_as_csv_reads_it(
            rows in proptest::collection::vec(proptest::collection::vec("[ab ,\"\n\ré]{0,6}", 2..5), 0..12),
            always: bool,
            crlf: bool,
        ) {
            let quotes = if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
            let ends = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer = csv::WriterBuilder::new().flexible(true).quote_style(quotes).terminator(ends).from_writer(Vec::new());
            for row in &rows {
                writer.write_record(row).expect("memory");
            }
            let text = writer.into_inner().expect("memory");
            prop_assert_eq!(cells(&text), rows);
            prop_assert_eq!(cells(&text), by_csv(&text));
        }

        #[test]
        fn without_quotes_it_is_as_csv_reads_it(text in "[a ,é\n\r]{0,80}") {
            let blank = |cells: &Vec<String>| cells.len() == 1 && cells[0].chars().all(|c| c == ' ');
            let wanted: Vec<Vec<String>> = by_csv(text.as_bytes()).into_iter().filter(|cells| !blank(cells)).collect();
            prop_assert_eq!(cells(text.as_bytes()), wanted);
        }

        #[test]
        fn the_buffer_changes_nothing(text in "[ab,\"\n\r]{0,200}", buffer in 16_usize..64) {
            prop_assert_eq!(split(text.as_bytes(), buffer), split(text.as_bytes(), BUFFER));
        }

        #[test]
        fn in_blocks_it_is_read_as_it_is_whole(text in "[ab,\"\n\r]{0,200}|[ab ,\n]{0,200}|[abé,\n]{0,200}|[ab,\n\r]{0,200}", buffer in 16_usize..64) {
            prop_assert_eq!(split_in_blocks(text.as_bytes(), buffer), split(text.as_bytes(), BUFFER));
        }

        #[test]
        fn lines_are_where_the_rows_begin(rows in proptest::collection::vec(("[a\n]{1,5}", "(\n|\r\n|\r|\n\n\n)"), 0..20)) {
            let (mut text, mut line, mut wanted) = (String::new(), 1, Vec::new());
            for (cell, end) in &rows {
                text.push_str(&format!("\"{cell}\",x{end}"));
                wanted.push(line);
                line += line_breaks(cell.as_bytes()) + line_breaks(end.as_bytes());
            }
            let lines: Vec<u64> = split(text.as_bytes(), 32).expect("closed").into_iter().map(|(line, _)| line).collect();
            prop_assert_eq!(lines, wanted);
        }
    }
}

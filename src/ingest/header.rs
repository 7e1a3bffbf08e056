//! A file's header -> which cell holds which canonical column.
//!
//! Answers for: a header that is missing, twice or unreadable, refused with what was looked for and what was found.
//! A header matches trimmed, exactly before without case. Columns that nothing asks for are ignored.

use super::Layout;
use super::Stop;
use super::bytes::refuse;
use super::records::{Broken, COLUMN_LIMIT, Next, RECORD_LIMIT, Record, Records};
use crate::fault;

/// Whether a file can do without a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// neither header nor default: the file is refused; a blank cell: the row is rejected
    Required,
    /// neither: as if every cell were blank. One that `[feed.columns]` names must be there all the same
    Optional,
}

/// Where a canonical column's values come from.
#[derive(Debug)]
pub struct Column {
    /// canonical
    pub name: &'static str,
    /// in the file, or looked for in it
    pub header: String,
    /// which cell; `None`: the default
    pub at: Option<usize>,
    /// value of every row where the file has not this column
    pub default: String,
    /// file's word -> canonical word
    words: Vec<(String, String)>,
}

impl Column {
    /// The canonical word for a cell: itself, unless the feed says otherwise; exactly before without case.
    #[inline]
    pub fn word<'w>(&'w self, cell: &'w str) -> &'w str {
        if self.words.is_empty() { cell } else { self.translated(cell) }
    }

    fn translated<'w>(&'w self, cell: &'w str) -> &'w str {
        let exact = self.words.iter().find(|(word, _)| word == cell);
        let found = exact.or_else(|| self.words.iter().find(|(word, _)| alike(word, cell)));
        found.map_or(cell, |(_, meant)| meant)
    }
}

/// Equal without case.
pub fn alike(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    one.to_lowercase() == other.to_lowercase()
}

/// A file's header while its columns are looked for; every missing one is collected.
pub struct Header<'l> {
    layout: &'l Layout,
    headers: Vec<String>,
    missing: Vec<(&'static str, String)>,
    twice: Option<(String, String)>,
}

impl<'l> Header<'l> {
    /// Reads the first record of a file.
    pub fn read(records: &mut Records<'_>, layout: &'l Layout) -> Result<Header<'l>, Stop> {
        let headers = match records.next()? {
            Next::Record(record) => headers(record)?,
            Next::Broken(why, line, _) => return Err(broken(why, line)),
            Next::End => {
                return Err(refuse("empty_file", "the file is empty: it has not even a header".to_string()));
            }
        };
        records.most_cells = headers.len();
        let header = Header { layout, headers, missing: Vec::new(), twice: None };
        header.refuse_twins()?;
        Ok(header)
    }

    /// The headers, trimmed, in the file's order.
    pub fn headers(&self) -> &[String] {
        &self.headers
    }

    /// Looks for a canonical column.
    pub fn column(&mut self, name: &'static str, need: Need) -> Column {
        let named = self.layout.columns.get(name).map(|header| header.trim());
        let wanted = named.unwrap_or(name);
        let at = self.find(wanted);
        let default = self.layout.defaults.get(name).map(|value| value.trim().to_string());
        if at.is_none() && default.is_none() && (need == Need::Required || named.is_some()) {
            self.missing.push((name, wanted.to_string()));
        }
        let header = at.map_or(wanted, |at| &self.headers[at]).to_string();
        let words = self.layout.values.get(name).into_iter().flatten();
        let words = words.map(|(word, meant)| (word.trim().to_string(), meant.trim().to_string()));
        Column { name, header, at, default: default.unwrap_or_default(), words: words.collect() }
    }

    fn find(&mut self, wanted: &str) -> Option<usize> {
        if let Some(at) = self.headers.iter().position(|header| header == wanted) {
            return Some(at);
        }
        let mut matches = self.headers.iter().enumerate().filter(|(_, header)| alike(header, wanted));
        let (at, first) = matches.next()?;
        if let Some((_, second)) = matches.next() {
            self.twice = Some((first.clone(), second.clone()));
        }
        Some(at)
    }

    /// After the last column: refuses the file if one is missing.
    pub fn check(&self) -> Result<(), Stop> {
        if let Some((one, other)) = &self.twice {
            return Err(refuse(
                "duplicate_header",
                format!(
                    "the headers `{one}` and `{other}` differ in case only and either could be meant; write the one that is meant in [feed.columns]"
                ),
            ));
        }
        if self.missing.is_empty() {
            return Ok(());
        }
        let looked: Vec<String> =
            self.missing.iter().map(|(name, wanted)| self.looked_for(name, wanted)).collect();
        Err(refuse(
            "missing_column",
            format!("looked for {}; found {}{}", looked.join(", "), listed(&self.headers), self.remedy()),
        ))
    }

    fn looked_for(&self, name: &str, wanted: &str) -> String {
        let found: Vec<&str> = self.headers.iter().map(String::as_str).collect();
        let nearest = fault::nearest(wanted, &found).map(|near| format!(", nearest is {}", quoted(near)));
        let nearest = nearest.unwrap_or_default();
        if name == wanted {
            return format!("the header `{wanted}`{nearest}");
        }
        format!("the header `{wanted}` (for {name}){nearest}")
    }

    fn remedy(&self) -> String {
        let delimiter = char::from(self.layout.delimiter);
        let other = [',', ';', '\t', '|']
            .into_iter()
            .find(|&other| other != delimiter && self.headers.len() == 1 && self.headers[0].contains(other));
        match other {
            Some(other) => format!(
                "; the header is one cell with `{}` in it: is that the delimiter?",
                other.escape_default()
            ),
            None => "; mend the export, or name the header in [feed.columns]".to_string(),
        }
    }

    fn refuse_twins(&self) -> Result<(), Stop> {
        let mut sorted: Vec<&String> = self.headers.iter().filter(|header| !header.is_empty()).collect();
        sorted.sort_unstable();
        let twin = sorted.windows(2).find(|pair| pair[0] == pair[1]);
        let Some(twin) = twin.map(|pair| pair[0]) else { return Ok(()) };
        let places: Vec<String> = (1..)
            .zip(&self.headers)
            .filter(|(_, header)| *header == twin)
            .map(|(column, _): (usize, _)| column.to_string())
            .collect();
        Err(refuse(
            "duplicate_header",
            format!(
                "the header {} stands over columns {}; each header must be there once",
                quoted(twin),
                places.join(" and ")
            ),
        ))
    }
}

fn headers(record: Record<'_>) -> Result<Vec<String>, Stop> {
    if record.cells > COLUMN_LIMIT {
        return Err(too_many(record.cells.to_string()));
    }
    if record.raw.contains(&0) {
        return Err(refuse(
            "not_text",
            format!(
                "line {}: the header has zero bytes; is the file UTF-16, or no text at all?",
                record.line
            ),
        ));
    }
    let text = std::str::from_utf8(record.text).map_err(|fault| not_utf8(record, fault.valid_up_to()))?;
    let cell = |span: &super::split::Span| text.get(span.range()).unwrap_or_default().trim().to_string();
    Ok(record.spans.iter().map(cell).collect())
}

fn not_utf8(record: Record<'_>, at: usize) -> Stop {
    let column = record.spans.iter().take_while(|span| span.range().start <= at).count();
    let byte = record.text.get(at).copied().unwrap_or_default();
    refuse(
        "not_utf8",
        format!(
            "line {}: column {column} of the header has the byte {byte:02x}, which is no UTF-8; set the encoding that the export has, such as windows-1252",
            record.line
        ),
    )
}

fn too_many(cells: String) -> Stop {
    refuse("too_many_columns", format!("the header has {cells} columns; at most {COLUMN_LIMIT} are read"))
}

fn broken(why: Broken, line: u64) -> Stop {
    match why {
        Broken::TooLong(cells) if cells > COLUMN_LIMIT => too_many(format!("more than {cells}")),
        Broken::TooLong(_) => refuse(
            "line_too_long",
            format!(
                "line {line}: the header is longer than {RECORD_LIMIT} bytes; is this a CSV file with line ends?"
            ),
        ),
        Broken::Quote => refuse(
            "quote_misplaced",
            format!(
                "line {line}: the header has text after a closing quote; double the quotes that are part of a text"
            ),
        ),
    }
}

/// Headers in words, not all of them where there are many.
fn listed(headers: &[String]) -> String {
    const MOST: usize = 40;
    let mut list: Vec<String> = headers.iter().take(MOST).map(|header| quoted(header)).collect();
    if headers.len() > MOST {
        list.push(format!("and {} more", headers.len() - MOST));
    }
    list.join(", ")
}

/// A text from the file between backquotes, on one line and not endless.
pub fn quoted(text: &str) -> String {
    const MOST: usize = 80;
    let mut shown = String::from("`");
    for (count, letter) in text.chars().enumerate() {
        if count == MOST {
            shown.push('…');
            break;
        }
        if letter.is_control() {
            shown.extend(letter.escape_default());
        } else {
            shown.push(letter);
        }
    }
    shown.push('`');
    shown
}

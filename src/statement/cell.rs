//! CSV cells: quoting by RFC 4180, the formula guard of text columns, dates. No allocation but the growth of `out`.
//!
//! Lines end with `\n`. A cell is quoted only where it must be: when it has a comma, a quote, CR or LF.

use crate::domain::when::When;
use chrono::{Datelike, NaiveDate};
use std::io::Write;

/// A text cell, guarded: one that a spreadsheet would run as a formula is prefixed with `'` (interfaces.md 5).
#[inline]
pub fn text(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    match bytes.first() {
        None => {}
        Some(first) if starts_formula(*first) => guarded(out, bytes),
        Some(_) if needs_quotes(bytes) => quoted(out, b"", bytes),
        Some(_) => out.extend_from_slice(bytes),
    }
}

/// A cell of our own making that needs neither guard nor quotes: a word, a hash, digits.
#[inline]
pub fn plain(out: &mut Vec<u8>, word: &str) {
    debug_assert!(!needs_quotes(word.as_bytes()), "not a plain cell: {word}");
    out.extend_from_slice(word.as_bytes());
}

/// The separator between two cells.
#[inline]
pub fn comma(out: &mut Vec<u8>) {
    out.push(b',');
}

/// The end of a row.
#[inline]
pub fn end(out: &mut Vec<u8>) {
    out.push(b'\n');
}

/// A row of column names.
pub fn header<'c>(out: &mut Vec<u8>, columns: impl IntoIterator<Item = &'c str>) {
    for (index, column) in columns.into_iter().enumerate() {
        if index > 0 {
            comma(out);
        }
        plain(out, column);
    }
    end(out);
}

fn starts_formula(first: u8) -> bool {
    matches!(first, b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r')
}

fn needs_quotes(bytes: &[u8]) -> bool {
    // every character that needs quotes is at or below the comma, and hardly any text but a name has one there
    has_low_byte(bytes) && bytes.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n'))
}

/// Whether a byte is at or below the comma: eight at a time.
fn has_low_byte(bytes: &[u8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low = |word: u64| word.wrapping_sub(EACH * (b',' as u64 + 1)) & !word & (EACH << 7) != 0;
    // the ends overlap where a text is no longer than both
    match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>(), bytes.last_chunk::<8>()) {
        (Some(_), Some(_), Some(last)) => {
            low(u64::from_le_bytes(*last))
                || bytes.as_chunks::<8>().0.iter().any(|word| low(u64::from_le_bytes(*word)))
        }
        (Some(first), Some(last), None) => {
            let [first, last] = [*first, *last].map(|word| u64::from(u32::from_le_bytes(word)));
            low(first << 32 | last)
        }
        _ => bytes.iter().any(|byte| *byte <= b','),
    }
}

#[cold]
fn guarded(out: &mut Vec<u8>, bytes: &[u8]) {
    if needs_quotes(bytes) {
        quoted(out, b"'", bytes);
    } else {
        out.push(b'\'');
        out.extend_from_slice(bytes);
    }
}

#[cold]
fn quoted(out: &mut Vec<u8>, guard: &[u8], bytes: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(guard);
    for byte in bytes {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// A date: `2026-05-02`.
#[inline]
pub fn date(out: &mut Vec<u8>, day: NaiveDate) {
    let mut buffer = *b"0000-00-00";
    match u32::try_from(day.year()) {
        Ok(year) if year <= 9999 => {
            two(&mut buffer[0..2], year / 100);
            two(&mut buffer[2..4], year % 100);
            two(&mut buffer[5..7], day.month());
            two(&mut buffer[8..10], day.day());
            out.extend_from_slice(&buffer);
        }
        Ok(_) | Err(_) => write_display(out, &day),
    }
}

/// A date, or nothing.
pub fn optional_date(out: &mut Vec<u8>, day: Option<NaiveDate>) {
    if let Some(day) = day {
        date(out, day);
    }
}

/// A moment as a file wrote it: a plain date, or RFC 3339 with the offset it was written in.
///
/// RFC 3339 knows no seconds in an offset (zones before about 1920 have them): those are taken off the offset and the wall
/// clock alike, so that the instant shown is the instant meant.
#[inline]
pub fn when(out: &mut Vec<u8>, when: When, last: &mut LastDay) {
    match when {
        When::Day(day) => date(out, day),
        When::At { epoch, offset, .. } => instant(out, epoch, offset - offset % 60, last),
    }
}

/// The day of the moment written last: moments of one day mostly stand together, and a day's digits cost more than its time's.
#[derive(Debug, Default)]
pub struct LastDay {
    /// days since 1970-01-01
    day: Option<i64>,
    cell: Vec<u8>,
}

impl LastDay {
    fn cell(&mut self, wall: i64) -> &[u8] {
        let day = wall.div_euclid(86_400);
        if self.day != Some(day) {
            self.day = Some(day);
            self.cell.clear();
            let instant = chrono::DateTime::from_timestamp(wall, 0);
            date(&mut self.cell, instant.map_or(NaiveDate::MAX, |instant| instant.date_naive()));
        }
        &self.cell
    }
}

fn instant(out: &mut Vec<u8>, epoch: i64, offset: i32, last: &mut LastDay) {
    let wall = epoch.saturating_add(i64::from(offset));
    // 0..86400 fits u32
    let second = u32::try_from(wall.rem_euclid(86_400)).unwrap_or(0);
    let east = offset.unsigned_abs() / 60;
    out.extend_from_slice(last.cell(wall));
    let mut buffer = *b"T00:00:00+00:00";
    two(&mut buffer[1..3], second / 3600);
    two(&mut buffer[4..6], second / 60 % 60);
    two(&mut buffer[7..9], second % 60);
    buffer[9] = if offset < 0 { b'-' } else { b'+' };
    two(&mut buffer[10..12], east / 60);
    two(&mut buffer[13..15], east % 60);
    out.extend_from_slice(&buffer);
}

/// Two digits of a number below 100.
#[inline]
fn two(place: &mut [u8], value: u32) {
    place.copy_from_slice(&super::number::PAIRS[(value % 100) as usize]);
}

#[cold]
fn write_display(out: &mut Vec<u8>, value: &dyn std::fmt::Display) {
    // writing into memory cannot fail
    let _infallible = write!(out, "{value}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::when::ClockNote;
    use proptest::prelude::*;

    fn rendered(cell: &str) -> String {
        let mut out = Vec::new();
        text(&mut out, cell);
        String::from_utf8(out).unwrap()
    }

    fn moment(when_: When) -> String {
        let mut out = Vec::new();
        when(&mut out, when_, &mut LastDay::default());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn text_that_a_spreadsheet_would_run_is_guarded() {
        for (cell, shown) in [
            ("=1+1", "'=1+1"),
            ("+91 98", "'+91 98"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("=HYPERLINK(\"x\",\"y\")", "\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\""),
            ("a=b", "a=b"),
            ("'=1", "'=1"),
            ("", ""),
            (" =1", " =1"),
        ] {
            assert_eq!(rendered(cell), shown, "{cell:?}");
        }
    }

    #[test]
    fn quotes_only_where_they_must_be() {
        for (cell, shown) in [
            ("Asha & Sons", "Asha & Sons"),
            ("Asha, Sons", "\"Asha, Sons\""),
            ("the \"best\"", "\"the \"\"best\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("two\r\nlines", "\"two\r\nlines\""),
            ("#1 !$%'()*", "#1 !$%'()*"),
            ("दुकान", "दुकान"),
        ] {
            assert_eq!(rendered(cell), shown, "{cell:?}");
        }
    }

    #[test]
    fn moments_keep_the_offset_they_were_written_in() {
        let at = |epoch, offset| When::At { epoch, offset, clock: ClockNote::Plain };
        assert_eq!(moment(When::Day(NaiveDate::from_ymd_opt(2026, 6, 30).unwrap())), "2026-06-30");
        // 2026-06-30T15:30:00Z
        assert_eq!(moment(at(1_782_833_400, 28_800)), "2026-06-30T23:30:00+08:00");
        assert_eq!(moment(at(1_782_833_400, 19_800)), "2026-06-30T21:00:00+05:30");
        assert_eq!(moment(at(1_782_833_400, -12_600)), "2026-06-30T12:00:00-03:30");
        assert_eq!(moment(at(1_782_833_400, 0)), "2026-06-30T15:30:00+00:00");
        assert_eq!(moment(at(-1, 0)), "1969-12-31T23:59:59+00:00");
    }

    #[test]
    fn an_offset_with_seconds_shows_the_same_instant() {
        // local mean time of Kolkata, +05:53:28
        let shown = moment(When::At { epoch: -2_208_988_800, offset: 21_208, clock: ClockNote::Plain });
        assert_eq!(shown, "1900-01-01T05:53:00+05:53");
        assert_eq!(chrono::DateTime::parse_from_rfc3339(&shown).unwrap().timestamp(), -2_208_988_800);
    }

    #[test]
    fn no_moment_panics() {
        for epoch in [i64::MIN, i64::MAX, 0] {
            for offset in [i32::MIN, i32::MAX, 0] {
                moment(When::At { epoch, offset, clock: ClockNote::Plain });
            }
        }
        moment(When::Day(NaiveDate::MIN));
    }

    proptest! {
        #[test]
        fn any_text_reads_back(cells in prop::collection::vec("[ -~\\r\\n\\t€]{0,12}", 1..6)) {
            let mut out = Vec::new();
            plain(&mut out, "row");
            for cell in &cells {
                comma(&mut out);
                text(&mut out, cell);
            }
            end(&mut out);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(out.as_slice());
            let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(rows.len(), 1);
            for (read, cell) in rows[0].iter().skip(1).zip(&cells) {
                let dangerous = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
                prop_assert_eq!(read, if dangerous { format!("'{cell}") } else { cell.clone() });
            }
        }

        #[test]
        fn dates_are_iso(days in 0i32..3_000_000) {
            let day = NaiveDate::from_num_days_from_ce_opt(days).unwrap();
            let mut out = Vec::new();
            date(&mut out, day);
            prop_assert_eq!(String::from_utf8(out).unwrap(), day.format("%Y-%m-%d").to_string());
        }
    }
}

//! Numbers as bytes, for bundles and records: varints, decimals, moments.
//!
//! Whatever the bytes are, reading them ends in a value or a [`BundleFault`], never in a panic. Nothing is allocated.

use super::bundle::BundleFault;
use crate::domain::when::{ClockNote, When};
use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

/// Instants further than this many seconds from 1970 (about 250,000 years) are no dates.
const FARTHEST: i64 = 7_900_000_000_000;
/// One second, in the microseconds of `updated_at`.
const SECOND: i64 = 1_000_000;

/// What is wrong with bytes. One byte wide, so that a result travels in registers: these are read some ten times a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    Short,
    LongNumber,
    Length,
    Scale,
    Day,
    Instant,
    Offset,
    Moment,
    UpdatedAt,
    Clock,
    Year,
    DocType,
    Column,
    Text,
    ShortTexts,
    Utf8,
}

impl From<Flaw> for BundleFault {
    fn from(flaw: Flaw) -> Self {
        BundleFault(match flaw {
            Flaw::Short => "the bytes end too early",
            Flaw::LongNumber => "a number is longer than 64 bits",
            Flaw::Length => "a length is beyond this machine",
            Flaw::Scale => "a decimal has more than 28 places",
            Flaw::Day => "a date is out of range",
            Flaw::Instant => "an instant is out of range",
            Flaw::Offset => "an offset is not below a day",
            Flaw::Moment => "a moment is neither a date nor an instant",
            Flaw::UpdatedAt => "an updated_at is neither seconds nor microseconds",
            Flaw::Clock => "a clock note is unknown",
            Flaw::Year => "a year is out of range",
            Flaw::DocType => "a doc_type is unknown",
            Flaw::Column => "a column is unknown",
            Flaw::Text => "a text is unknown",
            Flaw::ShortTexts => "the texts end too early",
            Flaw::Utf8 => "a text is not UTF-8",
        })
    }
}

/// Writes seven bits a byte, least first.
#[inline]
pub(super) fn put_varint(out: &mut Vec<u8>, value: u64) {
    if value < 0x80 {
        out.push(value as u8);
    } else {
        put_longer_varint(out, value);
    }
}

/// A few bytes of a known number are stored; any number of them are copied by a call.
fn put_longer_varint(out: &mut Vec<u8>, value: u64) {
    let (first, second) = (value as u8 | 0x80, (value >> 7) as u8 | 0x80);
    match value {
        0..0x4000 => out.extend_from_slice(&[first, (value >> 7) as u8]),
        0x4000..0x20_0000 => out.extend_from_slice(&[first, second, (value >> 14) as u8]),
        0x20_0000..0x1000_0000 => {
            out.extend_from_slice(&[first, second, (value >> 14) as u8 | 0x80, (value >> 21) as u8]);
        }
        0x1000_0000.. => put_long_varint(out, value),
    }
}

fn put_long_varint(out: &mut Vec<u8>, mut value: u64) {
    let mut bytes = [0; 10];
    let mut len = 0;
    while value >= 0x80 {
        bytes[len] = value as u8 | 0x80;
        value >>= 7;
        len += 1;
    }
    bytes[len] = value as u8;
    out.extend_from_slice(&bytes[..=len]);
}

/// Small magnitudes of either sign become small numbers.
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Undoes [`zigzag`].
pub(super) fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

/// The bytes still to be read.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { left: bytes }
    }

    /// what has not been read
    pub(super) fn rest(&self) -> &'a [u8] {
        self.left
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, Flaw> {
        let (&first, left) = self.left.split_first().ok_or(Flaw::Short)?;
        self.left = left;
        Ok(first)
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], Flaw> {
        let (head, left) = self.left.split_at_checked(len).ok_or(Flaw::Short)?;
        self.left = left;
        Ok(head)
    }

    #[inline]
    pub(super) fn varint(&mut self) -> Result<u64, Flaw> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        self.long_varint(first)
    }

    fn long_varint(&mut self, first: u8) -> Result<u64, Flaw> {
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7;
        for (at, &byte) in self.left.iter().enumerate() {
            if shift == 63 && byte > 1 {
                return Err(Flaw::LongNumber);
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                self.left = &self.left[at + 1..];
                return Ok(value);
            }
            shift += 7;
        }
        Err(Flaw::Short)
    }

    /// a length or a count
    pub(super) fn size(&mut self) -> Result<usize, Flaw> {
        usize::try_from(self.varint()?).map_err(|_| Flaw::Length)
    }
}

/// How the low two bits of a decimal's first number say its scale.
const WHOLE: u64 = 0;
const HUNDREDTHS: u64 = 1;
const OTHER_SCALE: u64 = 2;
const WIDE: u64 = 3;

/// Writes a decimal with its scale: one byte up to 15, four up to 335,544.31.
pub(super) fn put_decimal(out: &mut Vec<u8>, value: Decimal) {
    let parts = value.unpack();
    let low = u64::from(parts.mid) << 32 | u64::from(parts.lo);
    if parts.hi != 0 || low >= 1 << 60 {
        put_varint(out, u64::from(parts.negative) << 2 | WIDE);
        out.push(parts.scale as u8);
        return [parts.lo, parts.mid, parts.hi]
            .into_iter()
            .for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    }
    // zigzag; zero has no sign
    let small = (low << 1).wrapping_sub(u64::from(parts.negative && low != 0));
    match parts.scale {
        0 => put_varint(out, small << 2 | WHOLE),
        2 => put_varint(out, small << 2 | HUNDREDTHS),
        scale => {
            put_varint(out, small << 2 | OTHER_SCALE);
            out.push(scale as u8);
        }
    }
}

/// Reads what [`put_decimal`] wrote.
#[inline]
pub(super) fn decimal(reader: &mut Reader<'_>) -> Result<Decimal, Flaw> {
    let first = reader.varint()?;
    let small = unzigzag(first >> 2);
    match first & 3 {
        WHOLE => Ok(small_decimal(small, 0)),
        HUNDREDTHS => Ok(small_decimal(small, 2)),
        OTHER_SCALE => Ok(small_decimal(small, scale(reader)?)),
        _ => {
            let scale = scale(reader)?;
            let bytes = reader.take(12)?;
            let word =
                |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
            Ok(Decimal::from_parts(word(0), word(4), word(8), first >> 2 & 1 == 1, scale))
        }
    }
}

fn scale(reader: &mut Reader<'_>) -> Result<u32, Flaw> {
    let scale = u32::from(reader.byte()?);
    if scale > Decimal::MAX_SCALE { Err(Flaw::Scale) } else { Ok(scale) }
}

fn small_decimal(value: i64, scale: u32) -> Decimal {
    let size = value.unsigned_abs();
    Decimal::from_parts(size as u32, (size >> 32) as u32, 0, value < 0, scale)
}

/// The numbers that the moments of a bundle are written against: the last ones written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moments {
    day: i64,
    epoch: i64,
    offset: i32,
    updated_at: i64,
}

/// How the low two bits of a moment's first number say what it is.
const DAY: u64 = 0;
const INSTANT: u64 = 1;
const INSTANT_AND_OFFSET: u64 = 2;

impl Moments {
    pub(super) fn put_when(&mut self, out: &mut Vec<u8>, when: When) {
        match when {
            When::Day(day) => {
                let day = i64::from(day.num_days_from_ce());
                put_varint(out, zigzag(day - self.day) << 2 | DAY);
                self.day = day;
            }
            When::At { epoch, offset, clock } => {
                let delta = zigzag(epoch.wrapping_sub(self.epoch)) << 2;
                self.epoch = epoch;
                if offset == self.offset && clock == ClockNote::Plain {
                    return put_varint(out, delta | INSTANT);
                }
                put_varint(out, delta | INSTANT_AND_OFFSET);
                put_varint(out, zigzag(i64::from(offset)));
                out.push(clock_byte(clock));
                self.offset = offset;
            }
        }
    }

    #[inline]
    pub(super) fn when(&mut self, reader: &mut Reader<'_>) -> Result<When, Flaw> {
        let first = reader.varint()?;
        let delta = unzigzag(first >> 2);
        match first & 3 {
            DAY => {
                self.day = self.day.wrapping_add(delta);
                let day = i32::try_from(self.day).ok().and_then(NaiveDate::from_num_days_from_ce_opt);
                day.map(When::Day).ok_or(Flaw::Day)
            }
            INSTANT => self.instant(delta, ClockNote::Plain),
            INSTANT_AND_OFFSET => {
                let offset = i32::try_from(unzigzag(reader.varint()?)).ok();
                let offset = offset.filter(|offset| offset.unsigned_abs() < 86_400);
                self.offset = offset.ok_or(Flaw::Offset)?;
                let clock = clock(reader.byte()?)?;
                self.instant(delta, clock)
            }
            _ => Err(Flaw::Moment),
        }
    }

    fn instant(&mut self, delta: i64, clock: ClockNote) -> Result<When, Flaw> {
        self.epoch = self.epoch.wrapping_add(delta);
        if self.epoch.unsigned_abs() > FARTHEST.unsigned_abs() {
            return Err(Flaw::Instant);
        }
        Ok(When::At { epoch: self.epoch, offset: self.offset, clock })
    }

    /// Writes an `updated_at`: whole seconds since the last one, or microseconds, or none.
    pub(super) fn put_updated_at(&mut self, out: &mut Vec<u8>, value: Option<i64>) {
        let Some(value) = value else { return put_varint(out, 0) };
        let delta = value.wrapping_sub(self.updated_at);
        self.updated_at = value;
        if delta % SECOND == 0 {
            return put_varint(out, zigzag(delta / SECOND) << 2 | 1);
        }
        put_varint(out, 2);
        put_varint(out, zigzag(delta));
    }

    pub(super) fn updated_at(&mut self, reader: &mut Reader<'_>) -> Result<Option<i64>, Flaw> {
        let first = reader.varint()?;
        let delta = match first & 3 {
            0 => return Ok(None),
            1 => unzigzag(first >> 2).wrapping_mul(SECOND),
            2 => unzigzag(reader.varint()?),
            _ => return Err(Flaw::UpdatedAt),
        };
        self.updated_at = self.updated_at.wrapping_add(delta);
        Ok(Some(self.updated_at))
    }
}

fn clock_byte(clock: ClockNote) -> u8 {
    match clock {
        ClockNote::Plain => 0,
        ClockNote::Repeated => 1,
        ClockNote::Skipped => 2,
    }
}

fn clock(byte: u8) -> Result<ClockNote, Flaw> {
    match byte {
        0 => Ok(ClockNote::Plain),
        1 => Ok(ClockNote::Repeated),
        2 => Ok(ClockNote::Skipped),
        _ => Err(Flaw::Clock),
    }
}

/// Writes a year that may be absent.
pub(super) fn put_year(out: &mut Vec<u8>, year: Option<i32>) {
    put_varint(out, year.map_or(0, |year| zigzag(i64::from(year)) + 1));
}

/// Reads what [`put_year`] wrote.
pub(super) fn year(reader: &mut Reader<'_>) -> Result<Option<i32>, Flaw> {
    let Some(coded) = reader.varint()?.checked_sub(1) else { return Ok(None) };
    i32::try_from(unzigzag(coded)).map(Some).map_err(|_| Flaw::Year)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn varints_come_back(value: u64) {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.varint(), Ok(value));
            prop_assert!(reader.rest().is_empty());
        }

        #[test]
        fn decimals_come_back_with_their_scale(lo: u32, mid: u32, hi: u32, wide: bool, negative: bool, scale in 0u32..=28) {
            let (mid, hi) = if wide { (mid, hi) } else { (mid % 16, 0) };
            let value = Decimal::from_parts(lo, mid, hi, negative, scale);
            let mut out = Vec::new();
            put_decimal(&mut out, value);
            let read = decimal(&mut Reader::new(&out)).unwrap();
            prop_assert_eq!((read, read.scale()), (value, scale));
        }

        #[test]
        fn updated_at_comes_back_whatever_came_before(values: Vec<Option<i64>>) {
            let (mut out, mut writer, mut moments) = (Vec::new(), Moments::default(), Moments::default());
            for value in &values {
                writer.put_updated_at(&mut out, *value);
            }
            let mut reader = Reader::new(&out);
            for value in &values {
                prop_assert_eq!(moments.updated_at(&mut reader), Ok(*value));
            }
        }
    }

    #[test]
    fn common_numbers_are_short() {
        let len = |value: Decimal| {
            let mut out = Vec::new();
            put_decimal(&mut out, value);
            out.len()
        };
        assert_eq!(len(Decimal::from(12)), 1);
        assert_eq!(len(Decimal::new(-33_554_431, 2)), 4);
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_a_fault() {
        assert!(Reader::new(&[0xff; 10]).varint().is_err());
        assert!(Reader::new(&[0x80]).varint().is_err());
    }
}

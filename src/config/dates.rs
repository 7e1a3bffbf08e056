//! Date formats of `[feed.csv] dates`, in chrono's letters: each directive known, and together at least a date. Pure.

use super::values::{Wrong, text_as_toml};
use chrono::format::{Fixed, Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, FixedOffset};
use std::fmt::Write;

/// Moments on which a format is tried: it must read back what it writes.
const SAMPLES: [&str; 2] = ["2031-12-29T13:47:58.123456+05:30", "2024-02-29T00:05:07+00:00"];

/// Whether cells can be read by this format.
pub(super) fn check(format: &str) -> Result<(), Wrong> {
    let help = "write chrono's letters, such as \"%d/%m/%Y\" or \"%d/%m/%Y %H:%M\"";
    let wrong = |message: String, label: &str| Wrong::new(message, label, help);
    let items: Vec<Item<'_>> = StrftimeItems::new(format).collect();
    if items.contains(&Item::Error) {
        return Err(wrong(format!("has an unknown directive: {}", text_as_toml(format)), unknown(format)));
    }
    if items.contains(&Item::Fixed(Fixed::TimezoneName)) {
        let label = "a zone's short name cannot be read: IST is three zones";
        return Err(wrong(format!("has %Z: {}", text_as_toml(format)), label));
    }
    for sample in SAMPLES {
        match round_trip(sample, &items) {
            Trip::Whole => {}
            Trip::NoDate => {
                let message = format!("gives no whole date: {}", text_as_toml(format));
                return Err(wrong(message, "day, month and year are needed"));
            }
            Trip::NoTime => {
                let message = format!("gives part of a time only: {}", text_as_toml(format));
                return Err(wrong(message, "hour and minute are needed, and %p with %I"));
            }
        }
    }
    Ok(())
}

enum Trip {
    Whole,
    NoDate,
    NoTime,
}

fn round_trip(sample: &str, items: &[Item<'_>]) -> Trip {
    let Ok(moment) = sample.parse::<DateTime<FixedOffset>>() else {
        return Trip::NoDate;
    };
    let mut written = String::new();
    let mut read = Parsed::new();
    let shown = write!(written, "{}", moment.format_with_items(items.iter()));
    if shown.is_err() || parse(&mut read, &written, items.iter()).is_err() {
        return Trip::NoDate;
    }
    if read.to_naive_date() != Ok(moment.date_naive()) {
        return Trip::NoDate;
    }
    let timed = read.hour_div_12().is_some()
        || read.hour_mod_12().is_some()
        || read.minute().is_some()
        || read.second().is_some();
    if timed && read.to_naive_time().is_err() { Trip::NoTime } else { Trip::Whole }
}

/// Names the first directive that chrono does not know.
fn unknown(format: &str) -> &'static str {
    if format.ends_with('%') && !format.ends_with("%%") {
        "a % stands alone at the end"
    } else {
        "not one of chrono's letters"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_dates_and_timestamps_are_taken() {
        for format in [
            "%d/%m/%Y",
            "%d/%m/%Y %H:%M",
            "%Y%m%d",
            "%d-%b-%y",
            "%F %T",
            "%d %B %Y",
            "%Y-%m-%dT%H:%M:%S%z",
            "%Y-%j",
            "%m/%d/%Y %I:%M %p",
            "%d.%m.%Y %H:%M:%S%.f",
            "%e %b %Y",
            "%D",
            "%+",
            "%G-W%V-%u",
            "%d/%m/%Y 100%%",
        ] {
            assert_eq!(check(format), Ok(()), "{format}");
        }
    }

    #[test]
    fn what_gives_no_date_is_refused() {
        for format in [
            "",
            "%d/%m",
            "%m/%Y",
            "%H:%M",
            "%Q",
            "%d/%m/%Y %",
            "dd/mm/yyyy",
            "%d/%m/%Y %Z",
            "%d/%m/%Y %I:%M",
            "%d/%m/%Y %H",
            "%s",
            "%A",
            "%d/%m/%Y %M",
        ] {
            assert!(check(format).is_err(), "{format}");
        }
    }
}

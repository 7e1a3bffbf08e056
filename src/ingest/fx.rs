//! `fx` files -> exchange rates (interfaces.md 3).
//!
//! Answers for: their canonical columns, and what cannot be a rate. Does not: know which rate holds on a day.

use super::cells::{Cells, Checked, bad, holds};
use super::dates::Dates;
use super::header::{Column, Header, Need};
use super::sales::not_a_date;
use super::{FxRow, Layout, Stop};
use crate::domain::decimal::DecimalMark;
use crate::domain::word::same_word;
use crate::facts::fx::RateRecord;
use rust_decimal::Decimal;

/// Where each canonical column is.
pub struct Fx {
    date: Column,
    from: Column,
    to: Column,
    rate: Column,
    mark: DecimalMark,
}

impl Fx {
    /// Finds the columns in a header.
    pub fn new(header: &mut Header<'_>, layout: &Layout) -> Result<Fx, Stop> {
        let fx = Fx {
            date: header.column("date", Need::Required),
            from: header.column("from", Need::Required),
            to: header.column("to", Need::Required),
            rate: header.column("rate", Need::Required),
            mark: layout.decimal_mark,
        };
        header.check().map(|()| fx)
    }

    /// One rate, typed and checked; of a timestamp the date as written.
    pub fn row(&self, cells: &Cells<'_>, dates: &mut Dates) -> Checked<FxRow> {
        let written = cells.required(&self.date)?;
        let Some(day) = dates.day(written) else { return Err(not_a_date(&self.date, written, dates)) };
        let from = cells.required_code(&self.from)?;
        let to = cells.required_code(&self.to)?;
        let written = cells.required(&self.rate)?;
        let rate = cells.number(&self.rate, self.mark)?.unwrap_or_default();
        if rate <= Decimal::ZERO {
            let why = format!("{}: a rate is above zero", holds(&self.rate, written));
            return bad("rate_not_positive", why);
        }
        if same_word(from, to) && rate != Decimal::ONE {
            let why = format!(
                "{}, from {from} to {to}: a currency is worth 1 of itself",
                holds(&self.rate, written)
            );
            return bad("same_currency", why);
        }
        let record = RateRecord { day, from: from.to_owned(), to: to.to_owned(), rate };
        Ok(FxRow { file_line: cells.line(), record })
    }
}

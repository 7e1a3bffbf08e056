//! `partners` and `items` files -> master records (interfaces.md 3).
//!
//! Answers for: their canonical columns and defaults. Does not: know which record applies on a day.

use super::cells::{Cells, Checked, bad, holds};
use super::dates::Dates;
use super::header::{Column, Header, Need};
use super::sales::not_a_date;
use super::{MasterRow, PartnerRow, Stop};
use crate::facts::alias::{LocalCode, Says};
use crate::facts::master::{ItemRecord, PartnerRecord};
use chrono::NaiveDate;

/// Where each canonical column of `partners` is.
pub struct Partners {
    partner_code: Column,
    name: Column,
    class: Column,
    channel: Column,
    email: Column,
    phone: Column,
    joined_on: Column,
    active: Column,
    tracked: Column,
    referred_by: Column,
    effective_from: Column,
    distributor_code: Column,
    local_code: Column,
    says: Says,
}

impl Partners {
    /// Finds the columns in a header.
    pub fn new(header: &mut Header<'_>) -> Result<Partners, Stop> {
        let (must, may) = (Need::Required, Need::Optional);
        let mut partners = Partners {
            partner_code: header.column("partner_code", must),
            name: header.column("name", may),
            class: header.column("class", may),
            channel: header.column("channel", may),
            email: header.column("email", may),
            phone: header.column("phone", may),
            joined_on: header.column("joined_on", may),
            active: header.column("active", may),
            tracked: header.column("tracked", may),
            referred_by: header.column("referred_by", may),
            effective_from: header.column("effective_from", may),
            distributor_code: header.column("distributor_code", may),
            local_code: header.column("local_code", may),
            says: Says::Partner,
        };
        partners.says = partners.says();
        header.check().map(|()| partners)
    }

    /// One record, typed and checked.
    pub fn row(&self, cells: &Cells<'_>, dates: &mut Dates) -> Checked<PartnerRow> {
        let code = cells.required_code(&self.partner_code)?.to_string();
        let effective_from = day(cells, &self.effective_from, dates)?;
        let record = PartnerRecord {
            effective_from: effective_from.unwrap_or(NaiveDate::MIN),
            seq: 0,
            name: cells.text(&self.name)?.to_string(),
            class: cells.text(&self.class)?.to_string(),
            channel: cells.text(&self.channel)?.to_string(),
            email: cells.text(&self.email)?.to_string(),
            phone: cells.text(&self.phone)?.to_string(),
            joined_on: day(cells, &self.joined_on, dates)?,
            active: cells.yes_or_no(&self.active, true)?,
            tracked: cells.yes_or_no(&self.tracked, true)?,
            referred_by: cells.code(&self.referred_by)?.to_string(),
        };
        let local_code = self.local_code(cells)?;
        let dated = effective_from.is_some();
        let says = if local_code.is_some() { self.says } else { Says::Partner };
        Ok(PartnerRow { code, file_line: cells.line(), dated, record, local_code, says })
    }

    /// What a distributor calls the partner; blank: nothing is said of that.
    fn local_code(&self, cells: &Cells<'_>) -> Checked<Option<LocalCode>> {
        let code = cells.code(&self.local_code)?;
        if code.is_empty() {
            return Ok(None);
        }
        let distributor = cells.code(&self.distributor_code)?;
        if distributor.is_empty() {
            let why = format!(
                "{}, and the row says no distributor_code: whose word is it?",
                holds(&self.local_code, code)
            );
            return bad("distributor_code_missing", why);
        }
        Ok(Some(LocalCode { distributor: distributor.to_owned(), code: code.to_owned() }))
    }

    /// Whether a file has any column of the partner's own.
    fn says(&self) -> Says {
        let own = [
            &self.name,
            &self.class,
            &self.channel,
            &self.email,
            &self.phone,
            &self.joined_on,
            &self.active,
            &self.tracked,
            &self.referred_by,
        ];
        let there = |column: &&Column| column.at.is_some() || !column.default.is_empty();
        if own.iter().any(there) { Says::Partner } else { Says::LocalCode }
    }
}

/// Where each canonical column of `items` is.
pub struct Items {
    sku: Column,
    name: Column,
    category: Column,
    earns_points: Column,
    launched_on: Column,
    effective_from: Column,
}

impl Items {
    /// Finds the columns in a header.
    pub fn new(header: &mut Header<'_>) -> Result<Items, Stop> {
        let items = Items {
            sku: header.column("sku", Need::Required),
            name: header.column("name", Need::Optional),
            category: header.column("category", Need::Optional),
            earns_points: header.column("earns_points", Need::Optional),
            launched_on: header.column("launched_on", Need::Optional),
            effective_from: header.column("effective_from", Need::Optional),
        };
        header.check().map(|()| items)
    }

    /// One record, typed and checked.
    pub fn row(&self, cells: &Cells<'_>, dates: &mut Dates) -> Checked<MasterRow<ItemRecord>> {
        let code = cells.required_code(&self.sku)?.to_string();
        let effective_from = day(cells, &self.effective_from, dates)?;
        let record = ItemRecord {
            effective_from: effective_from.unwrap_or(NaiveDate::MIN),
            seq: 0,
            name: cells.text(&self.name)?.to_string(),
            category: cells.text(&self.category)?.to_string(),
            earns_points: cells.yes_or_no(&self.earns_points, true)?,
            launched_on: day(cells, &self.launched_on, dates)?,
        };
        Ok(MasterRow { code, file_line: cells.line(), dated: effective_from.is_some(), record })
    }
}

/// A date, or blank; of a timestamp the date as written.
fn day(cells: &Cells<'_>, column: &Column, dates: &mut Dates) -> Checked<Option<NaiveDate>> {
    match cells.value(column) {
        "" => Ok(None),
        value => match dates.day(value) {
            Some(day) => Ok(Some(day)),
            None => Err(not_a_date(column, value, dates)),
        },
    }
}

//! Which lines count, and why the others do not: evaluation.md 2.
//!
//! A line that waits says so only where nothing else keeps it out: it counts as soon as the cause is gone. A date after the
//! run's day comes before every rule but cancellation (evaluation.md 1.4), and is judged on a credit note's own date as well as on
//! its sale's. An item's `launched_on` is not a rule: evaluation.md has none about it.

use super::dates::{LineDate, Place};
use super::paid::Paid;
use super::{Converted, Counts, HeldLine, Subject, WhyNot, World};
use crate::domain::frac::Frac;
use crate::domain::word::{folded, same_word};
use crate::facts::master::{ItemRecord, PartnerRecord, on};
use crate::facts::row::{DocType, Row};
use crate::facts::settle::{Line, Reference};
use crate::scheme::{Earn, Glob, Scheme, Unlisted};
use std::collections::HashMap;

/// A line as the scheme sees it.
#[derive(Debug)]
pub(super) struct View<'v> {
    /// whether it counts
    pub counts: Counts,
    /// its own, else its partner's
    pub channel: &'v str,
    /// its own, else its item's, else that of the lines it returns where they all have the same
    pub category: &'v str,
    /// amount in the scheme's currency; zero where no rate is known
    pub scheme_amount: Frac,
    /// how it became that
    pub converted: Converted,
}

/// How every line fares, in the order of `subject.lines`.
pub(super) fn of_lines<'v>(
    world: &World<'v>,
    subject: &Subject<'v>,
    dates: &[LineDate<'_>],
    paid: &Paid<'v>,
) -> Vec<View<'v>> {
    let judge = Judge { world, subject, dates, paid };
    let mut views: Vec<View<'v>> = (0..subject.lines.len()).map(|index| judge.own(index)).collect();
    for (index, line) in subject.lines.iter().enumerate() {
        if let Reference::Found(returned) = &line.reference {
            judge.by_returned(index, returned, &mut views);
        }
    }
    views
}

/// What the masters say of a line on its day.
struct Listing<'v> {
    partner: Option<&'v PartnerRecord>,
    item: Option<&'v ItemRecord>,
    partner_unlisted: bool,
    sku_unlisted: bool,
}

struct Judge<'j, 'v> {
    world: &'j World<'v>,
    subject: &'j Subject<'v>,
    dates: &'j [LineDate<'j>],
    paid: &'j Paid<'v>,
}

impl<'v> Judge<'_, 'v> {
    /// A line on its own: whole for invoices and notes without an invoice; for a note that has found its invoice all but what
    /// [`Judge::by_returned`] adds.
    fn own(&self, index: usize) -> View<'v> {
        let line = &self.subject.lines[index];
        let row = &line.row;
        let date = &self.dates[index];
        let Place::In(_, version) = date.place else {
            let counts = self.outside(line, date);
            let (channel, category) = (row.channel, row.category);
            let (scheme_amount, converted) = (Frac::from(row.amount), Converted::AsItIs);
            return View { counts, channel, category, scheme_amount, converted };
        };
        let scheme = self.world.family.scheme(version);
        let listing = self.listing(row, date);
        let channel = own_else(row.channel, listing.partner.map(|record| record.channel.as_str()));
        let category = own_else(row.category, listing.item.map(|record| record.category.as_str()));
        let (scheme_amount, converted) = self.convert(scheme, row, date);
        let mut view = View { counts: Counts::Yes, channel, category, scheme_amount, converted };
        view.counts = self.gate(line, date, scheme).unwrap_or_else(|| {
            let found = matches!(line.reference, Reference::Found(_));
            if found { with_rate(&view) } else { self.by_rules(index, scheme, &listing, &view) }
        });
        view
    }

    /// What the rules from `currency` on make of a line.
    fn by_rules(&self, index: usize, scheme: &Scheme, listing: &Listing<'_>, view: &View<'_>) -> Counts {
        let line = &self.subject.lines[index];
        if let Some(why) = refused(scheme, &line.row, listing, view) {
            return Counts::No(why);
        }
        if self.paid.missing(scheme, index, line).is_some() {
            return Counts::No(WhyNot::Unpaid);
        }
        let waits =
            |why: HeldLine, policy: Unlisted| policy == Unlisted::Hold && self.world.waived != Some(why);
        if listing.partner_unlisted && waits(HeldLine::PartnerUnlistedHeld, scheme.earn.unlisted_partners) {
            return Counts::Held(HeldLine::PartnerUnlistedHeld);
        }
        if listing.sku_unlisted && waits(HeldLine::SkuUnlistedHeld, scheme.earn.unlisted_skus) {
            return Counts::Held(HeldLine::SkuUnlistedHeld);
        }
        with_rate(view)
    }

    /// Step 1: the amount times the rate of the line's day for its pair, exactly.
    fn convert(&self, scheme: &Scheme, row: &Row<'_>, date: &LineDate<'_>) -> (Frac, Converted) {
        let amount = Frac::from(row.amount);
        if row.currency.is_empty() || same_word(row.currency, &scheme.currency) {
            return (amount, Converted::AsItIs);
        }
        match self.world.rates.on(row.currency, &scheme.currency, date.rule) {
            Some(rate) => (&amount * &Frac::from(rate), Converted::At(rate)),
            None => (Frac::ZERO, Converted::NoRate),
        }
    }

    fn outside(&self, line: &Line<'_>, date: &LineDate<'_>) -> Counts {
        if cancelled(line) {
            Counts::No(WhyNot::Cancelled)
        } else if self.in_future(date) {
            Counts::Held(HeldLine::FutureDate)
        } else if date.place == Place::Before {
            Counts::No(WhyNot::BeforeScheme)
        } else {
            Counts::No(WhyNot::AfterScheme)
        }
    }

    fn in_future(&self, date: &LineDate<'_>) -> bool {
        let waived = self.world.waived == Some(HeldLine::FutureDate);
        !waived && (date.business > self.world.today || date.rule > self.world.today)
    }

    /// What is asked of every line, also of a note that has found its invoice; `None`: it passes.
    fn gate(&self, line: &Line<'_>, date: &LineDate<'_>, scheme: &Scheme) -> Option<Counts> {
        if cancelled(line) {
            return Some(Counts::No(WhyNot::Cancelled));
        }
        if self.in_future(date) {
            return Some(Counts::Held(HeldLine::FutureDate));
        }
        let statuses = match line.row.doc_type {
            DocType::Invoice => &scheme.earn.statuses,
            DocType::CreditNote | DocType::Cancellation => &scheme.earn.return_statuses,
        };
        (!any_or(statuses, line.row.status)).then_some(Counts::No(WhyNot::Status))
    }

    fn listing(&self, row: &Row<'_>, date: &LineDate<'_>) -> Listing<'v> {
        let masters: &'v HashMap<String, Vec<PartnerRecord>> = self.subject.masters;
        let partner = match masters.is_empty() {
            true => None,
            false => masters.get(date.partner).and_then(|records| on(records, date.rule)),
        };
        let items = if row.sku.is_empty() { None } else { self.world.items };
        let item = items
            .and_then(|items| items.get(folded(row.sku).as_ref()))
            .and_then(|records| on(records, date.rule));
        Listing {
            partner,
            item,
            partner_unlisted: self.world.has_partner_master && partner.is_none(),
            sku_unlisted: items.is_some() && item.is_none(),
        }
    }

    fn unpaid(&self, index: usize) -> bool {
        let line = &self.subject.lines[index];
        match self.dates[index].place {
            Place::In(_, version) => {
                self.paid.missing(self.world.family.scheme(version), index, line).is_some()
            }
            Place::Before | Place::After => false,
        }
    }

    /// A credit note that has found its invoice passes where a line it returns counts, is held where those are held, else has
    /// the reason of the first of them.
    fn by_returned(&self, index: usize, returned: &[usize], views: &mut [View<'v>]) {
        let category = views[index].category;
        if category.is_empty() {
            views[index].category = common_category(returned, views);
        }
        let passes_itself = match views[index].counts {
            Counts::Yes | Counts::Held(HeldLine::NoFxRate) => true,
            Counts::No(_) | Counts::Held(_) => false,
        };
        if !passes_itself {
            return;
        }
        if let Some(theirs) = verdict_of(returned, views) {
            views[index].counts = theirs;
        }
        match views[index].counts {
            Counts::Yes | Counts::Held(_) if self.unpaid(index) => {
                views[index].counts = Counts::No(WhyNot::Unpaid);
            }
            Counts::Yes | Counts::Held(_) | Counts::No(_) => {}
        }
    }
}

/// What the returned lines make of the note; `None`: it passes.
fn verdict_of(returned: &[usize], views: &[View<'_>]) -> Option<Counts> {
    let of_returned = || returned.iter().filter_map(|index| views.get(*index)).map(|view| view.counts);
    if of_returned().any(|counts| counts == Counts::Yes) {
        return None;
    }
    of_returned().find(|counts| matches!(counts, Counts::Held(_))).or_else(|| of_returned().next())
}

/// Where the files gave none, masters may have given all returned lines the same.
fn common_category<'v>(returned: &[usize], views: &[View<'v>]) -> &'v str {
    let mut categories = returned.iter().filter_map(|index| views.get(*index)).map(|view| view.category);
    let first = categories.next().unwrap_or("");
    if categories.all(|other| same_word(first, other)) { first } else { "" }
}

fn cancelled(line: &Line<'_>) -> bool {
    line.cancelled || line.reference == Reference::Cancelled || line.row.doc_type == DocType::Cancellation
}

fn with_rate(view: &View<'_>) -> Counts {
    match view.converted {
        Converted::AsItIs | Converted::At(_) => Counts::Yes,
        Converted::NoRate => Counts::Held(HeldLine::NoFxRate),
    }
}

/// The first rule from `currency` to `sku_unlisted` that keeps a line out.
fn refused(scheme: &Scheme, row: &Row<'_>, listing: &Listing<'_>, view: &View<'_>) -> Option<WhyNot> {
    let earn = &scheme.earn;
    let currency = own_else(row.currency, Some(scheme.currency.as_str()));
    if !any_or(&earn.currencies, currency) {
        return Some(WhyNot::Currency);
    }
    if !any_or(&earn.channels, view.channel) {
        return Some(WhyNot::Channel);
    }
    if let Some(why) = partner_refused(earn, listing) {
        return Some(why);
    }
    if !any_or(&earn.payment_methods, row.payment_method) {
        return Some(WhyNot::PaymentMethod);
    }
    let unearning = listing.item.is_some_and(|record| !record.earns_points);
    if unearning || left_out(&earn.only_skus, &earn.exclude_skus, row.sku) {
        return Some(WhyNot::SkuExcluded);
    }
    if left_out(&earn.only_categories, &earn.exclude_categories, view.category) {
        return Some(WhyNot::CategoryExcluded);
    }
    (listing.sku_unlisted && earn.unlisted_skus == Unlisted::Exclude).then_some(WhyNot::SkuUnlisted)
}

fn partner_refused(earn: &Earn, listing: &Listing<'_>) -> Option<WhyNot> {
    if listing.partner_unlisted {
        match earn.unlisted_partners {
            Unlisted::Exclude => return Some(WhyNot::PartnerUnlisted),
            Unlisted::Hold => return None, // its class is not known yet
            Unlisted::Earn => (),
        }
    }
    let class = listing.partner.map_or("", |record| record.class.as_str());
    if !any_or(&earn.partner_classes, class) {
        return Some(WhyNot::PartnerClass);
    }
    let record = listing.partner?;
    if !record.active {
        return Some(WhyNot::PartnerInactive);
    }
    (!record.tracked).then_some(WhyNot::PartnerUntracked)
}

fn own_else<'v>(own: &'v str, other: Option<&'v str>) -> &'v str {
    if own.is_empty() { other.unwrap_or("") } else { own }
}

/// Whether a list names a word; an empty list names any.
fn any_or(list: &[String], word: &str) -> bool {
    list.is_empty() || list.iter().any(|one| same_word(one, word))
}

fn left_out(only: &[Glob], exclude: &[Glob], text: &str) -> bool {
    let any = |globs: &[Glob]| globs.iter().any(|glob| glob.matches(text));
    (!only.is_empty() && !any(only)) || any(exclude)
}

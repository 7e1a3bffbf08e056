//! `[slabs]` and `[[slab]]`: bands of the measure without gap or overlap.

use super::super::number;
use super::super::reader::{At, Bound, Section, Sink};
use super::super::{Rate, Slab, SlabMode};
use rust_decimal::Decimal;
use std::ops::Range;

/// A `[[slab]]` as read; what could not be read is `None`, and a fault stands for it.
pub(super) struct Band {
    place: Range<usize>,
    from: Option<At<Decimal>>,
    to: Option<At<Decimal>>,
    rate: Option<At<Rate>>,
    fixed: Decimal,
    cap: Option<At<Decimal>>,
    pub(super) tier: Option<At<String>>,
    /// whether `tier` is there but is no text
    pub(super) tier_unread: bool,
}

/// Every slab as read.
pub(super) struct Bands {
    pub(super) mode: Option<SlabMode>,
    pub(super) list: Vec<Band>,
    /// whether every `[[slab]]` of the file is in the list
    pub(super) complete: bool,
}

pub(super) fn slabs(root: &mut Section<'_>, out: &mut Sink<'_>) -> Bands {
    let mut section = root.section("slabs", out);
    out.required_section(&section, "mode");
    let mode = section.word("mode", &[("whole", SlabMode::Whole), ("marginal", SlabMode::Marginal)], out);
    out.required(
        &section,
        "mode",
        "write mode = \"whole\" (the rate of the slab reached applies to all) or mode = \"marginal\" (each band at its own rate)",
    );
    section.finish(out);
    let list: Vec<Band> = root.sections("slab", out).into_iter().map(|section| band(section, out)).collect();
    if list.is_empty() && !root.has("slab") {
        let help = "write at least one [[slab]] with `from` and `rate`";
        out.missing("the file has no [[slab]]: nothing could ever be earned", help);
    }
    in_order(&list, out);
    let complete = root.read_whole("slab", list.len());
    Bands { mode: mode.map(|mode| mode.value), list, complete }
}

fn band(mut section: Section<'_>, out: &mut Sink<'_>) -> Band {
    let from = section.amount("from", Bound::NotBelowNothing, out);
    out.required(&section, "from", "write where the slab starts: from = \"5 lakh\"");
    let to = section.amount("to", Bound::NotBelowNothing, out);
    let rate = section.parsed("rate", "a rate", number::RATE_FORMS, number::rate, out);
    let fixed = section.amount("points", Bound::NotBelowNothing, out);
    let tier = section.text("tier", out);
    let cap = section.amount("cap", Bound::NotBelowNothing, out);
    let band = Band {
        place: section.place.clone().unwrap_or_default(),
        from,
        to,
        rate,
        fixed: fixed.map_or(Decimal::ZERO, |fixed| fixed.value),
        cap,
        tier_unread: tier.is_none() && section.has("tier"),
        tier: tier.filter(|tier| !tier.value.is_empty()),
    };
    section.finish(out);
    band
}

/// Each slab starts where the one before ends, and the last has no end.
fn in_order(bands: &[Band], out: &mut Sink<'_>) {
    for pair in bands.windows(2) {
        if let [one, next] = pair {
            neighbours(one, next, out);
        }
    }
    let Some(last) = bands.last() else { return };
    if let Some(to) = last.to.as_ref().filter(|_| forwards(last)) {
        let message =
            format!("the last slab ends at {}: a measure of that or more would be in no slab", to.value);
        let help = format!("remove `to`, or add a [[slab]] with from = {}", shown(to.value));
        out.later(&to.span, message, "the last slab has no `to`", help);
    }
    for band in bands.iter().filter(|band| !forwards(band)) {
        if let (Some(from), Some(to)) = (&band.from, &band.to) {
            let message = format!("the slab ends at {}, not above its start at {}", to.value, from.value);
            out.between(
                &to.span,
                message,
                "ends here",
                (&from.span, "starts here"),
                "`to` must be above `from`",
            );
        }
    }
}

fn neighbours(one: &Band, next: &Band, out: &mut Sink<'_>) {
    let Some(from) = &next.from else { return };
    if let Some(before) = one.from.as_ref().filter(|before| before.value >= from.value) {
        let (what, help) = if before.value == from.value {
            ("a second slab starts at", "keep one of the two")
        } else {
            ("the slabs are out of order: one starts at", "write slabs in ascending order of `from`")
        };
        let message = format!("{what} {}, after one from {}", from.value, before.value);
        return out.between(&from.span, message, "this one", (&before.span, "the one before"), help);
    }
    let Some(to) = one.to.as_ref().filter(|_| forwards(one)) else { return };
    if to.value < from.value {
        let message = format!("a gap: a measure from {} to below {} is in no slab", to.value, from.value);
        let help =
            format!("let one end where the next starts: to = {}, or leave `to` out", shown(from.value));
        out.between(
            &from.span,
            message,
            "the next slab starts here",
            (&to.span, "this slab ends here"),
            help,
        );
    } else if to.value > from.value {
        let message =
            format!("an overlap: a measure from {} to below {} is in two slabs", from.value, to.value);
        let help =
            format!("let one end where the next starts: to = {}, or leave `to` out", shown(from.value));
        out.between(
            &from.span,
            message,
            "the next slab starts here",
            (&to.span, "this slab ends here"),
            help,
        );
    }
}

fn forwards(band: &Band) -> bool {
    match (&band.from, &band.to) {
        (Some(from), Some(to)) => from.value < to.value,
        (None, _) | (_, None) => true,
    }
}

/// A number as it can be written in the file.
fn shown(value: Decimal) -> String {
    let value = value.normalize();
    if value.scale() == 0 { value.to_string() } else { format!("\"{value}\"") }
}

impl Bands {
    /// Where each stands.
    pub(super) fn marks(&self) -> Vec<Range<usize>> {
        self.list.iter().map(|band| band.place.clone()).collect()
    }

    /// The slabs, `to` filled in. A tier that the slab below has already is not named again: it is kept anyway
    /// (evaluation.md 3.8).
    pub(super) fn resolved(&self) -> Option<Vec<Slab>> {
        let mut slabs = Vec::with_capacity(self.list.len());
        let mut standing = "";
        for (index, band) in self.list.iter().enumerate() {
            let next = self.list.get(index + 1);
            let named = band.tier.as_ref().map_or("", |tier| tier.value.as_str());
            slabs.push(Slab {
                from: band.from.as_ref()?.value,
                to: next.and_then(|next| next.from.as_ref()).map(|from| from.value),
                rate: band.rate.as_ref().map(|rate| rate.value),
                fixed: band.fixed,
                tier: if named == standing { String::new() } else { named.to_owned() },
                cap: band.cap.as_ref().map(|cap| cap.value),
            });
            if !named.is_empty() {
                standing = named;
            }
        }
        Some(slabs)
    }
}

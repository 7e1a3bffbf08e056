//! `[earn]`: which lines count, and what of them is measured.

use super::super::reader::{Bound, Section, Sink};
use super::super::{Earn, EarnOn, Glob, Measure, Returns, Unlisted};
use super::plain;
use rust_decimal::Decimal;

const UNLISTED: [(&str, Unlisted); 3] =
    [("earn", Unlisted::Earn), ("hold", Unlisted::Hold), ("exclude", Unlisted::Exclude)];

pub(super) fn earn(root: &mut Section<'_>, out: &mut Sink<'_>) -> Earn {
    let mut section = root.section("earn", out);
    let on = section.word("on", &[("invoice", EarnOn::Invoice), ("payment", EarnOn::Payment)], out);
    let tolerance = section.amount("payment_tolerance", Bound::NotBelowNothing, out);
    let measure =
        section.word("measure", &[("amount", Measure::Amount), ("quantity", Measure::Quantity)], out);
    let returns = [("original-cycle", Returns::OriginalCycle), ("return-cycle", Returns::ReturnCycle)];
    let earn = Earn {
        on: plain(on).unwrap_or(EarnOn::Invoice),
        measure: plain(measure).unwrap_or(Measure::Amount),
        payment_tolerance: plain(tolerance).unwrap_or(Decimal::ZERO),
        statuses: words(&mut section, "statuses", out),
        return_statuses: words(&mut section, "return_statuses", out),
        channels: words(&mut section, "channels", out),
        partner_classes: words(&mut section, "partner_classes", out),
        payment_methods: words(&mut section, "payment_methods", out),
        currencies: words(&mut section, "currencies", out),
        exclude_skus: globs(&mut section, "exclude_skus", out),
        exclude_categories: globs(&mut section, "exclude_categories", out),
        only_skus: globs(&mut section, "only_skus", out),
        only_categories: globs(&mut section, "only_categories", out),
        unlisted_skus: plain(section.word("unlisted_skus", &UNLISTED, out)).unwrap_or(Unlisted::Earn),
        unlisted_partners: plain(section.word("unlisted_partners", &UNLISTED, out)).unwrap_or(Unlisted::Hold),
        returns: plain(section.word("returns", &returns, out)).unwrap_or(Returns::OriginalCycle),
    };
    section.finish(out);
    earn
}

pub(super) fn words(section: &mut Section<'_>, key: &'static str, out: &mut Sink<'_>) -> Vec<String> {
    section.texts(key, out).into_iter().map(|text| text.value).collect()
}

pub(super) fn globs(section: &mut Section<'_>, key: &'static str, out: &mut Sink<'_>) -> Vec<Glob> {
    section.texts(key, out).into_iter().map(|text| Glob::new(&text.value)).collect()
}

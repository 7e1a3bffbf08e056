//! The canonical form of a scheme: one text for everything that means the same, and its SHA-256, the version.
//!
//! Names, comments, examples, the order of keys and the spelling of numbers are no part of it. What has its default
//! is left out, so that a key that a later release knows changes no version that does without it.

use super::{
    Applies, CapWithin, Earn, EarnOn, Glob, Measure, MeasuredOver, Multiplier, Post, Rate, Returns, RoundAt,
    Scheme, Slab, SlabMode, Stacking, Unlisted, fold, ratio,
};
use crate::calendar::CycleLength;
use crate::domain::frac::Rounding;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};

/// First line: tells canonical forms of other rules apart.
const FORM: &str = "accrued scheme 1";

/// SHA-256 of the canonical form, in lower-case hex.
pub(super) fn version(scheme: &Scheme) -> String {
    Sha256::digest(canonical(scheme).as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The canonical form: lines of `key = value`, in a fixed order, each text quoted as Rust writes it.
pub fn canonical(scheme: &Scheme) -> String {
    let mut out = Lines(format!("{FORM}\n"));
    head(scheme, &mut out);
    earn(&scheme.earn, &mut out);
    slabs(scheme, &mut out);
    multipliers(scheme, &mut out);
    tiers(scheme, &mut out);
    points(scheme, &mut out);
    out.0
}

struct Lines(String);

impl Lines {
    fn put(&mut self, key: &str, value: &str) {
        self.0.push_str(key);
        self.0.push_str(" = ");
        self.0.push_str(value);
        self.0.push('\n');
    }

    fn put_unless<T: PartialEq>(&mut self, key: &str, value: T, default: T, word: impl FnOnce(T) -> String) {
        if value != default {
            self.put(key, &word(value));
        }
    }

    fn put_number(&mut self, key: &str, value: Option<Decimal>) {
        if let Some(value) = value {
            self.put(key, &number(value));
        }
    }

    fn put_words<'w>(&mut self, key: &str, words: impl Iterator<Item = &'w str>) {
        let list = set(words);
        if list != "[]" {
            self.put(key, &list);
        }
    }
}

fn head(scheme: &Scheme, out: &mut Lines) {
    out.put("id", &scheme.id);
    out.put("currency", &scheme.currency);
    out.put("timezone", scheme.timezone.name());
    out.put("starts", &scheme.starts.to_string());
    if let Some(ends) = scheme.ends {
        out.put("ends", &ends.to_string());
    }
    out.put("length", length(scheme.calendar.length));
    out.put_unless("year_starts", scheme.calendar.year_starts, 1, |month| month.to_string());
    out.put_unless("day_closes_at", scheme.day_closes_at, 0, |minutes| minutes.to_string());
    out.put_unless("post", scheme.post, Post::AtClose, |post| post_word(post).to_owned());
    out.put_unless("grace_days", scheme.grace_days, 0, |days| days.to_string());
    out.put_unless("wait_for_files", scheme.wait_for_files, true, |wait| wait.to_string());
    out.put_unless("lock_after_days", scheme.lock_after_days, None, |days| days.unwrap_or(0).to_string());
}

fn earn(earn: &Earn, out: &mut Lines) {
    out.put_unless("on", earn.on, EarnOn::Invoice, |on| on_word(on).to_owned());
    out.put_unless("measure", earn.measure, Measure::Amount, |measure| measure_word(measure).to_owned());
    out.put_unless("payment_tolerance", earn.payment_tolerance, Decimal::ZERO, number);
    let words = [
        ("statuses", &earn.statuses),
        ("return_statuses", &earn.return_statuses),
        ("channels", &earn.channels),
        ("partner_classes", &earn.partner_classes),
        ("payment_methods", &earn.payment_methods),
        ("currencies", &earn.currencies),
    ];
    for (key, words) in words {
        out.put_words(key, words.iter().map(String::as_str));
    }
    let globs = [
        ("exclude_skus", &earn.exclude_skus),
        ("exclude_categories", &earn.exclude_categories),
        ("only_skus", &earn.only_skus),
        ("only_categories", &earn.only_categories),
    ];
    for (key, globs) in globs {
        out.put_words(key, globs.iter().map(Glob::folded));
    }
    out.put_unless("unlisted_skus", earn.unlisted_skus, Unlisted::Earn, |word| unlisted(word).to_owned());
    out.put_unless("unlisted_partners", earn.unlisted_partners, Unlisted::Hold, |word| {
        unlisted(word).to_owned()
    });
    out.put_unless("returns", earn.returns, Returns::OriginalCycle, |word| returns(word).to_owned());
}

fn slabs(scheme: &Scheme, out: &mut Lines) {
    out.put("mode", mode(scheme.slab_mode));
    for slab in &scheme.slabs {
        out.put("slab", &number(slab.from));
        slab_rules(slab, out);
    }
}

fn slab_rules(slab: &Slab, out: &mut Lines) {
    if let Some(rate) = slab.rate.filter(|rate| !is_nothing(rate)) {
        out.put("slab.rate", &rate_text(&rate));
    }
    out.put_unless("slab.points", slab.fixed, Decimal::ZERO, number);
    out.put_unless("slab.tier", slab.tier.as_str(), "", |tier| format!("{tier:?}"));
    out.put_number("slab.cap", slab.cap);
}

fn multipliers(scheme: &Scheme, out: &mut Lines) {
    if scheme.multipliers.len() > 1 {
        out.put_unless("stacking", scheme.stacking, Stacking::Highest, |word| stacking(word).to_owned());
    }
    let mut list: Vec<String> = scheme.multipliers.iter().map(multiplier).collect();
    list.sort();
    for text in list {
        out.put("multiplier", &text);
    }
}

fn multiplier(multiplier: &Multiplier) -> String {
    let mut out = Lines(String::new());
    out.put("factor", &number(multiplier.factor));
    out.put_words("skus", multiplier.skus.iter().map(Glob::folded));
    out.put_words("categories", multiplier.categories.iter().map(Glob::folded));
    out.put_words("channels", multiplier.channels.iter().map(String::as_str));
    let mut tiers: Vec<&str> = multiplier.tiers.iter().map(String::as_str).collect();
    tiers.sort_unstable();
    tiers.dedup();
    if !tiers.is_empty() {
        out.put("tiers", &format!("{tiers:?}"));
    }
    out.put_unless("from", multiplier.from, None, |day| day.unwrap_or_default().to_string());
    out.put_unless("to", multiplier.to, None, |day| day.unwrap_or_default().to_string());
    out.0.trim_end().replace('\n', "; ")
}

fn tiers(scheme: &Scheme, out: &mut Lines) {
    for level in &scheme.ladder {
        out.put("tier_level", &format!("{:?} from {}", level.name, number(level.from)));
    }
    let mut bonuses: Vec<String> = scheme
        .tier_bonuses
        .iter()
        .map(|bonus| format!("{:?} {}%", bonus.tier, number(bonus.percent)))
        .collect();
    bonuses.sort();
    for bonus in bonuses {
        out.put("tier_bonus", &bonus);
    }
    out.put_unless("measured_over", scheme.measured_over, MeasuredOver::Cycle, |word| {
        window(word).to_owned()
    });
    out.put_unless("applies", scheme.applies, Applies::Retroactive, |word| applies(word).to_owned());
}

fn points(scheme: &Scheme, out: &mut Lines) {
    out.put_number("per_cycle", scheme.cap_per_cycle);
    match scheme.cap_within {
        Some(CapWithin::Invoice(cap)) => out.put("per_invoice", &number(cap)),
        Some(CapWithin::Sku(cap)) => out.put("per_sku", &number(cap)),
        None => {}
    }
    out.put_number("limits.accrual", scheme.limit_accrual);
    out.put_unless("rounding", scheme.rounding, Rounding::Floor, |word| rounding(word).to_owned());
    out.put_unless("round_at", scheme.round_at, RoundAt::Cycle, |word| round_at(word).to_owned());
    out.put_unless("decimals", scheme.decimals, 0, |decimals| decimals.to_string());
    out.put_number("value", scheme.value);
    out.put_unless("expire_after_months", scheme.expire_after_months, None, |months| {
        months.unwrap_or(0).to_string()
    });
}

/// Words without case, each once, in order.
fn set<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let mut words: Vec<String> = words.map(fold).collect();
    words.sort();
    words.dedup();
    format!("{words:?}")
}

fn number(value: Decimal) -> String {
    value.normalize().to_string()
}

fn is_nothing(rate: &Rate) -> bool {
    match rate {
        Rate::Proportion { points, .. } | Rate::PerFull { points, .. } => points.is_zero(),
    }
}

/// `0.2%`, `0.2 per 100` and `1 per 500` are one rate; whole steps keep their step.
fn rate_text(rate: &Rate) -> String {
    match rate {
        Rate::Proportion { points, per } => format!("{}", ratio::of(*points) / ratio::of(*per)),
        Rate::PerFull { points, per } => format!("{} per full {}", number(*points), number(*per)),
    }
}

pub(super) fn length(length: CycleLength) -> &'static str {
    match length {
        CycleLength::Month => "month",
        CycleLength::Quarter => "quarter",
        CycleLength::HalfYear => "half-year",
        CycleLength::Year => "year",
    }
}

fn post_word(post: Post) -> &'static str {
    match post {
        Post::AtClose => "at-close",
        Post::Continuous => "continuous",
    }
}

fn on_word(on: EarnOn) -> &'static str {
    match on {
        EarnOn::Invoice => "invoice",
        EarnOn::Payment => "payment",
    }
}

fn measure_word(measure: Measure) -> &'static str {
    match measure {
        Measure::Amount => "amount",
        Measure::Quantity => "quantity",
    }
}

fn unlisted(word: Unlisted) -> &'static str {
    match word {
        Unlisted::Earn => "earn",
        Unlisted::Hold => "hold",
        Unlisted::Exclude => "exclude",
    }
}

fn returns(word: Returns) -> &'static str {
    match word {
        Returns::OriginalCycle => "original-cycle",
        Returns::ReturnCycle => "return-cycle",
    }
}

fn mode(mode: SlabMode) -> &'static str {
    match mode {
        SlabMode::Whole => "whole",
        SlabMode::Marginal => "marginal",
    }
}

fn stacking(word: Stacking) -> &'static str {
    match word {
        Stacking::Highest => "highest",
        Stacking::Product => "product",
    }
}

fn window(word: MeasuredOver) -> &'static str {
    match word {
        MeasuredOver::Cycle => "cycle",
        MeasuredOver::YearToDate => "year-to-date",
        MeasuredOver::TrailingTwelveMonths => "trailing-12-months",
    }
}

fn applies(word: Applies) -> &'static str {
    match word {
        Applies::Retroactive => "retroactive",
        Applies::FromCrossing => "from-crossing",
        Applies::NextCycle => "next-cycle",
    }
}

fn rounding(word: Rounding) -> &'static str {
    match word {
        Rounding::Floor => "floor",
        Rounding::HalfUp => "half-up",
        Rounding::HalfEven => "half-even",
        Rounding::Ceiling => "ceiling",
    }
}

fn round_at(word: RoundAt) -> &'static str {
    match word {
        RoundAt::Cycle => "cycle",
        RoundAt::Line => "line",
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{FULL, SMALL, changed, scheme};
    use std::collections::BTreeSet;

    #[test]
    fn names_comments_examples_order_and_spelling_are_no_part_of_the_version() {
        let version = scheme(FULL).version;
        let same = [
            ("name = \"Lighting Retailer Club\"", "name = \"Club\" # renamed"),
            ("company = \"Example Lighting Ltd\"", ""),
            ("name = \"LED push\"", ""),
            ("from = \"5 lakh\"", "from = 5_00_000"),
            ("to = \"8 lakh\"\n", ""),
            ("rate = \"5 per 10\"", "rate = \"50%\""),
            ("rate = \"5 per full 10\"", "rate = \"5.0 per full 10.00\""),
            ("cap = \"15,000\"", "cap = 15000"),
            ("currency = \"inr\"", "currency = \"INR\""),
            ("[\"approved\", \"posted\"]", "[\"Posted\", \"APPROVED\", \"posted\"]"),
            ("on = \"invoice\"\n", ""),
            ("payment_tolerance = \"0\"\n", ""),
            ("factor = 2", "factor = \"2.0\""),
            ("percent = \"20%\"", "percent = \"20.00 %\""),
            ("name = \"a Gold half-year\"", "name = \"another\""),
            ("points = \"2700.5\"", "points = 1"),
        ];
        for (from, to) in same {
            assert_eq!(scheme(&changed(FULL, from, to)).version, version, "{from} -> {to}");
        }
        assert_eq!(version.len(), 64);
        assert_eq!(version, scheme(FULL).version);
    }

    #[test]
    fn whatever_changes_a_point_changes_the_version() {
        let changes = [
            ("id = \"lighting-retail\"", "id = \"lighting\""),
            ("currency = \"inr\"", "currency = \"USD\""),
            ("Asia/Kolkata", "Asia/Dhaka"),
            ("starts = 2026-04-01", "starts = 2026-04-02"),
            ("ends = 2027-03-31", ""),
            ("\"half-year\"", "\"year\""),
            ("year_starts = \"april\"", "year_starts = \"july\""),
            ("day_closes_at = \"02:00\"", ""),
            ("post = \"continuous\"", ""),
            ("grace_days = 5", ""),
            ("wait_for_files = false", ""),
            ("lock_after_days = 180", ""),
            ("measure = \"quantity\"", ""),
            ("statuses = [\"approved\", \"posted\"]", "statuses = [\"approved\"]"),
            ("return_statuses = [\"Returned\"]", ""),
            ("channels = [\"retail\"]\npartner", "partner"),
            ("partner_classes = [\"A\", \"B\"]", "partner_classes = [\"A, B\"]"),
            ("payment_methods = [\"upi\"]", ""),
            ("currencies = [\"INR\", \"USD\"]", ""),
            ("exclude_skus = [\"GIFT-*\"]", "exclude_skus = [\"GIFT-?\"]"),
            ("exclude_categories = [\"Gifts\"]", ""),
            ("only_skus = [\"L*\"]", ""),
            ("only_categories = [\"Lamps\"]", ""),
            ("unlisted_skus = \"hold\"", ""),
            ("unlisted_partners = \"exclude\"", ""),
            ("returns = \"return-cycle\"", ""),
            ("mode = \"marginal\"", "mode = \"whole\""),
            ("from = \"5 lakh\"", "from = \"4 lakh\""),
            ("rate = \"5 per 10\"", "rate = \"5 per full 10\""),
            ("points = 100", ""),
            ("rate = \"5 per full 10\"", "rate = \"10 per full 20\""),
            ("cap = \"15,000\"", ""),
            ("stacking = \"product\"", ""),
            ("skus = [\"LED-*\"]", ""),
            ("categories = [\"Lamps\"]\nchannels", "channels"),
            ("channels = [\"retail\"]\ntiers", "tiers"),
            ("tiers = [\"Gold\"]", ""),
            ("from = 2026-10-01\n", ""),
            ("to = 2026-10-31\n", ""),
            ("factor = \"1.5\"", "factor = \"1.6\""),
            ("percent = \"20%\"", "percent = \"21%\""),
            ("from = \"1 crore\"", "from = \"2 crore\""),
            ("measured_over = \"year-to-date\"", "measured_over = \"trailing-12-months\""),
            ("applies = \"next-cycle\"", "applies = \"from-crossing\""),
            ("per_cycle = 50000", ""),
            ("per_sku = \"250\"", "per_invoice = \"250\""),
            ("accrual = \"1 lakh\"", ""),
            ("rounding = \"half-even\"", "rounding = \"half-up\""),
            ("round_at = \"line\"", ""),
            ("decimals = 2", "decimals = 3"),
            ("value = \"0.25\"", ""),
        ];
        // examples name a cycle of the calendar and a tier; without them every change stands alone
        let plain = FULL.split("[[example]]").next().expect("the part before the examples");
        let mut seen = BTreeSet::from([scheme(plain).version]);
        for (from, to) in changes {
            assert!(seen.insert(scheme(&changed(plain, from, to)).version), "{from} -> {to}");
        }
    }

    #[test]
    fn the_canonical_form_leaves_out_what_has_its_default() {
        let form = super::canonical(&scheme(SMALL));
        assert_eq!(
            form,
            "accrued scheme 1\nid = lamps\ncurrency = INR\ntimezone = Asia/Kolkata\nstarts = 2026-04-01\nlength = quarter\n\
             mode = whole\nslab = 500000\nslab.rate = 1/500\nslab.tier = \"Silver\"\nslab = 800000\nslab.rate = 3/1000\n\
             slab.tier = \"Gold\"\n"
        );
    }
}

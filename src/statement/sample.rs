//! A scheme, lines and positions small enough to check by hand.

use crate::calendar::{Calendar, Cycle, CycleLength};
use crate::domain::frac::{Frac, Rounding};
use crate::domain::points::Points;
use crate::domain::when::When;
use crate::evaluate::{Counts, LineOutcome, Position};
use crate::facts::row::{DocType, Row};
use crate::facts::settle::{Line, Reference};
use crate::scheme::{
    Applies, Earn, EarnOn, Measure, MeasuredOver, Post, Rate, Returns, RoundAt, Scheme, Slab, SlabMode,
    Stacking, Unlisted,
};
use chrono::NaiveDate;
use rust_decimal::Decimal;

pub fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn fraction(text: &str) -> Frac {
    decimal(text).into()
}

pub fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub fn whole(points: i64) -> Points {
    Points(points * Points::UNIT)
}

fn slab(from: &str, to: Option<&str>, percent: &str, tier: &str) -> Slab {
    Slab {
        from: decimal(from),
        to: to.map(decimal),
        rate: Some(Rate::Proportion { points: decimal(percent), per: Decimal::ONE_HUNDRED }),
        fixed: Decimal::ZERO,
        tier: tier.to_owned(),
        cap: None,
    }
}

/// Slabs S of evaluation.md 5, without the cap.
pub fn scheme() -> Scheme {
    Scheme {
        id: "lighting".into(),
        name: "Lighting".into(),
        company: "Example".into(),
        currency: "INR".into(),
        timezone: chrono_tz::Asia::Kolkata,
        starts: day("2026-04-01"),
        ends: None,
        calendar: Calendar { length: CycleLength::Quarter, year_starts: 4 },
        day_closes_at: 0,
        post: Post::AtClose,
        grace_days: 0,
        wait_for_files: true,
        lock_after_days: None,
        earn: earn(),
        slabs: vec![
            slab("500000", Some("800000"), "0.2", "Silver"),
            slab("800000", Some("2000000"), "0.30", "Gold"),
            slab("2000000", None, "0.5", "Platinum"),
        ],
        slab_mode: SlabMode::Whole,
        stacking: Stacking::Highest,
        multipliers: Vec::new(),
        tier_bonuses: Vec::new(),
        ladder: Vec::new(),
        measured_over: MeasuredOver::Cycle,
        applies: Applies::Retroactive,
        cap_per_cycle: None,
        cap_within: None,
        limit_accrual: None,
        rounding: Rounding::Floor,
        round_at: RoundAt::Cycle,
        decimals: 0,
        value: None,
        expire_after_months: None,
        examples: Vec::new(),
        version: "ab".repeat(32),
        path: "schemes/lighting.toml".into(),
    }
}

fn earn() -> Earn {
    Earn {
        on: EarnOn::Invoice,
        measure: Measure::Amount,
        payment_tolerance: Decimal::ZERO,
        statuses: Vec::new(),
        return_statuses: Vec::new(),
        channels: Vec::new(),
        partner_classes: Vec::new(),
        payment_methods: Vec::new(),
        currencies: Vec::new(),
        exclude_skus: Vec::new(),
        exclude_categories: Vec::new(),
        only_skus: Vec::new(),
        only_categories: Vec::new(),
        unlisted_skus: Unlisted::Earn,
        unlisted_partners: Unlisted::Hold,
        returns: Returns::OriginalCycle,
    }
}

pub fn row(invoice_no: &'static str, date: &str, amount: &str) -> Row<'static> {
    Row {
        file_line: 2,
        doc_type: DocType::Invoice,
        invoice_no,
        line_no: "1",
        when: When::Day(day(date)),
        number_year: None,
        partner_code: "P1",
        partner_name: "Asha, Sons",
        distributor_code: "D1",
        distributor_name: "North",
        channel: "retail",
        sku: "LED-9",
        category: "LED",
        quantity: Decimal::ONE,
        amount: decimal(amount),
        currency: "",
        status: "",
        payment_method: "",
        invoice_total: None,
        ref_invoice_no: "",
        ref_line_no: "",
        updated_at: None,
    }
}

pub fn line(row: Row<'_>, seq: i64) -> Line<'_> {
    Line { row, seq, space: 1, cancelled: false, reference: Reference::None }
}

pub fn outcome(line: usize, date: &str, amount: &str, points: i64) -> LineOutcome {
    LineOutcome {
        line,
        business_date: day(date),
        rule_date: day(date),
        counts: Counts::Yes,
        notes: Vec::new(),
        scheme_amount: fraction(amount),
        share: Frac::ZERO,
        factor: Frac::ONE,
        earned: Frac::ZERO,
        bonus: Frac::ZERO,
        tier: None,
        points: whole(points),
    }
}

/// Nothing sold: below the first slab.
pub fn nothing() -> Position {
    Position {
        cycle: Cycle(2026 * 12 + 3),
        version: 0,
        lines: Vec::new(),
        line_tiers: Vec::new(),
        by_month: vec![Frac::ZERO; 3],
        carried: Frac::ZERO,
        measure: Frac::ZERO,
        slab: None,
        base: Frac::ZERO,
        carried_share: Frac::ZERO,
        fixed: Frac::ZERO,
        multiplied: Frac::ZERO,
        capped: Frac::ZERO,
        bonus: Frac::ZERO,
        sum: Frac::ZERO,
        tier_measure: Frac::ZERO,
        tier: String::new(),
        tier_applied: String::new(),
        next_tier: Some(("Silver".into(), fraction("500000"))),
        next_slab: Some((0, fraction("500000"))),
        points: Points::ZERO,
        held_points: Points::ZERO,
        wake_on: None,
    }
}

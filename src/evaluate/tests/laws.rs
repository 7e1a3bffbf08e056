//! What holds for any lines under any rules.

use super::rig::*;
use crate::domain::frac::Frac;
use crate::domain::points::Points;
use crate::evaluate::{Counts, Positions};
use crate::facts::row::DocType;
use crate::facts::settle::{Line, Reference};
use crate::scheme::{RoundAt, Scheme};
use proptest::prelude::*;
use proptest::sample::select;

const SLABS: [&str; 6] = [
    "[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"1 per 3\"\n",
    "[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 100\nrate = \"2.5%\"\npoints = 7\n[[slab]]\nfrom = 300\nrate = \"4%\"\ncap = 25\n",
    "[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 50\nrate = \"5 per full 30\"\n[[slab]]\nfrom = 400\npoints = 9\n",
    "[slabs]\nmode = \"marginal\"\n[[slab]]\nfrom = 0\nrate = \"1%\"\n[[slab]]\nfrom = 200\nrate = \"5 per full 7\"\npoints = 3\n",
    "[slabs]\nmode = \"marginal\"\n[[slab]]\nfrom = 0\nrate = \"1 per 7\"\ncap = 20\n[[slab]]\nfrom = 250\nrate = \"10%\"\n",
    "[slabs]\nmode = \"whole\"\n[[slab]]\nfrom = 0\nrate = \"3%\"\n[[slab]]\nfrom = 1000\nrate = \"1%\"\n",
];
const LADDER: &str = "[[tier_level]]\nname = \"A\"\nfrom = 0\n[[tier_level]]\nname = \"B\"\nfrom = 200\n[[tier_level]]\nname = \"C\"\nfrom = 500\n\
    [[tier_bonus]]\ntier = \"B\"\npercent = \"20%\"\n[[tier_bonus]]\ntier = \"C\"\npercent = \"33%\"\n";
const MULTIPLIERS: [&str; 4] = [
    "",
    "[[multiplier]]\nname = \"a\"\nskus = [\"X*\"]\nfactor = 2\n[[multiplier]]\nname = \"b\"\nfrom = 2026-02-01\nto = 2026-02-20\nfactor = \"0.5\"\n",
    "[multipliers]\nstacking = \"product\"\n[[multiplier]]\nname = \"a\"\nskus = [\"X*\"]\nfactor = \"1.5\"\n[[multiplier]]\nname = \"b\"\nskus = [\"Y\"]\nfactor = \"0\"\n[[multiplier]]\nname = \"c\"\ntiers = [\"B\"]\nfactor = \"1.1\"\n",
    "[[multiplier]]\nname = \"c\"\ntiers = [\"C\"]\nfactor = 3\n",
];
const CAPS: [&str; 4] = [
    "",
    "[cap]\nper_invoice = \"2.5\"\n",
    "[cap]\nper_sku = 4\nper_cycle = 9\n",
    "[cap]\nper_cycle = 12\n[limits]\naccrual = 5\n",
];
const RETURNS: [&str; 2] = ["original-cycle", "return-cycle"];
const EARN: [&str; 3] = ["", "measure = \"quantity\"\n", "exclude_skus = [\"Z\"]\n"];
const WINDOWS: [&str; 3] = ["cycle", "year-to-date", "trailing-12-months"];
const APPLIES: [&str; 3] = ["retroactive", "from-crossing", "next-cycle"];
const ROUNDINGS: [&str; 4] = ["floor", "half-up", "half-even", "ceiling"];

fn schemes(returns: &'static [&'static str]) -> impl Strategy<Value = Scheme> {
    let rules = (select(&SLABS), select(&MULTIPLIERS), select(&CAPS), select(returns), select(&EARN));
    let tiers = (select(&WINDOWS), select(&APPLIES), select(&ROUNDINGS), select(&["cycle", "line"]), 0..4u32);
    let cycle = select(&["length = \"month\"", "length = \"quarter\"\nyear_starts = \"february\""]);
    (rules, tiers, cycle).prop_map(|(rules, tiers, cycle)| {
        let (slabs, multipliers, caps, returns, earn) = rules;
        let (window, applies, rounding, round_at, decimals) = tiers;
        let text = format!(
            "[earn]\nreturns = \"{returns}\"\n{earn}{slabs}{LADDER}[tier]\nmeasured_over = \"{window}\"\napplies = \"{applies}\"\n{multipliers}{caps}\
             [points]\nrounding = \"{rounding}\"\nround_at = \"{round_at}\"\ndecimals = {decimals}\n"
        );
        with_head("starts = 2026-01-01", cycle, &text)
    })
}

const NUMBERS: [&str; 4] = ["A", "B", "C", "D"];
const SKUS: [&str; 5] = ["X1", "x1", "Y", "Z", ""];

fn invoice_line() -> impl Strategy<Value = Line<'static>> {
    let date = (1u32..=6, 1u32..=28).prop_map(|(month, day)| format!("2026-{month:02}-{day:02}"));
    (select(&NUMBERS), date, -100i64..40_000, select(&SKUS), 1i64..9).prop_map(
        |(number, date, cents, sku, quantity)| {
            let amount = rust_decimal::Decimal::new(cents, 2).to_string();
            with(of(sku, sale(number, &date, &amount)), |row| row.quantity = quantity.into())
        },
    )
}

/// Invoices, and notes that return some of them wholly or in part, or nothing known.
fn histories() -> impl Strategy<Value = Vec<Line<'static>>> {
    let note = (any::<prop::sample::Index>(), -30_000i64..0, 1u32..=6, 0u32..4);
    (prop::collection::vec(invoice_line(), 1..8), prop::collection::vec(note, 0..4)).prop_map(
        |(mut lines, notes)| {
            let invoices = lines.len();
            for (of, cents, month, kind) in notes {
                let sold = of.index(invoices);
                let date = format!("2026-{month:02}-15");
                let found: Vec<usize> = if kind == 0 { vec![] } else { vec![sold] };
                let amount = rust_decimal::Decimal::new(cents, 2).to_string();
                let mut back = note_like(&lines[sold], &date, &amount, &found);
                back.row.file_line = 100 + lines.len() as u64;
                lines.push(back);
            }
            for (index, line) in lines.iter_mut().enumerate() {
                line.rank = index as i64;
            }
            lines
        },
    )
}

fn note_like(sold: &Line<'static>, date: &str, amount: &str, found: &[usize]) -> Line<'static> {
    let mut back = note("CN", date, amount, found);
    (back.row.sku, back.row.category, back.row.channel) = (sold.row.sku, sold.row.category, sold.row.channel);
    back
}

/// The same lines in another order, references with them.
fn reversed(lines: &[Line<'static>]) -> Vec<Line<'static>> {
    let last = lines.len() - 1;
    let mut turned: Vec<Line<'static>> = lines.iter().rev().cloned().collect();
    for line in &mut turned {
        if let Reference::Found(returned) = &mut line.reference {
            returned.iter_mut().for_each(|index| *index = last - *index);
        }
    }
    turned
}

fn renumbered(mut positions: Positions, last: usize) -> Positions {
    for line in positions.positions.iter_mut().flat_map(|position| &mut position.lines) {
        line.line = last - line.line;
    }
    for line in &mut positions.outside {
        line.line = last - line.line;
    }
    positions
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_order_of_lines_changes_nothing(scheme in schemes(&RETURNS), lines in histories()) {
        let rig = rig(scheme);
        let turned = renumbered(rig.positions(&reversed(&lines)), lines.len() - 1);
        prop_assert_eq!(rig.positions(&lines), turned);
    }

    #[test]
    fn everything_adds_up(scheme in schemes(&RETURNS), lines in histories()) {
        let unit = 10i64.pow(6 - scheme.decimals);
        let round_at = scheme.round_at;
        for position in rig(scheme).positions(&lines).positions {
            let counting = position.lines.iter().filter(|line| line.counts == Counts::Yes);
            let points: i64 = position.lines.iter().map(|line| line.points.0).sum();
            prop_assert_eq!(points, position.points.0);
            prop_assert!(position.lines.iter().all(|line| line.points.0 % unit == 0));
            let months: Frac = position.by_month.iter().sum();
            prop_assert_eq!(&months + &position.carried, position.measure.clone());
            let shares: Frac = counting.map(|line| &line.share).sum();
            prop_assert_eq!(&shares + &position.carried_share, position.base.clone());
            let steps = &(&(&position.base + &position.fixed) + &position.multiplied) + &(&position.bonus - &position.capped);
            if round_at == RoundAt::Cycle {
                prop_assert_eq!(steps, position.sum);
            }
            prop_assert!(position.held_points >= Points::ZERO && position.held_points.0 <= position.points.0.max(0));
        }
    }

    #[test]
    fn a_full_return_undoes_its_sale(
        scheme in schemes(&RETURNS[..1]),
        others in histories(),
        sold in invoice_line(),
        parts in prop::collection::vec(1i64..100, 1..4),
        day in 1u32..=28,
    ) {
        let rig = rig(scheme);
        let at = others.len();
        let mut lines = others.clone();
        let mut left = sold.row.amount;
        let mut pieces = sold.row.quantity;
        let count = parts.len();
        lines.push(with(sold.clone(), |row| row.invoice_no = "SOLD"));
        for (index, percent) in parts.into_iter().enumerate() {
            let (amount, quantity) = if index + 1 == count {
                (left, pieces)
            } else {
                ((left * rust_decimal::Decimal::new(percent, 2)).round_dp(2), rust_decimal::Decimal::ZERO)
            };
            left -= amount;
            pieces -= quantity;
            let mut back = note_like(&sold, &format!("2026-06-{day:02}"), "0", &[at]);
            (back.row.amount, back.row.quantity, back.row.doc_type) = (-amount, -quantity, DocType::CreditNote);
            back.row.line_no = ["1", "2", "3"][index];
            lines.push(back);
        }
        let alone: Vec<Line<'static>> = lines[at..].iter().cloned().map(|mut line| {
            if let Reference::Found(returned) = &mut line.reference {
                *returned = vec![0];
            }
            line
        }).collect();
        for position in rig.positions(&alone).positions {
            prop_assert_eq!((position.points, position.measure), (Points::ZERO, Frac::ZERO));
        }
        let without = rig.positions(&others).positions;
        for position in rig.positions(&lines).positions {
            let same = without.iter().find(|one| one.cycle == position.cycle);
            let points = same.map_or(Points::ZERO, |one| one.points);
            if rig.family.versions[0].round_at == RoundAt::Cycle || count == 1 {
                prop_assert_eq!(position.points, points);
            }
        }
    }
}

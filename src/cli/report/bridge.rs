//! The bridges: from what a file says in all to what became of its rows, from what was accepted to what each scheme counts,
//! from what counts to a cycle's measure. Each ends with its difference.

use super::Line;
use super::archive::{self, Read};
use super::facts::{Became, Seen, Sum, Tally};
use crate::calendar::Cycle;
use crate::config::Config;
use crate::scheme::Family;
use crate::store::Store;
use crate::store::files::{FileRow, FileState};
use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

/// What is left over; zero unless something is wrong.
pub(super) const DIFFERENCE: &str = "difference";

type Print<'p> = dyn FnMut(Line) -> Result<()> + 'p;
type Sources = BTreeMap<i64, FileRow>;

/// Items of one bridge in their order: item, reason, sum.
type Items = Vec<(&'static str, String, Sum)>;

/// Totals of a feed, by currency, item and reason.
type OfFeed = BTreeMap<(String, usize, &'static str, String), Sum>;

/// Each file, then each feed.
pub(super) fn files(
    config: &Config,
    store: &Store,
    tally: &Tally,
    sources: &Sources,
    print: &mut Print<'_>,
) -> Result<()> {
    let mut feeds: BTreeMap<&str, OfFeed> = BTreeMap::new();
    for file in sources.values() {
        let read = archive::read(config, store, tally, file)?;
        let feed = feeds.entry(&file.arrival.feed).or_default();
        for currency in currencies(&read, tally, file.seq) {
            let items = of_file(&read, tally, file, &currency);
            let head = Line {
                section: "file",
                feed: file.arrival.feed.clone(),
                file: file.arrival.name.clone(),
                seq: Some(file.seq),
                currency: currency.clone(),
                ..Line::default()
            };
            for (place, (item, reason, sum)) in items.iter().enumerate() {
                let order = usize::from(place > 0);
                let of_feed = feed.entry((currency.clone(), order, item, reason.clone())).or_default();
                of_feed.add(sum.rows, &sum.amount);
            }
            bridge(&head, &items, print)?;
        }
    }
    for (feed, sums) in feeds {
        let currencies: BTreeSet<&String> = sums.keys().map(|(currency, ..)| currency).collect();
        for currency in currencies {
            let items: Items = sums
                .iter()
                .filter(|((of, ..), _)| of == currency)
                .map(|((_, _, item, reason), sum)| (*item, reason.clone(), sum.clone()))
                .collect();
            let head = Line {
                section: "feed",
                feed: feed.to_owned(),
                currency: currency.clone(),
                ..Line::default()
            };
            bridge(&head, &items, print)?;
        }
    }
    Ok(())
}

/// Those that the archive or the store has of a file; one without rows has its scheme's.
fn currencies(read: &Read, tally: &Tally, seq: i64) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = read.by_currency.keys().cloned().collect();
    let of_file = tally.became.range((seq, 0, Became::Accepted)..).take_while(|((of, ..), _)| *of == seq);
    all.extend(of_file.map(|((_, currency, _), _)| tally.currencies[*currency].clone()));
    if all.is_empty() {
        all.insert(String::new());
    }
    all
}

fn of_file(read: &Read, tally: &Tally, file: &FileRow, currency: &str) -> Items {
    let nothing = archive::Parts::default();
    let parts = read.by_currency.get(currency).unwrap_or(&nothing);
    let mut items: Items = vec![("dms_total", String::new(), parts.total.clone())];
    if !archive::speaks(file) {
        let (item, reason) = match (file.state, file.silent_since) {
            (FileState::Ingested, _) => ("silent_file", "replaced or read again".to_owned()),
            (FileState::Duplicate, _) => ("duplicate_file", file.reason.clone()),
            (FileState::Refused, _) => ("refused_file", file.reason.clone()),
            (FileState::Held, _) => ("held_file", file.reason.clone()),
        };
        items.push((item, reason, parts.total.clone()));
        return items;
    }
    for ((reason, readable), sum) in &parts.rejected {
        let item = if *readable { "rejected" } else { "rejected_unreadable" };
        items.push((item, reason.clone(), sum.clone()));
    }
    items.push(("cancellation", String::new(), parts.cancellations.clone()));
    items.push(("credit_note_sign", String::new(), Sum { rows: 0, amount: parts.sign.clone() }));
    let mut duplicate = parts.repeated.clone();
    let mut rest: Items = Vec::new();
    let index = tally.currencies.iter().position(|known| known == currency);
    let of_file =
        tally.became.range((file.seq, 0, Became::Accepted)..).take_while(|((of, ..), _)| *of == file.seq);
    for ((_, _, became), sum) in of_file.filter(|((_, of, _), _)| Some(*of) == index) {
        match became {
            Became::Accepted => rest.push(("accepted", String::new(), sum.clone())),
            Became::Superseded => rest.push(("superseded", String::new(), sum.clone())),
            Became::Outdated => rest.push(("outdated", String::new(), sum.clone())),
            Became::Duplicate => duplicate.add(sum.rows, &sum.amount),
            Became::Held(why) => rest.push(("held", (*why).to_owned(), sum.clone())),
        }
    }
    items.push(("duplicate", String::new(), duplicate));
    items.extend(rest);
    items.retain(|(item, _, sum)| {
        *item == "dms_total" || *item == "accepted" || sum.rows != 0 || !sum.amount.is_zero()
    });
    items
}

/// The first item is the total, the others are its parts.
fn bridge(head: &Line, items: &[(&'static str, String, Sum)], print: &mut Print<'_>) -> Result<()> {
    let mut difference = Sum::default();
    for (place, (item, reason, sum)) in items.iter().enumerate() {
        if place == 0 {
            difference.add(sum.rows, &sum.amount);
        } else {
            difference.add(-sum.rows, &-&sum.amount);
        }
        print(Line {
            item,
            reason: reason.clone(),
            rows: sum.rows,
            amount: sum.amount.clone(),
            ..head.clone()
        })?;
    }
    print(Line { item: DIFFERENCE, rows: difference.rows, amount: difference.amount, ..head.clone() })
}

/// What was accepted of each file, as each scheme sees it.
pub(super) fn schemes(
    families: &[Family],
    tally: &Tally,
    sources: &Sources,
    print: &mut Print<'_>,
) -> Result<()> {
    for (scheme, family) in families.iter().enumerate() {
        for ((seq, currency, became), accepted) in &tally.became {
            // money is accepted, but no scheme counts it
            let seen = |cycle| (scheme, *seq, *currency, cycle, Seen::Counted);
            let mine: Vec<_> = tally
                .seen
                .range(seen(None)..)
                .take_while(|((of, file, in_currency, ..), _)| {
                    (*of, *file, *in_currency) == (scheme, *seq, *currency)
                })
                .collect();
            if *became != Became::Accepted || mine.is_empty() {
                continue;
            }
            let mut difference = accepted.clone();
            let head = head_of(family, sources, *seq, tally.currencies[*currency].clone(), "scheme");
            let total = Line { item: "accepted", ..head.clone() };
            print(Line { rows: accepted.rows, amount: accepted.amount.clone(), ..total })?;
            for ((_, _, _, cycle, seen), sum) in mine {
                difference.add(-sum.rows, &-&sum.amount);
                let (item, reason) = match seen {
                    Seen::Counted => ("counted", ""),
                    Seen::NotCounted(why) => ("not_counted", *why),
                    Seen::Held(why) => ("held", *why),
                };
                print(Line {
                    cycle: cycle.map_or(String::new(), |cycle| name(family, cycle)),
                    item,
                    reason: reason.to_owned(),
                    rows: sum.rows,
                    amount: sum.amount.clone(),
                    ..head.clone()
                })?;
            }
            print(Line { item: DIFFERENCE, rows: difference.rows, amount: difference.amount, ..head })?;
        }
    }
    Ok(())
}

/// What counts of each file, converted and with what was carried in: the cycle's measure over all partners.
pub(super) fn cycles(
    families: &[Family],
    tally: &Tally,
    sources: &Sources,
    print: &mut Print<'_>,
) -> Result<()> {
    for ((scheme, cycle), measured) in &tally.cycles {
        let Some(family) = families.get(*scheme) else { continue };
        let cycle = name(family, *cycle);
        let mut difference = measured.measure.clone();
        for ((seq, currency), (sum, converted)) in &measured.counted {
            let currency = match tally.currencies[*currency].as_str() {
                "" => measured.unit.clone(),
                written => written.to_owned(),
            };
            let head = Line { cycle: cycle.clone(), ..head_of(family, sources, *seq, currency, "cycle") };
            difference += &-&(&sum.amount + converted);
            print(Line { item: "counted", rows: sum.rows, amount: sum.amount.clone(), ..head.clone() })?;
            if !converted.is_zero() {
                let reason = format!("to {}", measured.unit);
                print(Line { item: "converted", reason, amount: converted.clone(), ..head })?;
            }
        }
        let head = Line {
            section: "cycle",
            scheme: family.id.clone(),
            cycle,
            currency: measured.unit.clone(),
            ..Line::default()
        };
        if !measured.carried.is_zero() {
            difference += &-&measured.carried;
            print(Line { item: "carried", amount: measured.carried.clone(), ..head.clone() })?;
        }
        print(Line { item: "measure", amount: measured.measure.clone(), ..head.clone() })?;
        print(Line { item: DIFFERENCE, amount: difference, ..head })?;
    }
    Ok(())
}

fn head_of(family: &Family, sources: &Sources, seq: i64, currency: String, section: &'static str) -> Line {
    let arrival = sources.get(&seq).map(|file| &file.arrival);
    Line {
        section,
        feed: arrival.map_or(String::new(), |arrival| arrival.feed.clone()),
        file: arrival.map_or(String::new(), |arrival| arrival.name.clone()),
        seq: Some(seq),
        scheme: family.id.clone(),
        currency,
        ..Line::default()
    }
}

fn name(family: &Family, cycle: Cycle) -> String {
    family.versions.first().map_or_else(String::new, |version| version.calendar.name(cycle))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::frac::Frac;

    #[test]
    fn a_bridge_ends_with_what_its_parts_leave_of_its_total() {
        let sum = |rows: i64, amount: i64| Sum { rows, amount: Frac::from(amount) };
        let items = [
            ("dms_total", String::new(), sum(3, 100)),
            ("rejected", "why".into(), sum(1, 30)),
            ("accepted", String::new(), sum(1, 60)),
        ];
        let mut lines = Vec::new();
        bridge(&Line::default(), &items, &mut |line| {
            lines.push((line.item, line.rows, line.amount));
            Ok(())
        })
        .unwrap();
        assert_eq!(lines[3], (DIFFERENCE, 1, Frac::from(10i64)));
    }
}

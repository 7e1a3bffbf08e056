//! Versions of one scheme by dates (evaluation.md 4). Answers for: which version a cycle goes by, which files can be
//! versions of one scheme. Does not: know what has posted.

use super::{Scheme, canonical};
use crate::calendar::Cycle;
use crate::fault::{Fault, Faults};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// Versions of one scheme, by dates: a cycle goes by the version in force on its first day, or the first that comes into force in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Family {
    /// scheme id
    pub id: String,
    /// ascending by `starts`, touching; never empty; all share currency, timezone, calendar and day_closes_at
    pub versions: Vec<Scheme>,
    /// texts of versions that no file has any more, that closed cycles go by
    older: Vec<Scheme>,
    /// closed cycles that go by an older text; see [`Family::scheme`]
    pinned: BTreeMap<Cycle, usize>,
}

impl Family {
    /// A family of today's versions: ascending by `starts`, touching, not empty (what [`families`] makes sure of).
    pub fn new(id: String, versions: Vec<Scheme>) -> Family {
        Family { id, versions, older: Vec::new(), pinned: BTreeMap::new() }
    }

    /// Lets a closed cycle go by the text that it was closed with (evaluation.md 4: a file edited in place).
    pub fn pin(&mut self, cycle: Cycle, scheme: Scheme) {
        let known = self.older.iter().position(|older| older.version == scheme.version);
        let index = known.unwrap_or_else(|| {
            self.older.push(scheme);
            self.older.len() - 1
        });
        self.pinned.insert(cycle, self.versions.len() + index);
    }

    /// Today's files alone, without pins.
    pub fn unpinned(&self) -> Family {
        Family::new(self.id.clone(), self.versions.clone())
    }

    /// Whether a cycle goes by an older text.
    pub fn is_pinned(&self, cycle: Cycle) -> bool {
        self.pinned.contains_key(&cycle)
    }

    /// Whether any does.
    pub fn has_pins(&self) -> bool {
        !self.pinned.is_empty()
    }

    /// The version with an index that [`Family::index_for`] gave: one of `versions`, or an older text.
    pub fn scheme(&self, index: usize) -> &Scheme {
        match index.checked_sub(self.versions.len()) {
            None => &self.versions[index],
            Some(older) => &self.older[older],
        }
    }

    /// Every text that some cycle may go by: today's versions, then older ones.
    pub fn texts(&self) -> impl Iterator<Item = &Scheme> {
        self.versions.iter().chain(&self.older)
    }

    /// The version that a cycle goes by, or `None` where no version is in force in it.
    pub fn version_for(&self, cycle: Cycle) -> Option<&Scheme> {
        self.index_for(cycle).map(|index| self.scheme(index))
    }

    /// Its index, for [`Family::scheme`].
    pub fn index_for(&self, cycle: Cycle) -> Option<usize> {
        if let Some(&pinned) = self.pinned.get(&cycle) {
            return Some(pinned);
        }
        let (first, last) = self.versions.first()?.calendar.days(cycle);
        let on_first_day = self.versions.iter().position(|version| version.is_in_force_on(first));
        on_first_day.or_else(|| {
            self.versions.iter().position(|version| first < version.starts && version.starts <= last)
        })
    }

    /// Whether some version's dates contain `day`; of a pinned cycle the text counts that it goes by.
    pub fn is_in_force_on(&self, day: NaiveDate) -> bool {
        let Some(first) = self.versions.first() else { return false };
        let cycle = first.calendar.cycle_of(day);
        self.pinned.get(&cycle).is_some_and(|&pinned| self.scheme(pinned).is_in_force_on(day))
            || self.versions.iter().any(|version| version.is_in_force_on(day))
    }
}

impl Scheme {
    /// Whether `day` is within its dates.
    pub fn is_in_force_on(&self, day: NaiveDate) -> bool {
        self.starts <= day && self.ends.is_none_or(|ends| day <= ends)
    }
}

/// Puts scheme files with one id together, in order of id and dates. Every pair that cannot be versions of one scheme
/// (overlapping dates, dates that do not touch, another currency, timezone, length, year_starts or day_closes_at) is a
/// fault of the later file.
pub fn families(schemes: Vec<Scheme>) -> Result<Vec<Family>, Vec<Faults>> {
    let mut by_id: BTreeMap<String, Vec<Scheme>> = BTreeMap::new();
    for scheme in schemes {
        by_id.entry(scheme.id.clone()).or_default().push(scheme);
    }
    let mut faults = Vec::new();
    let mut families = Vec::new();
    for (id, mut versions) in by_id {
        versions.sort_by(|a, b| (a.starts, &a.path).cmp(&(b.starts, &b.path)));
        for pair in versions.windows(2) {
            if let [one, next] = pair {
                faults.extend(quarrels(one, next));
            }
        }
        families.push(Family::new(id, versions));
    }
    if faults.is_empty() { Ok(families) } else { Err(faults) }
}

fn quarrels(one: &Scheme, next: &Scheme) -> Option<Faults> {
    let mut faults: Vec<Fault> = dates(one, next).into_iter().collect();
    let changed = [
        ("currency", one.currency.clone(), next.currency.clone()),
        ("timezone", one.timezone.name().to_owned(), next.timezone.name().to_owned()),
        (
            "length",
            canonical::length(one.calendar.length).to_owned(),
            canonical::length(next.calendar.length).to_owned(),
        ),
        ("year_starts", one.calendar.year_starts.to_string(), next.calendar.year_starts.to_string()),
        ("day_closes_at", clock(one.day_closes_at), clock(next.day_closes_at)),
    ];
    for (key, before, after) in changed {
        if before != after {
            let message = format!("`{key}` of scheme {} is {after}; in {} it is {before}", next.id, one.path);
            let help = format!(
                "versions of one scheme share one wallet: keep `{key}`, or give this scheme another id"
            );
            faults.push(Fault::missing(message, help));
        }
    }
    if faults.is_empty() {
        return None;
    }
    Some(Faults { path: next.path.clone(), text: String::new(), faults })
}

fn dates(one: &Scheme, next: &Scheme) -> Option<Fault> {
    let id = &next.id;
    let day_before = next.starts.pred_opt();
    match (one.ends, day_before) {
        (Some(ends), Some(before)) if ends == before => None,
        (Some(ends), Some(before)) if ends < before => {
            let message = format!(
                "scheme {id} has no version from {} to {before}: {} ends on {ends}, this file starts on {}",
                ends.succ_opt().unwrap_or(ends),
                one.path,
                next.starts
            );
            Some(Fault::missing(
                message,
                "versions of one scheme touch: start this one the day after, or give it another id",
            ))
        }
        (ends, before) => {
            let until = ends.map_or("has no end".to_owned(), |ends| format!("ends on {ends}"));
            let message = format!(
                "two versions of scheme {id} overlap: {} {until}, this file starts on {}",
                one.path, next.starts
            );
            let help = match before.filter(|before| *before >= one.starts) {
                Some(before) => {
                    format!("write ends = {before} in {}, or give one of them another id", one.path)
                }
                None => "keep one of the two, or give one of them another id".to_owned(),
            };
            Some(Fault::missing(message, help))
        }
    }
}

fn clock(minutes: u32) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{SMALL, changed, scheme};
    use super::*;

    fn version(starts: &str, ends: &str, length: &str) -> Scheme {
        let dates = if ends.is_empty() {
            format!("starts = {starts}")
        } else {
            format!("starts = {starts}\nends = {ends}")
        };
        let text = changed(SMALL, "starts = 2026-04-01", &dates);
        Scheme {
            path: format!("{starts}.toml"),
            ..scheme(&changed(&text, "\"quarter\"", &format!("\"{length}\"")))
        }
    }

    fn starts_of(family: &Family, cycle: &str) -> Option<String> {
        let calendar = family.versions[0].calendar;
        family.version_for(calendar.parse(cycle).expect("a cycle")).map(|version| version.starts.to_string())
    }

    #[test]
    fn a_cycle_goes_by_the_version_on_its_first_day_or_the_first_that_comes_into_force_in_it() {
        let all = vec![
            version("2026-08-15", "", "quarter"),
            version("2026-05-10", "2026-07-31", "quarter"),
            version("2026-08-01", "2026-08-14", "quarter"),
        ];
        let families = families(all).expect("versions that touch");
        assert_eq!(families.len(), 1);
        let family = &families[0];
        assert_eq!(starts_of(family, "2026-Q1"), None, "no version is in force in it");
        assert_eq!(
            starts_of(family, "2026-Q2").as_deref(),
            Some("2026-05-10"),
            "the first that comes into force"
        );
        assert_eq!(starts_of(family, "2026-Q3").as_deref(), Some("2026-05-10"), "in force on 1 July");
        assert_eq!(starts_of(family, "2026-Q4").as_deref(), Some("2026-08-15"));
        let day = NaiveDate::from_ymd_opt(2026, 8, 14).expect("a day");
        assert!(family.is_in_force_on(day));
    }

    #[test]
    fn a_cycle_after_the_last_day_has_no_version() {
        let family =
            families(vec![version("2026-05-10", "2026-06-30", "quarter")]).expect("one version").remove(0);
        assert_eq!(starts_of(&family, "2026-Q2").as_deref(), Some("2026-05-10"));
        assert_eq!(starts_of(&family, "2026-Q3"), None);
    }

    fn refused(versions: Vec<Scheme>) -> String {
        families(versions)
            .expect_err("versions that cannot be")
            .iter()
            .map(|faults| faults.render(false))
            .collect()
    }

    #[test]
    fn versions_that_overlap_or_leave_days_out_are_refused_with_both_files() {
        let open = refused(vec![version("2026-04-01", "", "quarter"), version("2027-04-01", "", "quarter")]);
        assert!(open.contains("2026-04-01.toml has no end") && open.contains("ends = 2027-03-31"), "{open}");
        assert!(open.contains("--> 2027-04-01.toml"), "{open}");
        let gap = refused(vec![
            version("2026-04-01", "2027-03-30", "quarter"),
            version("2027-04-01", "", "quarter"),
        ]);
        assert!(gap.contains("no version from 2027-03-31 to 2027-03-31"), "{gap}");
        let twice = refused(vec![version("2026-04-01", "", "quarter"), version("2026-04-01", "", "quarter")]);
        assert!(twice.contains("overlap") && twice.contains("keep one of the two"), "{twice}");
    }

    #[test]
    fn what_a_wallet_rests_on_cannot_change_between_versions() {
        let other =
            refused(vec![version("2026-04-01", "2027-03-31", "quarter"), version("2027-04-01", "", "month")]);
        assert!(
            other.contains("`length` of scheme lamps is month; in 2026-04-01.toml it is quarter"),
            "{other}"
        );
    }

    #[test]
    fn schemes_of_different_ids_are_families_of_their_own() {
        let other = Scheme { id: "bulbs".into(), ..version("2026-04-01", "", "month") };
        let families = families(vec![version("2026-04-01", "", "quarter"), other]).expect("two schemes");
        let ids: Vec<&str> = families.iter().map(|family| family.id.as_str()).collect();
        assert_eq!(ids, ["bulbs", "lamps"]);
    }
}

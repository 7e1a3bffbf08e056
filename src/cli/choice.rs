//! Which scheme, cycle and partner a person means: what was typed, or the only one there is. What is not there is answered
//! with what is nearest to it.

use super::exit::Fault;
use crate::calendar::Cycle;
use crate::fault::nearest;
use crate::scheme::Family;
use crate::store::Store;
use anyhow::Result;
use chrono::{DateTime, NaiveDate, Utc};

/// Most codes that are suggested.
const SUGGESTIONS: usize = 3;
/// Codes that are compared at once.
const COMPARED: usize = 4_096;

/// The scheme with this id.
pub(super) fn family<'f>(families: &'f [Family], id: &str) -> Result<&'f Family> {
    families.iter().find(|family| family.id == id).ok_or_else(|| {
        let ids: Vec<&str> = families.iter().map(|family| family.id.as_str()).collect();
        Fault::failed(match nearest(id, &ids) {
            Some(near) => format!("there is no scheme {id}; did you mean {near}?"),
            None if ids.is_empty() => format!("there is no scheme {id}: schemes_dir has none"),
            None => format!("there is no scheme {id}; there are: {}", ids.join(", ")),
        })
    })
}

/// The schemes with this id, or all of them.
pub(super) fn families<'f>(all: &'f [Family], id: Option<&str>) -> Result<Vec<&'f Family>> {
    match id {
        Some(id) => Ok(vec![family(all, id)?]),
        None => Ok(all.iter().collect()),
    }
}

/// The cycle of a scheme with this name.
pub(super) fn cycle(family: &Family, name: &str) -> Result<Cycle> {
    let first = &family.versions[0];
    first.calendar.parse(name).ok_or_else(|| {
        let example = first.calendar.name(first.calendar.cycle_of(first.starts));
        Fault::failed(format!(
            "scheme {} has no cycle named {name}; its cycles are named as {example} is",
            family.id
        ))
    })
}

/// The scheme of a partner: the one named, the only one there is, or the only one in which the partner has a position.
pub(super) fn family_of<'f>(
    store: &Store,
    all: &'f [Family],
    partner: &str,
    id: Option<&str>,
) -> Result<&'f Family> {
    match (id, all) {
        (Some(id), _) => return family(all, id),
        (None, [only]) => return Ok(only),
        (None, _) => {}
    }
    let mut with = Vec::new();
    for family in all {
        if !store.positions_of(&family.id, partner)?.is_empty() {
            with.push(family);
        }
    }
    match with.as_slice() {
        [only] => Ok(only),
        [] if all.is_empty() => Err(Fault::failed("there is no scheme: schemes_dir has none")),
        [] => Err(Fault::failed(format!("partner {partner} has no position in any scheme yet"))),
        several => {
            let ids: Vec<&str> = several.iter().map(|family| family.id.as_str()).collect();
            Err(Fault::usage(format!(
                "partner {partner} is in several schemes: name one with --scheme ({})",
                ids.join(", ")
            )))
        }
    }
}

/// Refuses a partner that neither facts nor the partner master know.
pub(super) fn known_partner(store: &Store, code: &str) -> Result<()> {
    match unknown_partner(store, code)? {
        None => Ok(()),
        Some(why) => Err(Fault::failed(why)),
    }
}

/// Why a partner is not known, with the codes nearest to it; `None` where it is.
pub(super) fn unknown_partner(store: &Store, code: &str) -> Result<Option<String>> {
    if store.has_partner(code)? || !store.partner_records(code, None)?.is_empty() {
        return Ok(None);
    }
    let near = nearest_codes(store, code)?;
    Ok(Some(if near.is_empty() {
        format!("no file has named a partner {code} yet (codes are compared exactly)")
    } else {
        format!("no file has named a partner {code} yet; did you mean {}?", near.join(" or "))
    }))
}

/// The codes nearest to one that is not there, the nearest first.
fn nearest_codes(store: &Store, code: &str) -> Result<Vec<String>> {
    let mut best: Vec<String> = Vec::new();
    let mut some: Vec<String> = Vec::new();
    store.each_partner_code(|known| {
        some.push(known.to_owned());
        if some.len() == COMPARED {
            best.extend(nearest_of(code, std::mem::take(&mut some)));
        }
        Ok(())
    })?;
    best.append(&mut some);
    Ok(nearest_of(code, best))
}

fn nearest_of(code: &str, mut known: Vec<String>) -> Vec<String> {
    let mut found = Vec::new();
    while found.len() < SUGGESTIONS {
        let codes: Vec<&str> = known.iter().map(String::as_str).collect();
        let Some(near) = nearest(code, &codes).map(str::to_owned) else { break };
        known.retain(|other| *other != near);
        found.push(near);
    }
    found
}

/// The day of a scheme on which a reading command looks: that of `--as-of`, else of the last run.
pub(super) fn day_of(store: &Store, family: &Family, as_of: Option<DateTime<Utc>>) -> Result<NaiveDate> {
    let at = match as_of {
        Some(at) => at,
        None => match store.clock()? {
            Some((_, last)) => DateTime::parse_from_rfc3339(&last)?.to_utc(),
            None => return Err(Fault::failed("the store has no run yet: `accrued run` makes one")),
        },
    };
    Ok(at.with_timezone(&family.versions[0].timezone).date_naive())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_codes_come_first() {
        let known = || ["R-101", "R-102", "R-201", "X"].map(str::to_owned).to_vec();
        assert_eq!(nearest_of("r101", known()), ["R-101"]);
        assert_eq!(nearest_of("R-103", known()), ["R-101", "R-102"]);
        assert!(nearest_of("something else", known()).is_empty());
    }
}

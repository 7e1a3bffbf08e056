//! `[[push]]` as typed -> as meant: folders that what is published is pushed to. Pure.

use super::feed::{folder_name, name_the_table};
use super::paths::Scope;
use super::place;
use super::table::{Read, Reading, Table};
use super::values::{Wrong, as_toml, shown};
use super::{Push, What};
use crate::fault::{Fault, nearest};
use crate::inbox::pattern::Pattern;
use crate::inbox::{After, Complete, Source};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

const WORDS: [(&str, What); 3] =
    [("statements", What::Statements), ("balances", What::Balances), ("rejects", What::Rejects)];
const WHAT_HELP: &str = "write what = [\"statements\", \"balances\", \"rejects\"], or some of them";

/// Reads one push; `number` counts from 1, for a push without a name.
pub(super) fn read<'t>(
    reading: &mut Reading<'_>,
    scope: Scope<'t>,
    number: usize,
    header: Range<usize>,
    entries: &'t DeTable<'t>,
) -> Option<(Read<String>, Option<Push>)> {
    let mut table =
        Table::new(&format!("push.{number}"), "[[push]]", header, Some(entries)).under(scope.over);
    name_the_table(&mut table, "push");
    let name = table.required(reading, "name", "add name = \"portal\"", folder_name);
    let what = table.required(reading, "what", WHAT_HELP, what);
    let place = place::read(&mut table, reading, scope);
    table.close(reading);
    let name = name?;
    let push = (|| {
        let source = Source {
            feed: name.value.clone(),
            place: place?,
            // whatever is in it
            pattern: Pattern::new("*").ok()?,
            complete: Complete::Marker,
            max_bytes: u64::MAX,
            sidecar: None,
            after: After::Leave,
        };
        Some(Push { name: name.value.clone(), source, what: what?.value })
    })();
    Some((name, push))
}

fn what(value: &DeValue<'_>) -> Result<Vec<What>, Wrong> {
    let DeValue::Array(items) = value else {
        return Err(Wrong::kind("a list of words", value, WHAT_HELP));
    };
    let mut chosen = Vec::new();
    for item in items.iter() {
        let item = item.get_ref();
        let Some((_, what)) = item.as_str().and_then(|word| WORDS.iter().find(|(known, _)| *known == word))
        else {
            let near = item.as_str().and_then(|word| nearest(word, &WORDS.map(|(known, _)| known)));
            let label = near.map_or("not one of them".to_owned(), |near| format!("did you mean {near:?}?"));
            return Err(Wrong::new(
                format!("names {}, which nothing is pushed as", shown(item)),
                label,
                WHAT_HELP,
            ));
        };
        if chosen.contains(what) {
            return Err(Wrong::new(format!("names {} twice", as_toml(item)), "again", WHAT_HELP));
        }
        chosen.push(*what);
    }
    if chosen.is_empty() {
        return Err(Wrong::new("is an empty list: nothing would be pushed", "nothing", WHAT_HELP));
    }
    Ok(chosen)
}

/// Says where two pushes have one name.
pub(super) fn check_names(reading: &mut Reading<'_>, names: &[Read<String>]) {
    for (at, name) in names.iter().enumerate() {
        let Some(first) = names[..at].iter().find(|other| other.value == name.value) else { continue };
        let (Some(here), Some(there)) = (name.at.clone(), first.at.clone()) else { continue };
        let fault = Fault::error(
            here,
            format!("two pushes are called {:?}", name.value),
            "again",
            "give each a name of its own: by it the store knows what was pushed where",
        );
        reading.faults.push(fault.and(there, "the first"));
    }
}

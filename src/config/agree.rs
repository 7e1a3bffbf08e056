//! What feeds owe each other: names of their own, and one way to number the documents that they share. Pure.

use super::feed::Placed;
use super::table::{Read, Reading};
use super::values::{MONTHS, text_as_toml};
use super::{Kind, after};
use crate::facts::settle::NumberScope;
use crate::fault::Fault;
use crate::inbox::Place;
use std::ops::Range;

/// Says every disagreement between feeds.
pub(super) fn check(reading: &mut Reading<'_>, feeds: &[Placed]) {
    for (index, feed) in feeds.iter().enumerate() {
        let before = &feeds[..index];
        if let Some(fault) = same_name(feed, before) {
            reading.faults.push(fault);
        }
        reading.faults.extend(other_numbers(feed, before));
        reading.warnings.extend(same_files(feed, before));
    }
    reading.warnings.extend(feeds.iter().filter_map(|feed| pays_nothing(feed, feeds)));
    reading.warnings.extend(feeds.iter().filter_map(|feed| moves_into_another(feed, feeds)));
}

/// Payments of documents that no feed brings sales of: they would never pay anything.
fn pays_nothing(feed: &Placed, feeds: &[Placed]) -> Option<Fault> {
    let kind = |feed: &Placed| feed.feed.as_ref().map(|feed| feed.kind);
    let sells = |other: &&Placed| matches!(kind(other), Some(Kind::Sales) | None) && shares(feed, other);
    if kind(feed) != Some(Kind::Payments) || feeds.iter().any(|other| sells(&other)) {
        return None;
    }
    let documents = feed.documents.as_ref()?;
    let message = format!("no feed brings sales of the documents {}", text_as_toml(&documents.value));
    let help = "write the `documents` of the sales that are paid, or their feed's name";
    Some(Fault::warning(place(documents, feed), message, "these payments would never pay anything", help))
}

fn same_name(feed: &Placed, before: &[Placed]) -> Option<Fault> {
    let name = feed.name.as_ref()?;
    let first =
        before.iter().find_map(|other| other.name.as_ref().filter(|other| other.value == name.value))?;
    let message = format!("two feeds are named {}", text_as_toml(&name.value));
    let fault =
        Fault::error(place(name, feed), message, "the same again", "give each feed a name of its own");
    Some(fault.and(first.at.clone()?, "the first"))
}

/// What one feed has taken would lie where another takes its files from.
fn moves_into_another(feed: &Placed, feeds: &[Placed]) -> Option<Fault> {
    let source = &feed.feed.as_ref()?.source;
    let target = after::target(&source.place, &source.after)?;
    let other = feeds
        .iter()
        .find(|other| other.feed.as_ref().is_some_and(|other| same_folder(&other.source.place, &target)))?;
    let message = format!("{} moves its files into the folder of another feed", text_as_toml(&source.feed));
    let help = "give the folder for taken files to nobody else: what is taken twice is held";
    Some(
        Fault::warning(feed.header.clone(), message, "moves them", help)
            .and(other.header.clone(), "takes them"),
    )
}

/// Two feeds over the same names of the same folder: whatever one takes is held for the other.
fn same_files(feed: &Placed, before: &[Placed]) -> Option<Fault> {
    let source = &feed.feed.as_ref()?.source;
    let first = before.iter().find(|other| {
        other.feed.as_ref().is_some_and(|other| {
            let other = &other.source;
            other.pattern.text == source.pattern.text && same_folder(&other.place, &source.place)
        })
    })?;
    let message = format!("{} reads the same files as another feed", text_as_toml(&source.feed));
    let help = "one feed reads a file: give them different files, or remove one";
    Some(Fault::warning(feed.header.clone(), message, "this one", help).and(first.header.clone(), "that one"))
}

fn same_folder(one: &Place, other: &Place) -> bool {
    match (one, other) {
        (Place::Folder(one), Place::Folder(other)) => one == other,
        (Place::Sftp(one), Place::Sftp(other)) => {
            (&one.host, one.port, &one.user, &one.folder)
                == (&other.host, other.port, &other.user, &other.folder)
        }
        (Place::Folder(_), Place::Sftp(_)) | (Place::Sftp(_), Place::Folder(_)) => false,
    }
}

/// Faults where an earlier feed shares this one's documents and tells their numbers apart in another way.
fn other_numbers(feed: &Placed, before: &[Placed]) -> Vec<Fault> {
    let Some(first) = before.iter().find(|other| shares(feed, other)) else {
        return Vec::new();
    };
    let space = feed.documents.as_ref().map_or("", |read| &read.value);
    let mut faults = Vec::new();
    if feed.number_scope.value != first.number_scope.value {
        let [here, there] = [scope(feed), scope(first)];
        let places = (place(&feed.number_scope, feed), place(&first.number_scope, first));
        faults.push(disagree("number_scope", space, [here, there], places));
    }
    let restart = |feed: &Placed| feed.numbers_restart.as_ref().map(|read| read.value);
    if restart(feed) != restart(first) {
        let at = |feed: &Placed| {
            feed.numbers_restart.as_ref().map_or(feed.header.clone(), |read| place(read, feed))
        };
        let words = [month(restart(feed)), month(restart(first))];
        faults.push(disagree("numbers_restart", space, words, (at(feed), at(first))));
    }
    faults
}

fn disagree(key: &str, space: &str, [here, there]: [&str; 2], places: (Range<usize>, Range<usize>)) -> Fault {
    let message = format!("feeds that share the documents {} disagree on {key}", text_as_toml(space));
    let help = format!("write the same {key} in both, or give one of them documents of its own");
    Fault::error(places.0, message, format!("{here} here"), help).and(places.1, format!("{there} here"))
}

fn shares(feed: &Placed, other: &Placed) -> bool {
    let documents = |feed: &Placed| feed.documents.as_ref().map(|read| read.value.clone());
    let both = feed.speaks_of_documents && other.speaks_of_documents;
    both && documents(feed).is_some() && documents(feed) == documents(other)
}

fn place<T>(read: &Read<T>, feed: &Placed) -> Range<usize> {
    read.at.clone().unwrap_or_else(|| feed.header.clone())
}

fn scope(feed: &Placed) -> &'static str {
    match feed.number_scope.value {
        NumberScope::Distributor => "distributor",
        NumberScope::Space => "space",
    }
}

fn month(number: Option<u32>) -> &'static str {
    MONTHS.iter().find(|(_, month)| Some(*month) == number).map_or("absent", |(word, _)| *word)
}

//! The schemes of a run: read from their folder, journalled, checked against what has posted, and pinned for closed cycles.

use crate::config::Config;
use crate::fault::{Fault, Faults};
use crate::scheme::{self, Family, Scheme};
use crate::store::Store;
use crate::store::cycles::SchemeText;
use crate::store::journal::Stamp;
use anyhow::{Context, Result, anyhow, bail};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Schemes as they stand in their folder.
#[derive(Debug, Clone, Default)]
pub struct RealSchemes {
    /// by id, versions in order of dates
    pub families: Vec<Family>,
    /// path and text of each file by version
    pub texts: BTreeMap<String, (String, String)>,
    /// likely mistakes
    pub warnings: Vec<Faults>,
}

/// Schemes as a run goes by them.
pub(super) struct InForce {
    pub families: Vec<Family>,
}

/// A config or scheme that cannot be gone by (exit 78).
#[derive(Debug)]
pub struct Invalid(pub Vec<Faults>);

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for faults in &self.0 {
            write!(f, "{}", faults.render(false))?;
        }
        Ok(())
    }
}

impl std::error::Error for Invalid {}

/// Reads every `*.toml` of schemes_dir. Faults of all files are told at once.
pub fn load_schemes(config: &Config) -> Result<RealSchemes> {
    let paths = scheme_files(config)?;
    let mut real = RealSchemes::default();
    let mut schemes = Vec::new();
    let mut faults = Vec::new();
    for path in paths {
        let shown = path.display().to_string();
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {shown}"))?;
        let Ok(text) = String::from_utf8(bytes) else {
            faults.push(fault(&shown, "this file is not UTF-8".to_owned(), "save it as UTF-8"));
            continue;
        };
        match scheme::parse(&shown, &text) {
            Ok((scheme, warnings)) => {
                if !warnings.is_empty() {
                    real.warnings.push(Faults { path: shown.clone(), text: text.clone(), faults: warnings });
                }
                real.texts.insert(scheme.version.clone(), (shown, text));
                schemes.push(scheme);
            }
            Err(found) => faults.push(found),
        }
    }
    if faults.is_empty() {
        match scheme::families(schemes) {
            Ok(families) => real.families = families,
            Err(found) => faults = found,
        }
    }
    if faults.is_empty() { Ok(real) } else { Err(Invalid(faults).into()) }
}

/// Every `*.toml` of schemes_dir, in order of name.
fn scheme_files(config: &Config) -> Result<Vec<PathBuf>> {
    let folder = &config.schemes_dir;
    let listing = std::fs::read_dir(folder).map_err(|error| {
        let message = format!("schemes_dir {} cannot be read: {error}", folder.display());
        let help = "make that folder, or name another as schemes_dir";
        Invalid(vec![fault(&config.path.display().to_string(), message, help)])
    })?;
    let mut paths = Vec::new();
    for entry in listing {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Journals texts seen for the first time and refuses changes that no scheme may make once it has closed a cycle.
pub(super) fn take_in_force(store: &Store, stamp: &Stamp, real: RealSchemes) -> Result<InForce> {
    let kept = keepers(store)?;
    let mut faults = Vec::new();
    for (id, before) in &kept {
        match real.families.iter().find(|family| &family.id == id) {
            None => faults.push(lost(id, &before.path)),
            Some(family) => faults.extend(changed(before, &family.versions[0])),
        }
    }
    if !faults.is_empty() {
        return Err(Invalid(faults).into());
    }
    for family in &real.families {
        for version in &family.versions {
            if let Some((path, text)) = real.texts.get(&version.version) {
                store.scheme_text(stamp, &version.id, &version.version, path, text)?;
            }
        }
    }
    let versions = real.families.iter().flat_map(|family| &family.versions);
    store.versions_in_force(stamp, &versions.map(|version| version.version.as_str()).collect::<Vec<_>>())?;
    let families = real.families.into_iter().map(|family| with_pins(store, family)).collect::<Result<_>>()?;
    Ok(InForce { families })
}

/// The last text of each scheme that has posted.
fn keepers(store: &Store) -> Result<BTreeMap<String, Scheme>> {
    let mut kept = BTreeMap::new();
    for text in store.scheme_texts()? {
        if store.has_posted(&text.scheme)? {
            kept.insert(text.scheme.clone(), parsed(&text.path, &text.text)?);
        }
    }
    Ok(kept)
}

fn parsed(path: &str, text: &str) -> Result<Scheme> {
    match scheme::parse(path, text) {
        Ok((scheme, _)) => Ok(scheme),
        Err(faults) => {
            Err(anyhow!("a scheme text in the store cannot be read any more: {}", faults.render(false)))
        }
    }
}

fn fault(path: &str, message: String, help: &str) -> Faults {
    Faults {
        path: path.to_owned(),
        text: String::new(),
        faults: vec![Fault::missing(message, help.to_owned())],
    }
}

fn lost(id: &str, path: &str) -> Faults {
    fault(
        path,
        format!("scheme {id} has posted points, but none of the files in schemes_dir has this id any more"),
        "put the file back; to end a scheme, give it an `ends` date",
    )
}

/// Currency, timezone, length, year_starts and day_closes_at cannot change once the scheme has posted (evaluation.md 4).
fn changed(before: &Scheme, after: &Scheme) -> Option<Faults> {
    let differs = [
        ("currency", before.currency != after.currency),
        ("timezone", before.timezone != after.timezone),
        ("length", before.calendar.length != after.calendar.length),
        ("year_starts", before.calendar.year_starts != after.calendar.year_starts),
        ("day_closes_at", before.day_closes_at != after.day_closes_at),
    ];
    let keys: Vec<&str> = differs.iter().filter(|(_, differs)| *differs).map(|(key, _)| *key).collect();
    if keys.is_empty() {
        return None;
    }
    Some(fault(
        &after.path,
        format!("scheme {} has posted points: its {} cannot change any more", after.id, keys.join(", ")),
        "put the old value back; for other rules of this kind, end this scheme and begin one with another id",
    ))
}

/// The schemes as the last run evaluated them, whatever their files say today. Faults are of the store: a text that is
/// gone or was changed.
pub fn evaluated_families(store: &Store) -> Result<Vec<Family>> {
    let texts = store.scheme_texts()?;
    let mut families = Vec::new();
    for (id, rests_on) in store.evaluated_schemes()? {
        let versions = rests_on.split(" | ").next().unwrap_or_default().split_whitespace();
        let schemes = versions.map(|version| text_of(&texts, version)).collect::<Result<Vec<_>>>()?;
        families.push(with_pins(store, Family::new(id, schemes))?);
    }
    Ok(families)
}

/// The schemes that a run went by, as they stood when the journal record `upto` was the last; `None` where the journal does
/// not say (stores that older versions have made).
pub fn families_upto(store: &Store, upto: i64) -> Result<Option<Vec<Family>>> {
    let Some(record) = store.last_record_upto("schemes", upto)? else { return Ok(None) };
    let body: serde_json::Value = serde_json::from_str(&record.body)?;
    let texts = store.scheme_texts()?;
    let mut families: Vec<Family> = Vec::new();
    for version in body["versions"].as_array().into_iter().flatten() {
        let scheme = text_of(&texts, version.as_str().unwrap_or_default())?;
        match families.last_mut() {
            Some(family) if family.id == scheme.id => family.versions.push(scheme),
            Some(_) | None => families.push(Family::new(scheme.id.clone(), vec![scheme])),
        }
    }
    families.into_iter().map(|family| with_pins_upto(store, family, upto)).collect::<Result<_>>().map(Some)
}

/// A version out of the texts of the store.
fn text_of(texts: &[SchemeText], version: &str) -> Result<Scheme> {
    let text = texts
        .iter()
        .find(|text| text.version == version)
        .with_context(|| format!("the text of scheme version {version} is not in the store"))?;
    let scheme = parsed(&text.path, &text.text)?;
    if scheme.version != version {
        bail!("the text of version {version} of scheme {} was changed in the store", text.scheme);
    }
    Ok(scheme)
}

/// Closed cycles go by the text that they were closed with, whatever its file says today.
pub fn with_pins(store: &Store, family: Family) -> Result<Family> {
    with_pins_upto(store, family, i64::MAX)
}

fn with_pins_upto(store: &Store, mut family: Family, upto: i64) -> Result<Family> {
    let texts = store.scheme_texts()?;
    for closed in store.closed_upto(&family.id, upto)? {
        let Some(version) = closed.version else { continue };
        let cycle = crate::calendar::Cycle(closed.cycle);
        if family.version_for(cycle).is_some_and(|today| today.version == version) {
            continue;
        }
        family.pin(cycle, text_of(&texts, &version)?);
    }
    Ok(family)
}

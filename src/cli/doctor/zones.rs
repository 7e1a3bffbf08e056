//! Time-zone data: how old those compiled in are, and whether the system's say something else of a zone in use.

use super::Findings;
use crate::batch::RealSchemes;
use crate::calendar::{Difference, SystemZone, Zone, first_difference};
use crate::cli::session::Session;
use crate::clock;
use crate::config::Config;
use chrono::{DateTime, FixedOffset, Utc};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// So far ahead zones are compared: the dates of cycles that anybody plans for.
const YEARS_AHEAD: i64 = 5;
/// So far back: late files and corrections.
const YEARS_BACK: i64 = 2;
const YEAR: i64 = 31_556_952;
/// Data so old are told.
const OLD_DAYS: i64 = 365;

pub(super) fn look(
    session: &Session,
    config: Option<&Config>,
    schemes: Option<&RealSchemes>,
    findings: &mut Findings,
) {
    let used = used(config, schemes);
    age(session.now(), &used, findings);
    let system = System::of_environment();
    for (zone, by) in used {
        of_zone(session.now(), zone, &by, &system, findings);
    }
}

/// The zones in use, by name, with who uses them.
fn used(config: Option<&Config>, schemes: Option<&RealSchemes>) -> Vec<(Zone, String)> {
    let mut used: BTreeMap<&'static str, (Zone, Vec<String>)> = BTreeMap::new();
    let mut add = |zone: Zone, by: String| {
        let (_, users) = used.entry(zone.name()).or_insert((zone, Vec::new()));
        if !users.contains(&by) {
            users.push(by);
        }
    };
    if let Some(config) = config {
        config.schedule.iter().for_each(|schedule| add(schedule.timezone, "the schedule".to_owned()));
        config.feeds.iter().for_each(|feed| add(feed.layout.timezone, format!("feed {}", feed.name)));
    }
    let families = schemes.into_iter().flat_map(|schemes| &schemes.families);
    for scheme in families.flat_map(|family| &family.versions) {
        add(scheme.timezone, format!("scheme {}", scheme.id));
    }
    used.into_values().map(|(zone, by)| (zone, by.join(", "))).collect()
}

fn age(now: DateTime<Utc>, used: &[(Zone, String)], findings: &mut Findings) {
    let (version, released) = (clock::time_zone_data(), clock::time_zone_data_released());
    let days = (now.date_naive() - released).num_days();
    let told = format!("{version}, released {released}, compiled in");
    if days <= OLD_DAYS {
        return findings.ok("time-zone data", told);
    }
    let wrong =
        clock::KNOWN_WRONG.iter().filter(|(name, _)| used.iter().any(|(zone, _)| zone.name() == *name));
    let wrong: Vec<String> = wrong.map(|(name, from)| format!("{name} is wrong from {from} on")).collect();
    let finding = match wrong.as_slice() {
        [] => format!("{told}: {} months old; rules of zones changed since are not known", days * 12 / 365),
        several => format!("{told}: {} months old; {}", days * 12 / 365, several.join(", ")),
    };
    findings.warn("time-zone data", finding, "install an accrued that was built with newer data");
}

/// The system's files.
struct System {
    folder: PathBuf,
    version: Option<String>,
}

impl System {
    /// `TZDIR`, as the C library has it, else /usr/share/zoneinfo.
    fn of_environment() -> System {
        let named = std::env::var_os("TZDIR").filter(|named| !named.is_empty());
        let folder = named.map_or_else(|| PathBuf::from("/usr/share/zoneinfo"), PathBuf::from);
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
        let of_text = |text: String| Some(text.lines().next()?.strip_prefix("# version ")?.trim().to_owned());
        let plain = read("+VERSION").map(|text| text.trim().to_owned());
        let version = plain.or_else(|| read("tzdata.zi").and_then(of_text));
        System { folder, version }
    }

    fn zone(&self, name: &str) -> Option<SystemZone> {
        SystemZone::read(&std::fs::read(self.folder.join(name)).ok()?)
    }

    /// `the system's (2025b)`
    fn shown(&self) -> String {
        match &self.version {
            Some(version) => format!("the system's ({version})"),
            None => "the system's".to_owned(),
        }
    }
}

fn of_zone(now: DateTime<Utc>, zone: Zone, by: &str, system: &System, findings: &mut Findings) {
    let check = format!("zone {}", zone.name());
    let Some(theirs) = system.zone(zone.name()) else {
        let folder = system.folder.display();
        return findings.ok(check, format!("of {by}; not compared: {folder} has no such zone"));
    };
    let range = now.timestamp() - YEARS_BACK * YEAR..now.timestamp() + YEARS_AHEAD * YEAR;
    let until = DateTime::from_timestamp(range.end, 0).unwrap_or_default().date_naive();
    match first_difference(zone, &theirs, range) {
        None => {
            findings.ok(check, format!("of {by}; as {} says until {}", system.shown(), until.format("%Y")))
        }
        Some(found) => {
            let finding = format!("of {by}; {} here, {}", told(found), system.shown());
            findings.warn(check, format!("{finding} {}", other(found)), remedy(system));
        }
    }
}

/// `from 2026-11-01T09:00:00Z on it is -08:00`
fn told(found: Difference) -> String {
    let at = DateTime::from_timestamp(found.at, 0).map(clock::stamp).unwrap_or_default();
    format!("from {at} on it is {}", east(found.ours))
}

fn other(found: Difference) -> String {
    format!("say {}", east(found.theirs))
}

fn east(seconds: i32) -> String {
    FixedOffset::east_opt(seconds).map(|offset| offset.to_string()).unwrap_or_default()
}

/// Whoever is older is to be renewed.
fn remedy(system: &System) -> &'static str {
    match &system.version {
        Some(version) if version.as_str() < clock::time_zone_data() => {
            "update the system's time-zone data (tzdata), or see which of the two is right"
        }
        Some(_) | None => {
            "install an accrued that was built with newer data: until then days of this zone are counted by the old rules"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Offsets in the summer of 2026, from this machine's own files: a machine without them has nothing to be compared with.
    #[test]
    fn the_systems_own_files_can_be_read() {
        let summer = 1_782_864_000;
        for (zone, offset) in [
            ("Asia/Kolkata", 19_800),
            ("America/New_York", -14_400),
            ("Australia/Lord_Howe", 37_800),
            ("UTC", 0),
        ] {
            let Ok(bytes) = std::fs::read(format!("/usr/share/zoneinfo/{zone}")) else { continue };
            assert_eq!(SystemZone::read(&bytes).expect(zone).offset_at(summer), offset, "{zone}");
        }
    }
}

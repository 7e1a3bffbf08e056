//! `accrued doctor`: is everything there that runs rest on, and what to do about each thing that is not.
//!
//! Answers for: one line for each thing that was looked at, in the order in which a person would; every line that is not well carries
//! its remedy. Does not: change anything (one file is made beside the store and removed, to see whose clock dates it; likewise an empty
//! folder where files are pushed to, to see that it can be), nor prove the ledger (`verify` does).
//!
//! It ends with the first of 78, 1, 12 and 5 that a bad line has, else with 0, also where there are warnings.

mod clock;
mod disk;
mod feeds;
mod guards;
mod program;
mod pushes;
mod reached;
mod store;
mod zones;

use super::aligned;
use super::exit::{self, Exit};
use super::output::{Column, Format, printable, text};
use super::session::Session;
use super::summary::counted;
use crate::batch::{Invalid, RealSchemes};
use crate::config::Config;
use crate::store::Store;
use anyhow::Result;
use std::io::Write;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Do not contact any feed or push
    #[arg(long)]
    offline: bool,
}

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ok,
    /// works, and will not for long, or is not as it should be
    Warn,
    /// runs fail, with this end
    Bad(Exit),
}

impl State {
    fn word(self) -> &'static str {
        match self {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Bad(_) => "bad",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug)]
struct Line {
    check: String,
    state: State,
    finding: String,
    remedy: String,
}

/// What was found so far.
#[derive(Debug, Default)]
struct Findings {
    lines: Vec<Line>,
}

impl Findings {
    fn ok(&mut self, check: impl Into<String>, finding: impl Into<String>) {
        self.add(check, State::Ok, finding, "");
    }

    fn warn(&mut self, check: impl Into<String>, finding: impl Into<String>, remedy: impl Into<String>) {
        self.add(check, State::Warn, finding, remedy);
    }

    fn bad(
        &mut self,
        check: impl Into<String>,
        exit: Exit,
        finding: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.add(check, State::Bad(exit), finding, remedy);
    }

    fn add(
        &mut self,
        check: impl Into<String>,
        state: State,
        finding: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (check, finding, remedy) = (check.into(), finding.into(), remedy.into());
        self.lines.push(Line { check, state, finding, remedy });
    }

    fn exit(&self) -> Exit {
        let worst = [Exit::Invalid, Exit::Failed, Exit::Refused, Exit::Temporary];
        let has = |exit: &Exit| self.lines.iter().any(|line| line.state == State::Bad(*exit));
        worst.into_iter().find(has).unwrap_or(Exit::Done)
    }

    fn count(&self, word: &str) -> u64 {
        self.lines.iter().filter(|line| line.state.word() == word).count() as u64
    }
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let mut findings = Findings::default();
    program::look(&mut findings);
    let config = config(session, &mut findings);
    let schemes = config.as_ref().and_then(|config| schemes(session, config, &mut findings));
    zones::look(session, config.as_ref(), schemes.as_ref(), &mut findings);
    if let Some(config) = &config {
        of_config(session, config, args, &mut findings)?;
    }
    print(session, &findings)?;
    Ok(findings.exit())
}

fn of_config(session: &Session, config: &Config, args: &Args, findings: &mut Findings) -> Result<()> {
    let store = store::look(session, config, findings)?;
    disk::look(config, store.as_ref(), findings)?;
    guards::lock(config, session.now(), findings);
    clock::look(session, config, store.as_ref(), findings)?;
    guards::permissions(config, findings);
    guards::secrets(config, findings);
    if args.offline {
        session.next("accrued doctor, without --offline, also looks at every feed and push");
        return Ok(());
    }
    reached::look(session, config, store.as_ref(), findings)
}

/// The config, or why there is none.
fn config(session: &Session, findings: &mut Findings) -> Option<Config> {
    match session.config() {
        Ok(config) => {
            let over =
                config.settings.iter().filter(|setting| !setting.stands_over.is_empty()).count() as u64;
            let mut finding =
                format!("{}: {}", config.path.display(), counted(config.feeds.len() as u64, "feed"));
            if over > 0 {
                finding.push_str(&format!(", {} from beside the file", counted(over, "setting")));
            }
            findings.ok("config", finding);
            Some(config)
        }
        Err(fault) => {
            let path = session.config_path().map(|path| path.display().to_string()).unwrap_or_default();
            match invalid(&fault) {
                Some(first) => {
                    let remedy = "accrued check --offline shows each fault with its line";
                    findings.bad("config", Exit::Invalid, format!("{path}: {first}"), remedy);
                }
                None => {
                    let remedy = "accrued init DIR writes a first one, --config FILE names one";
                    findings.bad("config", exit::of(&fault, None), without_remedy(&fault), remedy);
                }
            }
            None
        }
    }
}

fn schemes(session: &Session, config: &Config, findings: &mut Findings) -> Option<RealSchemes> {
    match session.schemes(config) {
        Ok(schemes) => {
            let versions = schemes.families.iter().map(|family| family.versions.len() as u64).sum();
            let families = schemes.families.len() as u64;
            let finding = format!(
                "{}, {} in {}",
                counted(families, "scheme"),
                counted(versions, "version"),
                config.schemes_dir.display()
            );
            match families {
                0 => findings.warn("schemes", finding, "write one: runs fetch and ingest, and post nothing"),
                _ => findings.ok("schemes", finding),
            }
            Some(schemes)
        }
        Err(fault) => {
            let told = invalid(&fault).unwrap_or_else(|| format!("{fault:#}"));
            let remedy = "accrued check --offline shows each fault with its line";
            findings.bad("schemes", exit::of(&fault, None), told, remedy);
            None
        }
    }
}

/// The first fault of files that people wrote, and how many there are.
fn invalid(fault: &anyhow::Error) -> Option<String> {
    let Invalid(files) = fault.chain().find_map(|cause| cause.downcast_ref::<Invalid>())?;
    let count = files.iter().map(|file| file.faults.len()).sum::<usize>();
    let first = files.iter().flat_map(|file| &file.faults).next()?;
    Some(match count {
        1 => first.message.clone(),
        _ => format!("{} (and {} more)", first.message, counted(count as u64 - 1, "fault")),
    })
}

/// What is wrong, without what a message says to do about it.
fn without_remedy(fault: &anyhow::Error) -> String {
    let whole = format!("{fault:#}");
    let end = [";", " (`"].iter().filter_map(|mark| whole.find(mark)).min().unwrap_or(whole.len());
    whole[..end].to_owned()
}

const COLUMNS: [Column; 4] = [text("check"), text("state"), text("finding"), text("remedy")];

fn print(session: &Session, findings: &Findings) -> Result<()> {
    match session.format() {
        Format::Csv | Format::Json => {
            let mut table = session.table("doctor", &COLUMNS)?;
            for line in &findings.lines {
                table.row(&[&line.check, line.state.word(), &line.finding, &line.remedy])?;
            }
            table.end()?;
        }
        Format::Table => {
            let mut out = std::io::stdout().lock();
            out.write_all(for_people(findings).as_bytes())?;
            out.flush()?;
        }
    }
    let (warnings, bad) = (findings.count("warn"), findings.count("bad"));
    session.say(format_args!("{} well, {}, {bad} bad", findings.count("ok"), counted(warnings, "warning")));
    Ok(())
}

/// The state first, then what it is of; a remedy stands under its finding.
fn for_people(findings: &Findings) -> String {
    let width = findings.lines.iter().map(|line| line.check.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for line in &findings.lines {
        let gap = " ".repeat(width.saturating_sub(line.check.chars().count()));
        let lead = format!("{:<4}  {}{gap}  ", line.state.word(), printable(&line.check));
        out.push_str(&aligned::hanging(&lead, &printable(&line.finding)));
        if !line.remedy.is_empty() {
            let under = format!("{}-> ", " ".repeat(lead.chars().count()));
            out.push_str(&aligned::hanging(&under, &printable(&line.remedy)));
        }
    }
    out
}

/// `999 bytes`, `12.3 MB`: for people.
fn size(bytes: u64) -> String {
    let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => counted(bytes, "byte"),
    }
}

/// What the store is, for those who look at more.
type MayBe<'s> = Option<&'s Store>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_end_is_given_and_warnings_are_none() {
        let mut findings = Findings::default();
        findings.ok("a", "b");
        findings.warn("a", "b", "c");
        assert_eq!(findings.exit(), Exit::Done);
        for exit in [Exit::Temporary, Exit::Refused, Exit::Failed, Exit::Invalid] {
            findings.bad("a", exit, "b", "c");
            assert_eq!(findings.exit(), exit);
        }
    }

    #[test]
    fn people_read_states_first_and_remedies_below() {
        let mut findings = Findings::default();
        findings.ok("store", "12.3 MB");
        findings.warn("time zones", "old", "update");
        assert_eq!(
            for_people(&findings),
            "ok    store       12.3 MB\nwarn  time zones  old\n                  -> update\n"
        );
    }

    #[test]
    fn sizes_are_short() {
        let shown = [0, 1, 999, 1_000, 12_345_678, 3_000_000_000, u64::MAX].map(size);
        assert_eq!(shown, ["0 bytes", "1 byte", "999 bytes", "1.0 kB", "12.3 MB", "3.0 GB", "18446744.0 TB"]);
    }
}

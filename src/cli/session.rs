//! What every command shares: the global flags, the config and schemes they lead to, the one clock, the store, and what may
//! be said on stderr.
//!
//! Answers for: finding and loading accrued.toml, "now", the lock, signals, colours, the end of a command with its message
//! and at most two hints. Does not: print data (see `output`).

use super::exit::{self, Exit, Fault};
use super::log::{self, About, Volume};
use super::output::{Format, Table};
use super::signals::Signals;
use crate::batch::{self, Invalid, RealSchemes};
use crate::config::{self, Beside, Config};
use crate::fault::Faults;
use crate::inbox::{Cancel, libssh2_version};
use crate::scheme::Family;
use crate::store::{ClockMode, Store};
use crate::{clock, fault};
use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use std::cell::{OnceCell, RefCell};
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Flags of every command.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Global {
    /// accrued.toml to go by [default: accrued.toml here, then /etc/accrued/accrued.toml] [env: ACCRUED_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Put a value over one setting, named as `accrued config show` prints it; may be given several times. It stands over the
    /// setting's variable, which stands over the file
    #[arg(long, global = true, value_name = "SETTING=VALUE", value_parser = one_setting)]
    pub(crate) set: Vec<(String, String)>,
    /// The one clock, for rehearsal and tests: an RFC 3339 instant, or a date (the start of that day in UTC). Before the last
    /// run, what is read is the store as it stood then
    #[arg(long, global = true, value_name = "INSTANT", value_parser = instant)]
    pub(crate) as_of: Option<DateTime<Utc>>,
    /// How data is printed [default: table on a terminal, csv in a pipe]
    #[arg(long, global = true, value_enum)]
    pub(crate) format: Option<Format>,
    /// Colours [NO_COLOR turns them off too]
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub(crate) color: Colour,
    /// Say only what is wrong
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say what is being done; twice: in detail
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Colour {
    /// on a terminal, unless NO_COLOR is set
    Auto,
    /// also in a pipe
    Always,
    /// not at all
    Never,
}

/// `SETTING=VALUE`
fn one_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        Some(_) | None => Err("is no SETTING=VALUE, such as publish.partner_files=true".to_owned()),
    }
}

/// An RFC 3339 instant, or a date: the start of that day in UTC.
fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.to_utc());
    }
    match text.parse::<NaiveDate>() {
        Ok(day) => Ok(day.and_time(NaiveTime::MIN).and_utc()),
        Err(_) => {
            Err("is neither an instant with its offset (2026-07-06T02:30:00+05:30) nor a date (2026-07-06)"
                .to_owned())
        }
    }
}

/// Our version and those of what we stand on.
pub(super) fn versions() -> &'static str {
    static VERSIONS: OnceLock<String> = OnceLock::new();
    VERSIONS.get_or_init(|| {
        format!(
            "{}\nlibssh2 {}\ntime-zone data {}",
            env!("CARGO_PKG_VERSION"),
            libssh2_version(),
            clock::time_zone_data()
        )
    })
}

/// One command from its start to its end.
pub(crate) struct Session {
    global: Global,
    now: DateTime<Utc>,
    signals: OnceCell<Signals>,
    hints: RefCell<Vec<String>>,
}

impl Session {
    /// `usual` is how much the command logs where the flags do not say.
    pub(super) fn new(global: Global, usual: Volume) -> Session {
        log::begin(match (global.quiet, global.verbose) {
            (true, _) => Volume::Errors,
            (false, 0) => usual,
            (false, 1) => Volume::Infos,
            (false, _) => Volume::Everything,
        });
        let now = global.as_of.unwrap_or_else(clock::now);
        Session { global, now, signals: OnceCell::new(), hints: RefCell::new(Vec::new()) }
    }

    /// The one instant of this command.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The instant by which a store is read: on one that is given its time and is not told it now, its last run's.
    pub(crate) fn now_for(&self, store: &Store) -> Result<DateTime<Utc>> {
        match (self.global.as_of, store.clock()?) {
            (None, Some((ClockMode::Given, last))) => {
                let last = DateTime::parse_from_rfc3339(&last)
                    .with_context(|| format!("the last run's instant {last:?} is none"))?;
                Ok(last.to_utc())
            }
            (None, Some((ClockMode::Real, _)) | None) | (Some(_), _) => Ok(self.now),
        }
    }

    /// Whose clock that is.
    pub(crate) fn clock(&self) -> ClockMode {
        if self.global.as_of.is_some() { ClockMode::Given } else { ClockMode::Real }
    }

    /// `--as-of`, where it is given.
    pub(crate) fn as_of(&self) -> Option<DateTime<Utc>> {
        self.global.as_of
    }

    /// `-q`
    pub(crate) fn is_quiet(&self) -> bool {
        self.global.quiet
    }

    /// `-v`
    pub(crate) fn is_verbose(&self) -> bool {
        self.global.verbose > 0
    }

    /// `--format`, where it is given.
    pub(crate) fn asked_format(&self) -> Option<Format> {
        self.global.format
    }

    /// How data is printed.
    pub(crate) fn format(&self) -> Format {
        let usual = if std::io::stdout().is_terminal() { Format::Table } else { Format::Csv };
        self.global.format.unwrap_or(usual)
    }

    /// A table of data on stdout, in the format asked for.
    pub(crate) fn table(&self, command: &'static str, columns: &[super::output::Column]) -> Result<Table> {
        Table::begin(command, self.format(), columns)
    }

    /// Whether faults on stderr have colours.
    pub(crate) fn has_colour(&self) -> bool {
        match self.global.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
                !refused && std::io::stderr().is_terminal()
            }
        }
    }

    /// Where accrued.toml is.
    pub(crate) fn config_path(&self) -> Result<PathBuf> {
        let exists = |path: &Path| path.exists();
        config::locate::locate(self.global.config.as_deref(), &environment, &exists).map_err(Fault::failed)
    }

    /// The config, checked.
    pub(crate) fn config(&self) -> Result<Config> {
        let path = self.config_path()?;
        let bytes = std::fs::read(&path).with_context(|| {
            format!(
                "cannot read the config {} (`accrued init DIR` writes a first one, --config FILE names another)",
                path.display()
            )
        })?;
        let text = String::from_utf8(bytes).map_err(|fault| not_utf8(&path, &fault))?;
        let config = config::load_under(&path, &text, &environment, &self.beside()?)
            .map_err(|faults| Invalid(vec![faults]))?;
        log::choose(config.log_format);
        Ok(config)
    }

    /// What stands over the file: variables, and flags over these.
    fn beside(&self) -> Result<Beside> {
        let mut variables = Vec::new();
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => variables.push((name, value)),
                Err(_) if name.starts_with(config::over::PREFIX) => return Err(not_text(&name).into()),
                Err(_) => {}
            }
        }
        let flags = self.global.set.iter().cloned().collect();
        Ok(Beside { flags, ..Beside::of_environment(variables.into_iter()) })
    }

    /// The schemes as they stand in their folder.
    pub(crate) fn schemes(&self, config: &Config) -> Result<RealSchemes> {
        batch::load_schemes(config)
    }

    /// The schemes as closed cycles go by them.
    pub(crate) fn families(&self, config: &Config, store: &Store) -> Result<Vec<Family>> {
        let real = self.schemes(config)?;
        real.families.into_iter().map(|family| batch::with_pins(store, family)).collect()
    }

    /// The store, for reading; `None` where no run has made one yet.
    pub(crate) fn store_if_any(&self, config: &Config) -> Result<Option<Store>> {
        Store::open_reading(&config.data_dir)
    }

    /// The store, for reading.
    pub(crate) fn store(&self, config: &Config) -> Result<Store> {
        self.store_if_any(config)?.ok_or_else(|| {
            Fault::failed(format!(
                "there is no store in {} yet: `accrued run` makes it",
                config.data_dir.display()
            ))
        })
    }

    /// The flag that a signal sets; from now on signals are heard.
    pub(crate) fn cancel(&self) -> Result<Cancel> {
        if self.signals.get().is_none() {
            // cannot be set already: it was not there a moment ago, and a session is one thread's
            let _ = self.signals.set(Signals::listen()?);
        }
        self.signals.get().map(Signals::cancel).context("signals are heard")
    }

    /// Says something on stderr, unless `-q`.
    pub(crate) fn say(&self, what: impl Display) {
        self.say_of(About::default(), what);
    }

    /// Likewise, of a run's feed, file, scheme or cycle, which a log names beside it.
    pub(crate) fn say_of(&self, about: About<'_>, what: impl Display) {
        if self.global.quiet {
            return;
        }
        if log::is_structured() {
            return log::note(about, &what.to_string());
        }
        print(what);
    }

    /// Says on stderr what is wrong, also with `-q`.
    pub(crate) fn complain(&self, what: impl Display) {
        self.complain_of(About::default(), what);
    }

    /// Likewise, of a run's feed, file, scheme or cycle, which a log names beside it.
    pub(crate) fn complain_of(&self, about: About<'_>, what: impl Display) {
        if log::is_structured() {
            return log::complain(about, &what.to_string());
        }
        print(what);
    }

    /// Shows faults of a file that a person wrote.
    pub(crate) fn show(&self, faults: &Faults) {
        if log::is_structured() {
            return log::complain(About::default(), faults.render(false).trim_end());
        }
        let _ = write!(std::io::stderr(), "{}", faults.render(self.has_colour()));
    }

    /// What to do next: the first two are printed at the end.
    pub(crate) fn next(&self, hint: impl Into<String>) {
        self.hints.borrow_mut().push(hint.into());
    }

    /// Prints how it ended and what to do next.
    pub(super) fn end(&self, done: Result<Exit>) -> Exit {
        let exit = match &done {
            Ok(exit) => *exit,
            Err(fault) if exit::is_broken_pipe(fault) => return Exit::Done,
            Err(fault) => self.fail(fault),
        };
        for hint in self.hints.borrow().iter().take(2) {
            self.say(format_args!("next: {hint}"));
        }
        exit
    }

    fn fail(&self, fault: &anyhow::Error) -> Exit {
        let signal = self.signals.get().and_then(Signals::which);
        match fault.chain().find_map(|cause| cause.downcast_ref::<Invalid>()) {
            Some(Invalid(files)) => files.iter().for_each(|faults| self.show(faults)),
            None => self.complain(format_args!("error: {fault:#}")),
        }
        exit::of(fault, signal)
    }
}

fn print(what: impl Display) {
    // where nobody listens there is nobody to tell
    let _ = writeln!(std::io::stderr(), "{what}");
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn not_text(variable: &str) -> Invalid {
    let fault = fault::Fault::missing(format!("the value of {variable} is not UTF-8"), "write it in UTF-8");
    Invalid(vec![Faults { path: "the environment".to_owned(), text: String::new(), faults: vec![fault] }])
}

fn not_utf8(path: &Path, fault: &std::string::FromUtf8Error) -> Invalid {
    let at = fault.utf8_error().valid_up_to();
    let line = 1 + fault.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
    let message = format!("line {line} is not UTF-8");
    Invalid(vec![Faults {
        path: path.display().to_string(),
        text: String::new(),
        faults: vec![fault::Fault::missing(message, "save the file as UTF-8")],
    }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_of_is_an_instant_or_the_start_of_a_day_in_utc() {
        let stamp = |text: &str| instant(text).map(clock::stamp);
        assert_eq!(stamp("2026-07-06T02:30:00+05:30").as_deref(), Ok("2026-07-05T21:00:00Z"));
        assert_eq!(stamp("2026-07-06").as_deref(), Ok("2026-07-06T00:00:00Z"));
        for wrong in ["", "yesterday", "2026-07-06T02:30:00", "2026-02-30", "06/07/2026"] {
            assert!(instant(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn versions_name_what_we_stand_on() {
        let versions = versions();
        assert!(versions.starts_with(env!("CARGO_PKG_VERSION")));
        assert!(versions.contains("libssh2 1."), "{versions}");
        assert!(versions.contains("time-zone data 20"), "{versions}");
    }
}

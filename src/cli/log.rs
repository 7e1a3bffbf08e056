//! What is logged, on stderr or to the journal: one line an event, with the run, feed, file, scheme and cycle that it concerns.
//!
//! Answers for: one form of every line (text, JSON, or the journal's own fields), and that the format can be chosen after the first
//! line could have been logged. Does not: decide what is said.

mod journal;
mod line;

use crate::clock;
use crate::config::LogFormat;
use line::{Fields, Line};
use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// What something that is said concerns.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct About<'a> {
    pub(crate) run: Option<i64>,
    pub(crate) feed: Option<&'a str>,
    pub(crate) file: Option<&'a str>,
    pub(crate) scheme: Option<&'a str>,
    pub(crate) cycle: Option<&'a str>,
}

/// Logs what a person would be told.
pub(super) fn note(about: About<'_>, what: &str) {
    let About { run, feed, file, scheme, cycle } = about;
    tracing::info!(run, feed, file, scheme, cycle, "{what}");
}

/// Logs what is wrong: an error where it says so itself.
pub(super) fn complain(about: About<'_>, what: &str) {
    let About { run, feed, file, scheme, cycle } = about;
    match what.strip_prefix("error: ") {
        Some(what) => tracing::error!(run, feed, file, scheme, cycle, "{what}"),
        None => tracing::warn!(run, feed, file, scheme, cycle, "{what}"),
    }
}

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Volume {
    /// `-q`
    Errors,
    /// a command at a terminal
    Warnings,
    /// `-v`, a daemon, and whatever a machine reads
    Infos,
    /// `-vv`
    Everything,
}

impl Volume {
    fn most(self) -> LevelFilter {
        match self {
            Volume::Errors => LevelFilter::ERROR,
            Volume::Warnings => LevelFilter::WARN,
            Volume::Infos => LevelFilter::INFO,
            Volume::Everything => LevelFilter::DEBUG,
        }
    }
}

/// The form of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Form {
    Text,
    Json,
    Journal,
}

static FORM: AtomicU8 = AtomicU8::new(Form::Text as u8);
static VOLUME: AtomicU8 = AtomicU8::new(Volume::Warnings as u8);
/// What was asked of the text form: the others log infos too.
static ASKED: OnceLock<Volume> = OnceLock::new();

fn form() -> Form {
    match FORM.load(Ordering::Relaxed) {
        1 => Form::Json,
        2 => Form::Journal,
        _ => Form::Text,
    }
}

fn volume() -> LevelFilter {
    let all = [Volume::Errors, Volume::Warnings, Volume::Infos, Volume::Everything];
    let volume = all.into_iter().find(|volume| *volume as u8 == VOLUME.load(Ordering::Relaxed));
    volume.unwrap_or(Volume::Warnings).most()
}

/// Begins to log. Until the config says otherwise the format is the one that the environment asks for.
pub(super) fn begin(asked: Volume) {
    let asked = *ASKED.get_or_init(|| asked);
    VOLUME.store(asked as u8, Ordering::Relaxed);
    // refused where a log is kept already, as in a test: that one serves
    let _ = tracing_subscriber::registry().with(Log).try_init();
    let early = std::env::var("ACCRUED_LOG_FORMAT").ok().and_then(|word| LogFormat::of_word(&word));
    choose(early.unwrap_or(LogFormat::Auto));
}

/// Logs in a format from now on.
pub(super) fn choose(format: LogFormat) {
    let form = match format {
        LogFormat::Auto if journal::is_stderr() => Form::Journal,
        LogFormat::Auto | LogFormat::Text => Form::Text,
        LogFormat::Json => Form::Json,
        LogFormat::Journald => Form::Journal,
    };
    let asked = ASKED.get().copied().unwrap_or(Volume::Warnings);
    let volume = match (form, asked) {
        (Form::Json | Form::Journal, Volume::Warnings) => Volume::Infos,
        (Form::Text | Form::Json | Form::Journal, asked) => asked,
    };
    FORM.store(form as u8, Ordering::Relaxed);
    VOLUME.store(volume as u8, Ordering::Relaxed);
    tracing::callsite::rebuild_interest_cache();
}

/// Whether what is said to a person is logged instead of printed.
pub(super) fn is_structured() -> bool {
    form() != Form::Text
}

/// Every event, with what its spans say.
struct Log;

impl<S> Layer<S> for Log
where
    S: Subscriber + for<'l> LookupSpan<'l>,
{
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= volume()
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(more) = span.extensions().get::<Fields>() {
                fields.extend(more);
            }
        }
        event.record(&mut fields);
        let line = Line::of(clock::now(), *event.metadata().level(), fields);
        match form() {
            Form::Text => print(&line.text()),
            Form::Json => print(&line.json()),
            Form::Journal => {
                if journal::send(&line).is_err() {
                    print(&line.prefixed());
                }
            }
        }
    }
}

fn print(line: &str) {
    // where nobody listens there is nobody to tell
    let _ = writeln!(std::io::stderr(), "{line}");
}

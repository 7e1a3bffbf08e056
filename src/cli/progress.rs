//! What a run is doing, as one moving line on a terminal; nothing in a pipe, with `-q`, or beside a log (`-v`).

use super::output::printable;
use super::session::Session;
use crate::batch::{Progress, Step};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// The line, if there is one.
pub(super) struct Watching(Option<ProgressBar>);

/// Begins to watch.
pub(super) fn watch(session: &Session) -> Watching {
    let shown = std::io::stderr().is_terminal() && !session.is_quiet() && !session.is_verbose();
    Watching(shown.then(|| {
        let line = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {wide_msg}") {
            line.set_style(style);
        }
        line.enable_steady_tick(Duration::from_millis(100));
        line
    }))
}

impl Watching {
    /// For the run.
    pub(super) fn progress(&self) -> Progress {
        match &self.0 {
            None => Progress::default(),
            Some(line) => {
                let line = line.clone();
                Progress::to(move |step| line.set_message(words(step)))
            }
        }
    }

    /// Takes the line away.
    pub(super) fn end(self) {
        drop(self);
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        if let Some(line) = &self.0 {
            line.finish_and_clear();
        }
    }
}

/// A step in a person's words.
pub(super) fn words(step: Step<'_>) -> String {
    match step {
        Step::Looking { feed } => format!("looking at feed {feed}"),
        Step::Settling { seconds } => format!("waiting {seconds} s for files to settle"),
        Step::Fetching { feed, file } => format!("fetching {} from feed {feed}", printable(file)),
        Step::Ingesting { feed, file } => format!("reading {} of feed {feed}", printable(file)),
        Step::Evaluating { scheme, partners } => format!("evaluating {scheme}: {partners} partners"),
        Step::Posting { scheme, cycle } => format!("posting {scheme} {cycle}"),
        Step::Publishing => "putting in place what is published".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_does_not_reach_the_terminal() {
        let step = Step::Fetching { feed: "north", file: "a\u{1b}[2Jb.csv" };
        assert_eq!(words(step), "fetching a\\u{1b}[2Jb.csv from feed north");
    }
}

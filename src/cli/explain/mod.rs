//! `accrued explain`: a partner's points of one cycle, step by step, down to invoice lines; and what is missing to the next slab.
//!
//! Everything is worked out anew from facts. With `--entry` the facts are those that the run knew which posted it, and the rules
//! those that it went by.

mod gather;
mod people;
mod rows;

pub(super) use gather::Question;

use super::choice;
use super::exit::Exit;
use super::known;
use super::output::Format;
use super::session::Session;
use anyhow::Result;
use std::io::Write;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Whose points
    partner: String,
    /// In which scheme [default: the only one that the partner is in]
    #[arg(long, value_name = "S")]
    scheme: Option<String>,
    /// Of which cycle [default: the partner's latest]
    #[arg(long, value_name = "C")]
    cycle: Option<String>,
    /// As it stood when this entry was posted (its number, see `accrued ledger`)
    #[arg(long, value_name = "E")]
    entry: Option<i64>,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    let config = session.config()?;
    let store = session.store(&config)?;
    choice::known_partner(&store, &args.partner)?;
    let known = known::known(session, &store)?;
    let families = known::families(session, &config, &store, known)?;
    let question = match args.entry {
        Some(number) => Question::of_entry(
            &store,
            &families,
            &args.partner,
            number,
            (args.scheme.as_deref(), args.cycle.as_deref()),
        )?,
        None => Question::of_today(
            &store,
            &families,
            &args.partner,
            (args.scheme.as_deref(), args.cycle.as_deref()),
            session.as_of(),
            known,
        )?,
    };
    let explained = question.answer(&store)?;
    match session.format() {
        Format::Table => {
            let mut out = std::io::stdout().lock();
            out.write_all(explained.for_people().as_bytes())?;
            out.flush()?;
        }
        Format::Csv | Format::Json => explained.print(session)?,
    }
    if let Some(doubt) = &explained.doubt {
        session.say(format_args!("note: {doubt}"));
    }
    Ok(Exit::Done)
}

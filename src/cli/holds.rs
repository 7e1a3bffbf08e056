//! `accrued holds`: what waits for a person, and a person's word on it.

use super::at_stake::Scales;
use super::exit::{Exit, Fault};
use super::held_files::{self, Extent, Stake, Weighing};
use super::listing::{Listing, Titled};
use super::output::{Column, count, number, text};
use super::session::Session;
use super::shown::worth;
use super::summary::counted;
use super::who;
use crate::batch::{OTHER_VERSION, keep_journal};
use crate::clock;
use crate::domain::points::Points;
use crate::job;
use crate::scheme::Family;
use crate::store::holds::{Ended, Hold, HoldState};
use crate::store::journal::Stamp;
use crate::store::{ClockMode, Store};
use anyhow::{Context, Result};

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    /// Also those that have ended
    #[arg(long)]
    all: bool,
    /// Also the points of whole files that are too large to work them out by the way
    #[arg(long)]
    points: bool,
    #[command(subcommand)]
    decision: Option<Decision>,
}

#[derive(Debug, clap::Subcommand)]
enum Decision {
    /// Let it count; the next run carries it out
    Release(Word),
    /// Let it never count; or let a refused file, or the rejects of a file (FILE, or FILE:LINE), wait no longer
    Discard(Discarded),
}

#[derive(Debug, clap::Args)]
struct Discarded {
    /// Its id in `accrued holds`; or a file's name, with :LINE for one of its rejects
    what: String,
    /// Why: kept in the journal
    #[arg(long, value_name = "R")]
    reason: String,
}

#[derive(Debug, clap::Args)]
struct Word {
    /// Its id in `accrued holds`
    id: i64,
    /// Why: kept in the journal
    #[arg(long, value_name = "R")]
    reason: String,
}

pub(super) fn run(session: &Session, args: &Args) -> Result<Exit> {
    match &args.decision {
        None => {
            let extent = if args.points { Extent::Whole } else { Extent::ByTheWay };
            list(session, if args.all { Ended::With } else { Ended::Without }, extent)
        }
        Some(Decision::Release(word)) => decide(session, word, HoldState::Released),
        Some(Decision::Discard(Discarded { what, reason })) => match what.parse() {
            Ok(id) => decide(session, &Word { id, reason: reason.clone() }, HoldState::Discarded),
            Err(_) => discard_rejects(session, what, reason),
        },
    }
}

const COLUMNS: [Column; 16] = [
    count("id"),
    text("kind"),
    text("state"),
    text("since"),
    text("scheme"),
    text("cycle"),
    text("partner_code"),
    text("file"),
    count("line"),
    count("lines"),
    number("amount"),
    number("points"),
    text("detail"),
    text("decided_at"),
    text("decided_by"),
    text("reason"),
];

/// Ended ones also say who decided, and why.
const FOR_PEOPLE: [Titled; 13] = [
    ("id", "id"),
    ("kind", "kind"),
    ("state", "state"),
    ("scheme", "scheme"),
    ("cycle", "cycle"),
    ("partner_code", "partner"),
    ("file", "file"),
    ("lines", "lines"),
    ("amount", "amount"),
    ("points", "points"),
    ("detail", "detail"),
    ("decided_by", "by"),
    ("reason", "why"),
];

fn list(session: &Session, ended: Ended, extent: Extent) -> Result<Exit> {
    let config = session.config()?;
    let store = session.store(&config)?;
    let shown = match ended {
        Ended::Without => &FOR_PEOPLE[..11],
        Ended::With => &FOR_PEOPLE[..],
    };
    let mut table = Listing::begin(session, "holds", &COLUMNS, shown)?;
    let holds = store.holds(ended)?;
    // a scheme file with a fault in it is no reason not to say what waits
    let families = session.families(&config, &store).unwrap_or_default();
    let mut scales = Scales::of(session, &store, &families)?;
    let mut files = Weighing::of(session, &config, &store, extent);
    for hold in &holds {
        let stake = match hold.state {
            HoldState::Open if held_files::is_of_file(hold) => files.weigh(hold)?,
            HoldState::Open => scales.weigh(hold)?.unwrap_or(known(hold.points)),
            HoldState::Released | HoldState::Discarded | HoldState::Gone | HoldState::Done => {
                known(hold.points)
            }
        };
        table.row(&cells(&store, &families, hold, &stake)?)?;
    }
    if table.end(session)? == 0 {
        session.say("nothing waits for a person");
    }
    let open = || holds.iter().filter(|hold| hold.state == HoldState::Open);
    if open().any(|hold| remedy(hold).is_none()) {
        session.next("accrued holds release ID --reason R lets one count; discard ID --reason R never");
    }
    if open().any(|hold| remedy(hold).is_some()) {
        session.next(
            "what is held for want of a date, a master record or a rate counts by itself once its cause is gone",
        );
    }
    Ok(Exit::Done)
}

/// Points that need no further words.
fn known(points: Points) -> Stake {
    Stake::Told { points, words: String::new() }
}

/// The money that waits: of lines what they say, of points alone what they are worth.
fn money(families: &[Family], hold: &Hold, points: Points) -> String {
    match hold.kind.as_str() {
        "over_limit" | "cycle_locked" | "scheme_edited" | OTHER_VERSION => {
            worth(families, &hold.scheme, points)
        }
        _ if hold.amount.is_zero() => String::new(),
        _ => hold.amount.to_string(),
    }
}

fn cells(store: &Store, families: &[Family], hold: &Hold, stake: &Stake) -> Result<[String; 16]> {
    let (points, told, words) = match stake {
        Stake::Told { points, words } if words.is_empty() && *points == Points::ZERO => {
            (*points, String::new(), words)
        }
        Stake::Told { points, words } => (*points, points.to_string(), words),
        Stake::Untold(words) => (Points::ZERO, String::new(), words),
    };
    let word = match hold.state {
        HoldState::Open | HoldState::Gone => None,
        HoldState::Released | HoldState::Discarded | HoldState::Done => store.word_on(hold.id)?,
    };
    let (decided_at, decided_by, reason) =
        word.map_or_else(Default::default, |word| (word.at, word.actor, word.reason));
    let file = hold.file.map(|seq| store.file(seq)).transpose()?.flatten();
    Ok([
        hold.id.to_string(),
        hold.kind.clone(),
        hold.state.word().to_owned(),
        store.instant_of(hold.opened)?.unwrap_or_default(),
        hold.scheme.clone(),
        hold.cycle.clone(),
        hold.partner.clone(),
        file.map(|file| file.arrival.name).unwrap_or_default(),
        hold.line.map(|line| line.to_string()).unwrap_or_default(),
        if hold.lines == 0 { String::new() } else { hold.lines.to_string() },
        money(families, hold, points),
        told,
        if words.is_empty() { hold.detail.clone() } else { format!("{}; {words}", hold.detail) },
        decided_at,
        decided_by,
        reason,
    ])
}

fn decide(session: &Session, word: &Word, state: HoldState) -> Result<Exit> {
    if word.reason.trim().is_empty() {
        return Err(Fault::usage("--reason is empty: say why, for whoever asks later"));
    }
    let config = session.config()?;
    let turn = job::turn(&config)?;
    let (reading, stamp) = {
        let reading = session.store(&config)?;
        let stamp = stamp(session, &reading)?;
        (reading, stamp)
    };
    let open = reading.hold(word.id)?.filter(|hold| hold.state == HoldState::Open);
    if let Some(remedy) = open.and_then(|hold| remedy(&hold)) {
        return Err(Fault::failed(format!("hold {} cannot be decided by a person: {remedy}", word.id)));
    }
    drop(reading);
    let mut store = Store::open(&config.data_dir, &config.data_dir)?;
    let hold = store.decide_hold(&stamp, word.id, state, word.reason.trim())?;
    keep_journal(&store, &config.data_dir)?;
    drop(store);
    turn.end(&config);
    session.say(format_args!("hold {} ({}) is {} by {}", hold.id, hold.kind, state.word(), stamp.actor));
    session.next("accrued run carries it out");
    Ok(Exit::Done)
}

/// Rejects of the files of one name, or of one line of them.
fn discard_rejects(session: &Session, what: &str, reason: &str) -> Result<Exit> {
    if reason.trim().is_empty() {
        return Err(Fault::usage("--reason is empty: say why, for whoever asks later"));
    }
    let config = session.config()?;
    let turn = job::turn(&config)?;
    let stamp = stamp(session, &session.store(&config)?)?;
    let mut store = Store::open(&config.data_dir, &config.data_dir)?;
    let (mut name, mut line) = (what, None);
    let mut files = store.files(Some(name))?;
    if let (true, Some((file, number))) = (files.is_empty(), what.rsplit_once(':')) {
        (name, line) = (file, number.parse().ok());
        files = if line.is_some() { store.files(Some(name))? } else { Vec::new() };
    }
    let (mut rejects, mut refused) = (0, false);
    for file in files {
        rejects += store.discard_rejects(&stamp, file.seq, line, reason.trim())?;
        refused |= line.is_none() && store.discard_refusal(&stamp, file.seq, reason.trim())?;
    }
    keep_journal(&store, &config.data_dir)?;
    drop(store);
    turn.end(&config);
    let what = match (rejects, refused) {
        (0, false) => {
            return Err(Fault::failed(format!(
                "{what} names no hold, no open reject and no refused file: accrued holds lists holds, accrued status files that wait"
            )));
        }
        (0, true) => format!("{name}, which was refused, waits"),
        (1, _) => format!("1 reject of {name} waits"),
        (many, _) => format!("{} of {name} wait", counted(many as u64, "reject")),
    };
    session.say(format_args!("{what} no longer, by {}", stamp.actor));
    Ok(Exit::Done)
}

/// Who and when: on a store that is given its time and is not told it now, the last run's instant.
fn stamp(session: &Session, store: &Store) -> Result<Stamp> {
    let (mode, last) = store.clock()?.context("there was no run yet: nothing can be held")?;
    let at = match (mode, session.as_of()) {
        (ClockMode::Real, None) => clock::stamp(session.now()),
        (ClockMode::Real, Some(_)) => {
            return Err(Fault::usage(
                "this store lives by the machine's clock: --as-of cannot say when a person decided",
            ));
        }
        (ClockMode::Given, Some(now)) => clock::stamp(now),
        (ClockMode::Given, None) => last.clone(),
    };
    if at < last {
        return Err(Fault::failed(format!(
            "the last run was at {last}, this would be at {at}: a decision cannot be earlier than the last run"
        )));
    }
    Ok(Stamp { at, run: store.last_run()?, actor: who::user() })
}

/// What ends a hold that only a cause can end; `None` where it is a person's to decide.
fn remedy(hold: &Hold) -> Option<&'static str> {
    match hold.kind.as_str() {
        "future_date" => Some(
            "its lines are dated after the run's day and count by themselves once that day has come; if the date is wrong, send a corrected line",
        ),
        "partner_unlisted_held" => Some(
            "add the partner to the partner master and send that file: its lines then count by themselves; to leave such partners out, write unlisted_partners = \"exclude\" in the scheme",
        ),
        "sku_unlisted_held" => Some(
            "add the SKUs to the item master and send that file: their lines then count by themselves; to leave such SKUs out, write unlisted_skus = \"exclude\" in the scheme",
        ),
        "no_fx_rate" => Some(
            "send the exchange rate in a file of an fx feed: the lines then count by themselves; to leave such currencies out, write currencies in the scheme's [earn]",
        ),
        _ => None,
    }
}

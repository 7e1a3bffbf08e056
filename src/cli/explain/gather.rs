//! Everything there is to say about one partner and cycle, worked out from the store.

use crate::batch;
use crate::calendar::Cycle;
use crate::cli::choice;
use crate::cli::exit::Fault;
use crate::cli::known::Known;
use crate::cli::shown::{Decimals, written};
use crate::cli::worked::Scene;
use crate::domain::entry::{Entry, EntryKind};
use crate::domain::points::Points;
use crate::evaluate::{Converted, Counts, Position, Positions, Step, trail};
use crate::facts::settle::Line;
use crate::scheme::{Family, Measure, Post, Scheme};
use crate::statement::{number, papers, transactions};
use crate::store::Store;
use crate::store::holds::{Hold, HoldState};
use crate::store::ledger::Wanted;
use crate::store::positions::Kept;
use anyhow::{Context, Result, anyhow};
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeSet;

/// What is asked.
pub(in crate::cli) struct Question {
    partner: String,
    /// with the rules that the answer goes by
    family: Family,
    cycle: Cycle,
    today: NaiveDate,
    moment: Moment,
}

/// Of which state of the store.
enum Moment {
    Now,
    /// when this journal record was the last
    Then(i64),
    /// when this entry was posted, and the last journal record before it
    Posted(Box<Entry>, i64),
}

/// The answer.
pub(in crate::cli) struct Explained {
    pub(super) partner: String,
    pub(super) name: String,
    pub(super) scheme: String,
    pub(super) cycle: String,
    pub(super) days: (NaiveDate, NaiveDate),
    /// SHA-256 of the version that the cycle goes by
    pub(super) version: String,
    pub(super) path: String,
    /// the instant of the last thing that is known, where more is by now
    pub(super) then: Option<String>,
    /// the entry whose time it speaks of
    pub(super) entry: Option<Entry>,
    pub(super) decimals: Decimals,
    /// in what its lines are measured
    pub(super) measure: Measure,
    pub(super) points: Points,
    /// of `points`, over a limit
    pub(super) held: Points,
    /// of `held`, what nobody had released when the entry was posted that is explained
    pub(super) waited: Points,
    pub(super) tier: String,
    pub(super) steps: Vec<Step>,
    pub(super) missing: Vec<Missing>,
    /// lines in the cycle
    pub(super) lines: Vec<Told>,
    /// lines of no cycle
    pub(super) outside: Vec<Told>,
    /// accruals and corrections of the cycle
    pub(super) entries: Vec<Entry>,
    pub(super) holds: Vec<Hold>,
    /// what is due and neither posted nor held: how much and why
    pub(super) waiting: Option<(Points, &'static str)>,
    /// where what was posted cannot be found again
    pub(super) doubt: Option<String>,
}

/// What is missing to the next slab or tier.
pub(super) struct Missing {
    /// in what the scheme measures, plain
    pub(super) amount: String,
    /// of what: `the slab from 800000 (0.3%, Gold)`
    pub(super) of: &'static str,
    pub(super) name: String,
    /// plain; where it begins
    pub(super) from: String,
}

/// A line, in words.
pub(super) struct Told {
    pub(super) business_date: NaiveDate,
    pub(super) doc_type: &'static str,
    pub(super) distributor: String,
    pub(super) invoice_no: String,
    pub(super) line_no: String,
    pub(super) sku: String,
    pub(super) quantity: String,
    pub(super) amount: String,
    pub(super) counts: &'static str,
    pub(super) why_not: &'static str,
    pub(super) note: String,
    pub(super) points: String,
    pub(super) file: String,
    pub(super) file_line: u64,
}

impl Question {
    /// As facts and rules stand.
    pub(in crate::cli) fn of_today(
        store: &Store,
        families: &[Family],
        partner: &str,
        (scheme, cycle): (Option<&str>, Option<&str>),
        as_of: Option<DateTime<Utc>>,
        known: Known,
    ) -> Result<Question> {
        let family = choice::family_of(store, families, partner, scheme)?;
        let today = choice::day_of(store, family, as_of)?;
        let latest = match known {
            None => store.positions_of(&family.id, partner)?.last().map(|kept| Cycle(kept.cycle)),
            Some(_) => None,
        };
        let cycle = match (cycle, latest) {
            (Some(name), _) => choice::cycle(family, name)?,
            (None, Some(latest)) => latest,
            (None, None) => family.versions[0].calendar.cycle_of(today),
        };
        Ok(Question {
            partner: partner.to_owned(),
            family: family.clone(),
            cycle,
            today,
            moment: known.map_or(Moment::Now, Moment::Then),
        })
    }

    /// As they stood when an entry was posted.
    pub(super) fn of_entry(
        store: &Store,
        families: &[Family],
        partner: &str,
        number: i64,
        (scheme, cycle): (Option<&str>, Option<&str>),
    ) -> Result<Question> {
        let entry = store.entry(number)?.ok_or_else(|| {
            Fault::failed(format!("there is no entry {number}: `accrued ledger` lists them"))
        })?;
        let agree = [
            ("partner", entry.partner_code.as_str(), Some(partner)),
            ("scheme", entry.scheme.as_str(), scheme),
            ("cycle", entry.cycle.as_str(), cycle),
        ];
        for (what, of_entry, asked) in agree {
            if let Some(asked) = asked.filter(|asked| *asked != of_entry) {
                return Err(Fault::failed(format!(
                    "entry {number} is of {what} {of_entry}, not of {asked}: `accrued explain {} --entry {number}` explains it",
                    entry.partner_code
                )));
            }
        }
        match entry.kind {
            EntryKind::Accrual | EntryKind::Correction => {}
            EntryKind::Referral
            | EntryKind::Redemption
            | EntryKind::Reservation
            | EntryKind::Release
            | EntryKind::Reversal
            | EntryKind::Expiry
            | EntryKind::Adjustment
            | EntryKind::Opening => {
                return Err(Fault::failed(format!(
                    "entry {number} is a {}: it was not worked out from sales",
                    entry.kind.word()
                )));
            }
        }
        let known = match store.known_when_posted(number)? {
            Some(seq) => seq,
            None => store.last_seq_of(entry.run)?,
        };
        let then = batch::families_upto(store, known)?;
        let mut family = choice::family(then.as_deref().unwrap_or(families), &entry.scheme)?.clone();
        let cycle = choice::cycle(&family, &entry.cycle)?;
        if family.version_for(cycle).is_none_or(|version| version.version != entry.scheme_version) {
            family.pin(cycle, text_of(store, &entry.scheme_version)?);
        }
        Ok(Question {
            partner: partner.to_owned(),
            family,
            cycle,
            today: entry.posting_date,
            moment: Moment::Posted(Box::new(entry), known),
        })
    }

    /// Works it out.
    pub(in crate::cli) fn answer(self, store: &Store) -> Result<Explained> {
        let upto = match &self.moment {
            Moment::Now => None,
            Moment::Then(known) | Moment::Posted(_, known) => Some(*known),
        };
        let scene = Scene::of(store, &self.family, self.today, upto)?;
        let dossier = scene.dossier(store, &self.partner)?;
        let known: BTreeSet<Cycle> =
            self.family.index_for(self.cycle).map(|_| self.cycle).into_iter().collect();
        scene.look(&dossier, &known, |positions, lines| self.told(store, &scene, positions, lines))?
    }

    fn told(
        &self,
        store: &Store,
        scene: &Scene<'_>,
        positions: &Positions,
        lines: &[Line<'_>],
    ) -> Result<Explained> {
        let position = positions.positions.iter().find(|position| position.cycle == self.cycle);
        let calendar = self.family.versions[0].calendar;
        let name = calendar.name(self.cycle);
        let position = position.ok_or_else(|| {
            Fault::failed(format!("no version of scheme {} is in force in cycle {name}", self.family.id))
        })?;
        let scheme = self.family.scheme(position.version);
        let decimals = Decimals::of(scheme);
        let telling = Telling { scene, lines, decimals };
        let outside = positions.outside.iter().filter_map(|outside| {
            telling.line(outside.line, outside.business_date, outside.counts, &[], Points::ZERO)
        });
        let mut explained = Explained {
            partner: self.partner.clone(),
            name: name_of(store, &self.family.id, &self.partner, lines)?,
            scheme: self.family.id.clone(),
            cycle: name,
            days: calendar.days(self.cycle),
            version: scheme.version.clone(),
            path: scheme.path.clone(),
            entry: match &self.moment {
                Moment::Now | Moment::Then(_) => None,
                Moment::Posted(entry, _) => Some((**entry).clone()),
            },
            then: match &self.moment {
                Moment::Now | Moment::Posted(_, _) => None,
                Moment::Then(known) => store.instant_of(*known)?,
            },
            decimals,
            measure: scheme.earn.measure,
            points: position.points,
            held: position.held_points,
            waited: Points::ZERO,
            tier: position.tier.clone(),
            steps: trail(scheme, position, lines),
            missing: missing(scheme, position),
            lines: (0..position.lines.len()).filter_map(|at| telling.outcome(position, at)).collect(),
            outside: outside.collect(),
            entries: self.entries(store)?,
            holds: Vec::new(),
            waiting: None,
            doubt: None,
        };
        self.settle_up(store, scheme, &mut explained)?;
        Ok(explained)
    }

    /// The entries that brought the ledger where it is, or was.
    fn entries(&self, store: &Store) -> Result<Vec<Entry>> {
        let wanted = Wanted {
            partner: Some(self.partner.clone()),
            scheme: Some(self.family.id.clone()),
            cycle: Some(self.family.versions[0].calendar.name(self.cycle)),
            after: 0,
            upto: Some(match &self.moment {
                Moment::Now => i64::MAX,
                Moment::Then(known) => store.last_entry_upto(*known)?,
                Moment::Posted(entry, _) => entry.entry,
            }),
        };
        let mut entries = Vec::new();
        store.each_entry(&wanted, |entry| {
            if matches!(entry.kind, EntryKind::Accrual | EntryKind::Correction) {
                entries.push(entry);
            }
            Ok(())
        })?;
        Ok(entries)
    }

    /// Holds the points that are due against those that are posted and held.
    fn settle_up(&self, store: &Store, scheme: &Scheme, explained: &mut Explained) -> Result<()> {
        let posted = explained.posted().context("the points posted are more than a ledger can hold")?;
        let rest = Points(explained.points.0.saturating_sub(posted.0));
        match &self.moment {
            Moment::Posted(entry, known) => {
                let of = (self.family.id.as_str(), self.cycle, self.partner.as_str());
                let over = batch::over_limit_upto(store, of, explained.held, *known)?;
                let drift = batch::drift_upto(store, of, *known)?;
                let waited =
                    over.checked_add(drift).context("what is held is more than a ledger can hold")?;
                explained.waited = waited;
                if rest != waited {
                    explained.doubt = Some(format!(
                        "after entry {} the ledger held {} points of this cycle, and what was known then comes to {} less {} held: {}",
                        entry.entry,
                        explained.decimals.points(posted),
                        explained.decimals.points(explained.points),
                        explained.decimals.points(waited),
                        why_otherwise(store, entry)?
                    ));
                }
            }
            Moment::Then(known) => {
                let of = (self.family.id.as_str(), self.cycle, self.partner.as_str());
                let over = batch::over_limit_upto(store, of, explained.held, *known)?;
                let drift = batch::drift_upto(store, of, *known)?;
                let held = over.checked_add(drift).context("what is held is more than a ledger can hold")?;
                if rest != Points::ZERO {
                    let why = if rest == held { "held then for a person" } else { "not posted then" };
                    explained.waiting = Some((rest, why));
                }
            }
            Moment::Now => {
                let mut holds = store.open_holds_of(&self.family.id, &self.partner)?;
                holds.retain(|hold| hold.cycle.is_empty() || hold.cycle == explained.cycle);
                explained.holds = holds;
                if rest != Points::ZERO {
                    explained.waiting = Some((rest, self.why_not_posted(store, scheme, explained)?));
                }
            }
        }
        Ok(())
    }

    fn why_not_posted(&self, store: &Store, scheme: &Scheme, explained: &Explained) -> Result<&'static str> {
        let closed = store.closed(&self.family.id)?.iter().any(|closed| closed.cycle == self.cycle.0);
        let stands = store.position(&self.family.id, self.cycle.0, &self.partner)?;
        let differs = closed && !stands.as_ref().is_some_and(|kept| agrees(kept, explained));
        if differs
            && batch::by_another(store, stands.as_ref())?.is_some()
            && !store.is_stale(&self.partner)?
        {
            return Ok(
                "another version of the program worked it out otherwise: proposed once the partner has news",
            );
        }
        let on_points = store.holds_of_cycle(&self.family.id, &explained.cycle, &self.partner)?;
        let last = on_points.last().map(|hold| hold.state);
        Ok(match (closed, scheme.post) {
            _ if last == Some(HoldState::Open) => "held for a person: see `accrued holds`",
            _ if last == Some(HoldState::Discarded) => {
                "not posted: a person decided so, see `accrued holds --all`"
            }
            (false, Post::AtClose) => "posted when the cycle closes",
            (false, Post::Continuous) | (true, Post::AtClose | Post::Continuous) => "posted by the next run",
        })
    }
}

/// How the entry that is explained came about: `due - waited - before`.
pub(super) struct Difference {
    pub(super) due: Points,
    /// over a limit, and not released
    pub(super) waited: Points,
    /// posted before it
    pub(super) before: Points,
}

impl Difference {
    /// What had to be posted; `None` beyond the ledger's range.
    pub(super) fn points(&self) -> Option<Points> {
        self.due.0.checked_sub(self.waited.0)?.checked_sub(self.before.0).map(Points)
    }
}

impl Explained {
    /// Of an entry: what its points were the difference of.
    pub(super) fn difference(&self) -> Option<Difference> {
        let entry = self.entry.as_ref()?;
        let before = Points(self.posted()?.0.checked_sub(entry.points.0)?);
        Some(Difference { due: self.points, waited: self.waited, before })
    }

    /// The sum of its entries; `None` beyond the ledger's range.
    pub(super) fn posted(&self) -> Option<Points> {
        self.entries.iter().try_fold(Points::ZERO, |sum, entry| sum.checked_add(entry.points))
    }
}

/// Whether a position says what was worked out.
fn agrees(kept: &Kept, explained: &Explained) -> bool {
    (kept.points, kept.held) == (explained.points, explained.held)
}

/// Why what was posted then cannot be worked out again.
fn why_otherwise(store: &Store, entry: &Entry) -> Result<String> {
    let this = batch::this_version();
    Ok(match store.made_by(entry.run)? {
        Some(other) if other != this => format!("{other} posted it, this is {this}"),
        Some(_) | None => "facts were changed in the store (accrued verify tells)".to_owned(),
    })
}

/// The text of a version that was once in force.
fn text_of(store: &Store, version: &str) -> Result<Scheme> {
    let texts = store.scheme_texts()?;
    let text = texts
        .iter()
        .find(|text| text.version == version)
        .with_context(|| format!("the text of scheme version {version} is not in the store"))?;
    crate::scheme::parse(&text.path, &text.text).map(|(scheme, _)| scheme).map_err(|faults| {
        anyhow!("a scheme text in the store cannot be read any more: {}", faults.render(false))
    })
}

/// As papers call the partner, else as the last line does.
fn name_of(store: &Store, scheme: &str, partner: &str, lines: &[Line<'_>]) -> Result<String> {
    let name = store.name_of(scheme, partner)?;
    if !name.is_empty() {
        return Ok(name);
    }
    let own = lines.iter().filter(|line| line.row.partner_code == partner);
    let last = own.max_by_key(|line| (line.rank, line.row.file_line));
    Ok(last.map_or(String::new(), |line| line.row.partner_name.to_owned()))
}

/// The next slab, and the next tier where that is another threshold.
fn missing(scheme: &Scheme, position: &Position) -> Vec<Missing> {
    let least = match scheme.earn.measure {
        Measure::Amount => 2,
        Measure::Quantity => 0,
    };
    let mut missing = Vec::new();
    if let Some((index, amount)) = &position.next_slab
        && let Some(slab) = scheme.slabs.get(*index)
    {
        let rate = written(|out| papers::rate(out, slab.rate));
        missing.push(Missing {
            amount: written(|out| number::frac(out, amount, least)),
            of: "slab",
            name: if slab.tier.is_empty() { rate } else { format!("{rate}, {}", slab.tier) },
            from: written(|out| number::decimal(out, slab.from, 0)),
        });
    }
    if let Some((tier, amount)) = &position.next_tier {
        let of_slab = scheme.slabs.iter().find(|slab| slab.tier == *tier).map(|slab| slab.from);
        let from = scheme.ladder.iter().find(|level| level.name == *tier).map(|level| level.from).or(of_slab);
        let next = Missing {
            amount: written(|out| number::frac(out, amount, least)),
            of: "tier",
            name: tier.clone(),
            from: from.map_or(String::new(), |from| written(|out| number::decimal(out, from, 0))),
        };
        let told = |other: &Missing| other.amount == next.amount && other.from == next.from;
        if !(scheme.ladder.is_empty() && missing.iter().any(told)) {
            missing.push(next);
        }
    }
    missing
}

/// Two notes, each of which may be empty.
fn joined(one: String, other: String) -> String {
    if one.is_empty() || other.is_empty() { one + &other } else { format!("{one}; {other}") }
}

/// Puts lines in words.
struct Telling<'t> {
    scene: &'t Scene<'t>,
    lines: &'t [Line<'t>],
    decimals: Decimals,
}

impl Telling<'_> {
    fn outcome(&self, position: &Position, at: usize) -> Option<Told> {
        let outcome = position.lines.get(at)?;
        let notes = &outcome.notes;
        let mut told =
            self.line(outcome.line, outcome.business_date, outcome.counts, notes, outcome.points)?;
        if let Some(missing) = position.missing_of(at) {
            told.note = joined(told.note, transactions::missing_note(missing));
        }
        if let Converted::At(rate) = outcome.converted {
            let row = &self.lines.get(outcome.line)?.row;
            let scheme_amount = written(|out| number::frac(out, &outcome.scheme_amount, 2));
            let rate = written(|out| number::decimal(out, rate, 0));
            told.note = joined(format!("{} x {rate} = {scheme_amount}", row.currency), told.note);
        }
        Some(told)
    }

    fn line(
        &self,
        index: usize,
        business_date: NaiveDate,
        counts: Counts,
        notes: &[&str],
        points: Points,
    ) -> Option<Told> {
        let line = self.lines.get(index)?;
        let row = &line.row;
        let (counts, why_not) = match counts {
            Counts::Yes => ("yes", ""),
            Counts::No(why) => ("no", transactions::why_not(why)),
            Counts::Held(why) => ("held", transactions::held(why)),
        };
        Some(Told {
            business_date,
            doc_type: row.doc_type.word(),
            distributor: row.distributor_code.to_owned(),
            invoice_no: row.invoice_no.to_owned(),
            line_no: row.line_no.to_owned(),
            sku: row.sku.to_owned(),
            quantity: written(|out| number::decimal(out, row.quantity, 0)),
            amount: written(|out| number::decimal(out, row.amount, 2)),
            counts,
            why_not,
            note: notes.join("; "),
            points: self.decimals.points(points),
            file: self.scene.file_name(line.seq).to_owned(),
            file_line: row.file_line,
        })
    }
}

//! What people do between the runs, in the workspace and before the judge alike.

use super::compare::millionths;
use super::place::{Place, verb};
use super::plan::{Act, History, SchemePlan};
use crate::naive::number;
use crate::naive::{Judge, Step, Word};
use crate::within;

/// People, and what they have written by now.
pub struct People<'h> {
    history: &'h History,
    mended: Vec<usize>,
    schemes: Vec<SchemePlan>,
    /// After how many milliseconds the next command is killed.
    stumbles: Option<u64>,
}

impl<'h> People<'h> {
    pub fn of(history: &'h History) -> People<'h> {
        People { history, mended: vec![], schemes: history.schemes.clone(), stumbles: None }
    }

    pub fn act(&mut self, act: &Act, place: &Place, judge: &mut Judge) -> Result<(), String> {
        match act {
            Act::Mend { feed } => {
                self.mended.push(*feed);
                let config = self.history.config(&self.mended);
                place.workspace.write("accrued.toml", &config);
                judge.step(&Step::Config(config));
                self.reread(*feed, place, judge)
            }
            Act::Reread { feed } => self.reread(*feed, place, judge),
            Act::Edit { scheme, slabs, sections } => {
                let Some(plan) = self.schemes.get_mut(*scheme) else { return Ok(()) };
                (plan.slabs, plan.sections) = (slabs.clone(), sections.clone());
                self.write_schemes(place, judge);
                Ok(())
            }
            Act::Succeed { ends, successor } => {
                let first = &mut self.schemes[0];
                first.head = first.head.replacen("[cycle]\n", &format!("ends = {ends}\n[cycle]\n"), 1);
                self.schemes.push(successor.clone());
                self.write_schemes(place, judge);
                Ok(())
            }
            Act::Decide { which, verdict } => self.decide(*which, *verdict, place, judge),
            Act::Adopt { which } => adopt(*which, place, judge),
            Act::DecidePoints { which, verdict } => decide_points(*which, *verdict, place, judge),
            Act::Close { scheme } => {
                let id = self.schemes.get(*scheme).map_or("s1", |plan| plan.base.id);
                self.close(id, place, judge)
            }
            Act::Stumble(after) => {
                self.stumbles = Some(*after);
                Ok(())
            }
        }
    }

    /// The first try, where it is to fail.
    fn stumble(&mut self, place: &Place, args: &[&str]) -> bool {
        let after = self.stumbles.take();
        after.inspect(|after| place.stumble(*after, args)).is_some()
    }

    fn reread(&mut self, feed: usize, place: &Place, judge: &mut Judge) -> Result<(), String> {
        let name = self.history.feeds[feed].name.clone();
        let taken = within::files(&place.workspace)?.iter().any(|file| file.feed == name && file.ingested);
        if taken {
            self.stumble(place, &["reread", "--feed", &name]);
            place.reread(&name)?;
        }
        judge.step(&Step::Reread { feed: name, name: None });
        if taken {
            // what that changes is posted at once, on the day of the last run
            let as_of = within::last_run(&place.workspace)?;
            judge.step(&Step::Offline { as_of });
        }
        Ok(())
    }

    fn write_schemes(&self, place: &Place, judge: &mut Judge) {
        for plan in &self.schemes {
            place.workspace.write(&format!("schemes/{}.toml", plan.file), plan.text());
        }
        judge.step(&Step::Schemes(self.schemes.iter().map(SchemePlan::text).collect()));
    }
}

impl People<'_> {
    /// Decides about something that was set aside: one that both know of.
    fn decide(
        &mut self,
        which: usize,
        verdict: Word,
        place: &Place,
        judge: &mut Judge,
    ) -> Result<(), String> {
        let mut waiting = within::holds(&place.workspace)?;
        waiting.retain(|hold| match hold.kind.as_str() {
            "identity_conflict" | "rows_vanished" | "event_conflict" => {
                judge.holds(&hold.feed, &hold.name, hold.line)
            }
            kind => judge.holds_files(&hold.feed, &hold.name, kind) > 0,
        });
        if waiting.is_empty() {
            return Ok(());
        }
        let chosen = which % waiting.len();
        let hold = &waiting[chosen];
        let alike =
            |h: &&within::Waiting| (&h.feed, &h.name, &h.kind) == (&hold.feed, &hold.name, &hold.kind);
        let nth = waiting[..chosen].iter().filter(alike).count();
        self.stumble(place, &["holds", verb(verdict), &hold.id.to_string(), "--reason", "checked"]);
        if within::holds(&place.workspace)?.iter().any(|h| h.id == hold.id) {
            place.decide(hold.id, verdict)?;
        }
        let (feed, name, line, kind) = (hold.feed.clone(), hold.name.clone(), hold.line, hold.kind.clone());
        judge.step(&match line {
            0 => Step::DecideFile { feed, name, kind, nth, verdict },
            line => Step::Decide { feed, name, line, verdict },
        });
        Ok(())
    }

    /// Closes the next cycle of a scheme, where its last day has passed.
    fn close(&mut self, scheme: &str, place: &Place, judge: &mut Judge) -> Result<(), String> {
        let Some(seen) = judge.schemes().get(scheme) else { return Ok(()) };
        let as_of = within::last_run(&place.workspace)?;
        let today = as_of.with_timezone(&seen.rules.first().zone).date_naive();
        let next = seen.cycles.iter().find(|(_, closed)| !closed);
        let Some((cycle, _)) = next.filter(|(cycle, _)| cycle.last < today) else { return Ok(()) };
        let cycle = cycle.name.clone();
        let args = ["close", scheme, &cycle, "--reason", "it is late", "--as-of", &as_of.to_rfc3339()];
        let stumbled = self.stumble(place, &args);
        if !(stumbled && within::is_closed(&place.workspace, scheme, &cycle)?) {
            place.close(as_of, scheme, &cycle)?;
        }
        judge.step(&Step::Close { as_of, scheme: scheme.into(), cycle });
        Ok(())
    }
}

/// Decides about points that wait: over a limit, in a locked cycle, or by an edited scheme (which is only discarded here).
fn decide_points(which: usize, verdict: Word, place: &Place, judge: &mut Judge) -> Result<(), String> {
    let mut waiting = within::holds(&place.workspace)?;
    waiting.retain(|hold| match hold.kind.as_str() {
        "over_limit" | "cycle_locked" => true,
        "scheme_edited" => verdict == Word::Discard,
        _ => false,
    });
    if waiting.is_empty() {
        return Ok(());
    }
    let hold = &waiting[which % waiting.len()];
    let key = (hold.cycle.clone(), hold.partner.clone());
    let points = millionths(hold.points);
    if hold.kind != "scheme_edited" {
        let wanted = judge.schemes().get(&hold.scheme).and_then(|seen| seen.waits(&hold.kind, &key));
        // of a locked cycle the hold says what the last run has seen; points over a limit may be released since
        if hold.kind == "over_limit" && wanted.as_ref() != Some(&points) {
            return Err(format!("{hold:?}: {:?} waits", wanted.map(|points| number::show(&points))));
        }
    }
    place.decide(hold.id, verdict)?;
    if hold.kind != "scheme_edited" {
        let (scheme, kind) = (hold.scheme.clone(), hold.kind.clone());
        judge.step(&Step::DecidePoints { scheme, key, kind, points, verdict });
    }
    Ok(())
}

/// Lets a closed cycle go by what its file says now.
fn adopt(which: usize, place: &Place, judge: &mut Judge) -> Result<(), String> {
    let mut edited = within::holds(&place.workspace)?;
    edited.retain(|hold| hold.kind == "scheme_edited");
    if edited.is_empty() {
        return Ok(());
    }
    let hold = &edited[which % edited.len()];
    place.decide(hold.id, Word::Release)?;
    judge.step(&Step::Adopt { scheme: hold.scheme.clone(), cycle: hold.cycle.clone() });
    Ok(())
}

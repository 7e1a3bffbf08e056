//! Which metrics there are.

use super::{Family, Sample, Samples, Type};
use crate::domain::points::Points;
use std::collections::BTreeMap;
use std::time::Duration;

/// Part of a run whose time is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// opening the store, finishing what a killed run has left, reading schemes
    Start,
    /// looking at feeds, waiting for files to settle, bringing them in
    Fetch,
    /// reading files into the store
    Ingest,
    /// working out positions
    Evaluate,
    /// writing to the ledger; the papers of its transaction are made with it
    Post,
    /// putting folders in place, and what is left to do at the end
    Publish,
}

impl Stage {
    /// in the order of a run
    pub const ALL: [Stage; 6] =
        [Stage::Start, Stage::Fetch, Stage::Ingest, Stage::Evaluate, Stage::Post, Stage::Publish];

    /// the label's value
    pub const fn word(self) -> &'static str {
        match self {
            Stage::Start => "start",
            Stage::Fetch => "fetch",
            Stage::Ingest => "ingest",
            Stage::Evaluate => "evaluate",
            Stage::Post => "post",
            Stage::Publish => "publish",
        }
    }
}

/// The last run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRun {
    /// its number; `None` where it did not come as far as having one
    pub number: Option<i64>,
    /// its instant, seconds since the epoch
    pub start: i64,
    /// its exit status; 143 where a signal has stopped it
    pub exit: u8,
    /// how long it took
    pub duration: Duration,
    /// its parts
    pub stages: [Duration; Stage::ALL.len()],
}

/// What one kind of entries of one scheme adds up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// scheme id
    pub scheme: String,
    /// kind of the entries
    pub kind: String,
    /// of the entries that add to a wallet
    pub credit: Points,
    /// of those that take from it, without their sign
    pub debit: Points,
}

/// A scheme as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemeTold {
    /// its id
    pub id: String,
    /// of its money
    pub currency: String,
    /// what the points outstanding are worth, a plain decimal; `None` where a point has no value
    pub liability: Option<String>,
    /// cycles whose time has passed and that are not closed
    pub waiting: usize,
}

/// What a store adds up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counted {
    /// seconds since the epoch
    pub last_success: Option<i64>,
    /// runs that began
    pub runs_started: u64,
    /// by exit status
    pub runs_finished: Vec<(i64, u64)>,
    /// (feed, state) -> files
    pub files: BTreeMap<(String, String), u64>,
    /// (feed, outcome) -> rows
    pub rows: BTreeMap<(String, String), u64>,
    /// by feed
    pub rejects_open: BTreeMap<String, u64>,
    /// by kind
    pub holds_open: BTreeMap<String, u64>,
    /// number of the last ledger entry
    pub last_entry: i64,
    /// in order of scheme and kind
    pub posted: Vec<Posted>,
}

/// All that is told; what is `None` cannot be told now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// version of the program
    pub program: String,
    /// `2025b`
    pub time_zone_data: String,
    /// the last run; `None` before the first
    pub run: Option<LastRun>,
    /// what the store adds up to
    pub counted: Option<Counted>,
    /// those whose texts can be read
    pub schemes: Option<Vec<SchemeTold>>,
    /// by feed
    pub missing: Option<BTreeMap<String, u64>>,
    /// size of accrued.db
    pub store_bytes: Option<u64>,
    /// size of its write-ahead log
    pub log_bytes: Option<u64>,
}

const SIGNS: [&str; 2] = ["credit", "debit"];

/// The metrics, in the order of the README's table.
pub fn families(told: &Told) -> Vec<Family> {
    let mut all = vec![family(
        "accrued_build_info",
        "Version of the program and of its time-zone data; always 1.",
        Type::Gauge,
        &["version", "time_zone_data"],
        Samples::Known(vec![sample(&[&told.program, &told.time_zone_data], 1)]),
    )];
    all.extend(last_run(told));
    all.extend(counted(told));
    all.extend(money(told));
    all.extend(waiting(told));
    all.extend([
        family("accrued_store_bytes", "Size of accrued.db.", Type::Gauge, &[], told_once(told.store_bytes)),
        family(
            "accrued_store_log_bytes",
            "Size of the write-ahead log of accrued.db.",
            Type::Gauge,
            &[],
            told_once(told.log_bytes),
        ),
    ]);
    all
}

fn last_run(told: &Told) -> Vec<Family> {
    let run = told.run.as_ref();
    let gauge = |name, help, samples| family(name, help, Type::Gauge, &[], Samples::Known(samples));
    let stages = run.map(|run| {
        let stages = Stage::ALL.iter().zip(run.stages);
        stages.map(|(stage, time)| sample(&[stage.word()], seconds(time))).collect()
    });
    vec![
        gauge("accrued_last_run_number", "Number of the last run.", one(run.and_then(|run| run.number))),
        gauge(
            "accrued_last_run_start_timestamp_seconds",
            "Instant of the last run.",
            one(run.map(|run| run.start)),
        ),
        gauge(
            "accrued_last_run_end_timestamp_seconds",
            "When the last run ended.",
            one(run.map(|run| seconds(run.duration + Duration::from_secs(run.start.unsigned_abs())))),
        ),
        gauge(
            "accrued_last_run_duration_seconds",
            "How long the last run took.",
            one(run.map(|run| seconds(run.duration))),
        ),
        family(
            "accrued_last_run_stage_duration_seconds",
            "How long each part of the last run took.",
            Type::Gauge,
            &["stage"],
            Samples::Known(stages.unwrap_or_default()),
        ),
        gauge(
            "accrued_last_run_exit_code",
            "Exit status of the last run: 0 and 3 mean that it did its work, 143 that a signal stopped it.",
            one(run.map(|run| run.exit)),
        ),
        family(
            "accrued_last_success_timestamp_seconds",
            "Instant of the last run that looked at feeds and did its work (exit 0 or 3).",
            Type::Gauge,
            &[],
            of(told.counted.as_ref(), |counted| one(counted.last_success)),
        ),
    ]
}

fn counted(told: &Told) -> Vec<Family> {
    let counted = told.counted.as_ref();
    let by_exit = |counted: &Counted| {
        counted.runs_finished.iter().map(|(exit, runs)| sample(&[&exit.to_string()], runs)).collect()
    };
    vec![
        family(
            "accrued_runs_started_total",
            "Runs that began; those that never finished were stopped, killed or failed on the way.",
            Type::Counter,
            &[],
            of(counted, |counted| vec![sample(&[], counted.runs_started)]),
        ),
        family(
            "accrued_runs_finished_total",
            "Runs that came to their end, by exit status.",
            Type::Counter,
            &["exit"],
            of(counted, by_exit),
        ),
        family(
            "accrued_files_total",
            "Files taken, by what became of them.",
            Type::Counter,
            &["feed", "state"],
            of(counted, |counted| by_two(&counted.files)),
        ),
        family(
            "accrued_rows_total",
            "Data rows of the files taken, by how they were judged.",
            Type::Counter,
            &["feed", "outcome"],
            of(counted, |counted| by_two(&counted.rows)),
        ),
        family(
            "accrued_ledger_entries_total",
            "Entries of the points ledger: the number of the last one.",
            Type::Counter,
            &[],
            of(counted, |counted| vec![sample(&[], counted.last_entry)]),
        ),
    ]
}

fn money(told: &Told) -> Vec<Family> {
    let posted = told.counted.as_ref().map(|counted| &counted.posted);
    let by_sign = |posted: &Posted| {
        let points = [posted.credit, posted.debit];
        SIGNS
            .iter()
            .zip(points)
            .map(|(sign, points)| sample(&[&posted.scheme, &posted.kind, sign], points))
            .collect()
    };
    let in_wallets = |posted: &Vec<Posted>| {
        outstanding(posted).iter().map(|(scheme, points)| sample(&[scheme], points)).collect()
    };
    let worth = |scheme: &SchemeTold| {
        scheme.liability.as_ref().map(|money| sample(&[&scheme.id, &scheme.currency], money))
    };
    vec![
        family(
            "accrued_points_posted_total",
            "Points posted, by scheme, kind of entry and sign: credit adds to wallets, debit takes from them.",
            Type::Counter,
            &["scheme", "kind", "sign"],
            of(posted, |posted| {
                posted.iter().flat_map(|posted| -> Vec<Sample> { by_sign(posted) }).collect()
            }),
        ),
        family(
            "accrued_points_outstanding",
            "Points in all wallets of a scheme: posted credit less debit.",
            Type::Gauge,
            &["scheme"],
            of(posted, in_wallets),
        ),
        family(
            "accrued_liability",
            "Points outstanding at the scheme's value of a point, in the scheme's currency.",
            Type::Gauge,
            &["scheme", "currency"],
            of(told.schemes.as_ref(), |schemes| schemes.iter().filter_map(worth).collect()),
        ),
    ]
}

fn waiting(told: &Told) -> Vec<Family> {
    let counted = told.counted.as_ref();
    let cycles = |scheme: &SchemeTold| sample(&[&scheme.id], scheme.waiting);
    vec![
        family(
            "accrued_rejects_open",
            "Rejected rows that wait to be mended or discarded.",
            Type::Gauge,
            &["feed"],
            of(counted, |counted| by_one(&counted.rejects_open)),
        ),
        family(
            "accrued_holds_open",
            "What is held and waits for a person, by kind.",
            Type::Gauge,
            &["kind"],
            of(counted, |counted| by_one(&counted.holds_open)),
        ),
        family(
            "accrued_missing_files",
            "Expected files that are overdue.",
            Type::Gauge,
            &["feed"],
            of(told.missing.as_ref(), by_one),
        ),
        family(
            "accrued_cycles_waiting",
            "Cycles whose time has passed and that are not closed.",
            Type::Gauge,
            &["scheme"],
            of(told.schemes.as_ref(), |schemes| schemes.iter().map(cycles).collect()),
        ),
    ]
}

/// The samples of what can be told.
fn of<T>(known: Option<&T>, samples: impl FnOnce(&T) -> Vec<Sample>) -> Samples {
    known.map_or(Samples::Unknown, |known| Samples::Known(samples(known)))
}

fn by_one(counts: &BTreeMap<String, u64>) -> Vec<Sample> {
    counts.iter().map(|(one, count)| sample(&[one], count)).collect()
}

fn by_two(counts: &BTreeMap<(String, String), u64>) -> Vec<Sample> {
    counts.iter().map(|((one, other), count)| sample(&[one, other], count)).collect()
}

/// Points in all wallets, by scheme.
pub(super) fn outstanding(posted: &[Posted]) -> BTreeMap<&str, Points> {
    let mut by_scheme: BTreeMap<&str, Points> = BTreeMap::new();
    for Posted { scheme, credit, debit, .. } in posted {
        let points = by_scheme.entry(scheme).or_default();
        *points = Points(points.0.saturating_add(credit.0).saturating_sub(debit.0));
    }
    by_scheme
}

impl Counted {
    /// Points in all wallets of a scheme.
    pub fn outstanding(&self, scheme: &str) -> Points {
        outstanding(&self.posted).get(scheme).copied().unwrap_or_default()
    }
}

fn family(
    name: &'static str,
    help: &'static str,
    kind: Type,
    labels: &'static [&'static str],
    samples: Samples,
) -> Family {
    Family { name, help, kind, labels, samples }
}

fn sample(labels: &[&str], value: impl ToString) -> Sample {
    Sample { labels: labels.iter().map(|&label| label.to_owned()).collect(), value: value.to_string() }
}

fn one(value: Option<impl ToString>) -> Vec<Sample> {
    value.map(|value| sample(&[], value)).into_iter().collect()
}

/// Of what can be told or not, and is one value.
fn told_once(value: Option<impl ToString>) -> Samples {
    value.map_or(Samples::Unknown, |value| Samples::Known(one(Some(value))))
}

/// `1.204`: to the millisecond.
fn seconds(time: Duration) -> String {
    format!("{}.{:03}", time.as_secs(), time.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::render;

    fn text(told: &Told) -> String {
        String::from_utf8(render(&families(told), "")).unwrap()
    }

    #[test]
    fn what_is_not_known_is_not_told() {
        let text = text(&Told { program: "0.1.0".into(), time_zone_data: "2025b".into(), ..Told::default() });
        assert!(
            text.contains("accrued_build_info{version=\"0.1.0\",time_zone_data=\"2025b\"} 1\n"),
            "{text}"
        );
        for absent in ["last_run", "last_success", "store_bytes", "liability", "NaN"] {
            assert!(!text.contains(absent), "{absent} in\n{text}");
        }
    }

    #[test]
    fn points_and_money_are_exact() {
        let posted = |kind: &str, credit, debit| Posted {
            scheme: "club".into(),
            kind: kind.into(),
            credit: Points(credit),
            debit: Points(debit),
        };
        let told = Told {
            counted: Some(Counted {
                posted: vec![posted("accrual", 9_007_199_254_740_993, 0), posted("correction", 1, 500_002)],
                ..Counted::default()
            }),
            schemes: Some(vec![SchemeTold {
                id: "club".into(),
                currency: "INR".into(),
                liability: Some("2251799813.56024825".into()),
                waiting: 2,
            }]),
            ..Told::default()
        };
        let text = text(&told);
        for line in [
            "accrued_points_posted_total{scheme=\"club\",kind=\"accrual\",sign=\"credit\"} 9007199254.740993",
            "accrued_points_posted_total{scheme=\"club\",kind=\"correction\",sign=\"debit\"} 0.500002",
            "accrued_points_outstanding{scheme=\"club\"} 9007199254.240992",
            "accrued_liability{scheme=\"club\",currency=\"INR\"} 2251799813.56024825",
            "accrued_cycles_waiting{scheme=\"club\"} 2",
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line} in\n{text}");
        }
    }

    #[test]
    fn a_run_is_told_with_its_parts() {
        let mut stages = [Duration::ZERO; 6];
        stages[1] = Duration::from_millis(1_204);
        let run = LastRun {
            number: Some(7),
            start: 1_780_000_000,
            exit: 3,
            duration: Duration::from_millis(61_005),
            stages,
        };
        let text = text(&Told { run: Some(run), ..Told::default() });
        for line in [
            "accrued_last_run_number 7",
            "accrued_last_run_start_timestamp_seconds 1780000000",
            "accrued_last_run_end_timestamp_seconds 1780000061.005",
            "accrued_last_run_stage_duration_seconds{stage=\"fetch\"} 1.204",
            "accrued_last_run_stage_duration_seconds{stage=\"publish\"} 0.000",
            "accrued_last_run_exit_code 3",
        ] {
            assert!(text.contains(&format!("{line}\n")), "{line} in\n{text}");
        }
    }
}

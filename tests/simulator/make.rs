//! A random history from a seed.

use chrono::{Duration, NaiveDate};

use super::plan::{Act, Batch, Dialect, FeedPlan, FilePlan, History, Row, SIDECAR, TRAILER, Trouble, Wrong};
use super::rows::{Document, Maker};
use super::schemes::{self, ZONES};
use super::{expecting, money, replacing};
use crate::naive::Word;
use crate::random::{Random, often, raised};

/// Times of day of a run, on both sides of midnight somewhere.
const TIMES: [&str; 6] = ["12:00:00", "00:30:00", "18:29:59", "18:30:00", "15:59:59", "23:59:59"];

pub fn history(seed: u64) -> History {
    let mut r = Random::new(seed);
    let any_order = r.chance(often(35, 15));
    let restarting = !any_order && r.chance(often(20, 25));
    let feeds = feeds(&mut r, restarting, any_order);
    let has = |kind: &str| feeds.iter().any(|f| f.kind == kind);
    let schemes = schemes::schemes(&mut r, has("payments"));
    let days = run_days(&mut r);
    let begin = schemes.iter().map(|s| s.base.starts()).min().expect("a scheme");
    let stamps = if any_order { 100 } else { *r.pick(&[0, 50, 100]) };
    let mut maker = Maker {
        feeds: feeds.clone(),
        any_order,
        stamps,
        restarting,
        known: vec![],
        paid: vec![],
        clock: 100,
        numbers: 0,
        r: &mut r,
    };
    let mut batches = vec![];
    let mut standing = replacing::Standing::default();
    for (place, day) in days.iter().enumerate() {
        let mut files = masters(maker.r, &feeds, place, any_order);
        files.extend(sales(&mut maker, *day, place));
        files.extend(replacing::files(&mut maker, &mut standing, *day));
        files.extend(money::payments(&mut maker, *day, place));
        let before: Vec<FilePlan> = batches.iter().flat_map(|b: &Batch| b.files.clone()).collect();
        let known = [before.as_slice(), files.as_slice()].concat();
        files.extend(expecting::files(maker.r, &feeds, begin, *day, &known));
        files.sort_by_key(|f| f.feed);
        if !before.is_empty() && maker.r.chance(often(15, 40)) {
            let mut file = maker.r.pick(&before).clone();
            let appends = |f: &usize| feeds[*f].kind == "sales" && feeds[*f].pattern == "*.csv";
            if !any_order && appends(&file.feed) && maker.r.chance(30) {
                // by another feed of sales, with the same bytes where it writes them so
                let others: Vec<usize> = (0..feeds.len()).filter(appends).collect();
                file.feed = *maker.r.pick(&others);
            }
            match feeds[file.feed].pattern {
                "*.csv" => file.name = format!("{place}-again.csv"),
                pattern if pattern.ends_with("*.csv") => {
                    file.name = file.name.replace(".csv", &format!("-{place}-again.csv"));
                }
                _ => {}
            }
            if files.iter().all(|f| (f.feed, &f.name) != (file.feed, &file.name)) {
                files.push(file);
            }
            files.sort_by_key(|f| f.feed);
        }
        // the day of ingestion, from which an undated record applies, is told by noon in every zone
        let undated = feeds.iter().any(|f| f.kind != "sales") && !any_order;
        let time = if undated { "12:00:00" } else { *maker.r.pick(&TIMES) };
        let troubles = troubles(maker.r);
        batches.push(Batch { as_of: format!("{day}T{time}Z"), acts: vec![], files, troubles });
    }
    if raised() && !any_order {
        later(&mut r, &feeds, &mut batches);
    }
    acts(&mut r, any_order, &feeds, &schemes, &mut batches);
    History { seed, feeds, schemes, batches, any_order }
}

/// Two to four days of runs, mostly just around the ends of cycles and their grace days.
fn run_days(r: &mut Random) -> Vec<NaiveDate> {
    let first = |month| NaiveDate::from_ymd_opt(2026, month, 1).expect("the first of a month");
    let mut days: Vec<NaiveDate> = (0..2 + r.below(3))
        .map(|_| {
            first(*r.pick(&[2, 3, 4, 5, 7, 7, 8, 10])) + Duration::days(*r.pick(&[-1, 0, 3, 4, 5, 6, 9, 20]))
        })
        .collect();
    // at times the day on which what was closed then is locked, or the one before
    if r.chance(40) {
        let then = *r.pick(&days);
        days.push(then + Duration::days(*r.pick(&[1, 1, 2, 10])));
    }
    days.sort();
    days.dedup();
    days.truncate(4);
    days
}

/// What befalls a run: seldom something, since it costs processes.
fn troubles(r: &mut Random) -> Vec<Trouble> {
    match r.below(often(60, 12)) {
        0 => vec![Trouble::Killed(r.below(40) as u64)],
        1 => vec![Trouble::Killed(r.below(40) as u64), Trouble::Killed(r.below(40) as u64)],
        2 => vec![Trouble::DiskFull(*r.pick(&[1, 33, 300, 600, 900, 1200, 1500]))],
        _ => vec![],
    }
}

/// What people do between the runs. Where any order must do, they only have things read again.
fn acts(
    r: &mut Random,
    any_order: bool,
    feeds: &[FeedPlan],
    schemes: &[super::plan::SchemePlan],
    batches: &mut [Batch],
) {
    let mut mended: Vec<usize> = vec![];
    let wrong: Vec<usize> = (0..feeds.len()).filter(|f| feeds[*f].wrong.is_some()).collect();
    let mut succeeded = schemes.iter().filter(|s| s.base.id == "s1").count() > 1;
    let last = batches.len() - 1;
    for (place, batch) in batches.iter_mut().enumerate().skip(1) {
        for feed in &wrong {
            if !mended.contains(feed) && (place == last || r.chance(40)) {
                mended.push(*feed);
                batch.acts.push(Act::Mend { feed: *feed });
            }
        }
        if r.chance(often(8, 30)) {
            batch.acts.push(Act::Reread { feed: r.below(feeds.len()) });
        }
        if any_order {
            continue;
        }
        if r.chance(often(12, 45)) {
            let scheme = r.below(schemes.len());
            let (slabs, sections) = schemes::edited(r, &schemes[scheme]);
            batch.acts.push(Act::Edit { scheme, slabs, sections });
        }
        if !succeeded && schemes[0].base.ends.is_none() && r.chance(often(8, 40)) {
            succeeded = true;
            let (ends, successor) = schemes::successor(r, &schemes[0]);
            batch.acts.push(Act::Succeed { ends, successor });
        }
        if feeds.iter().any(|f| f.settings.contains("expected")) && r.chance(often(50, 70)) {
            batch.acts.push(Act::Close { scheme: r.below(schemes.len()) });
        }
        for _ in 0..r.below(often(3, 6)) {
            let verdict = *r.pick(&[Word::Release, Word::Release, Word::Discard]);
            batch.acts.push(Act::Decide { which: r.below(4), verdict });
        }
        for _ in 0..often(0, 3) {
            if r.chance(60) {
                let verdict = *r.pick(&[Word::Release, Word::Release, Word::Release, Word::Discard]);
                batch.acts.push(Act::DecidePoints { which: r.below(4), verdict });
            }
        }
        if r.chance(often(25, 60)) {
            batch.acts.push(Act::Adopt { which: r.below(4) });
        }
    }
    for batch in batches.iter_mut().filter(|batch| !batch.acts.is_empty()) {
        if r.chance(often(3, 20)) {
            let before = r.below(batch.acts.len());
            batch.acts.insert(before, Act::Stumble(r.below(150) as u64));
        }
    }
}

fn feeds(r: &mut Random, restarting: bool, any_order: bool) -> Vec<FeedPlan> {
    let shared = r.chance(50);
    let scope = r.chance(20);
    let mut first: Option<Dialect> = None;
    let mut feeds: Vec<FeedPlan> = (0..1 + r.below(often(2, 3)))
        .map(|place| {
            let mut settings = String::new();
            if shared {
                settings += "documents = \"dms\"\n";
            }
            if scope {
                settings += "number_scope = \"space\"\n";
            }
            if restarting {
                settings += "numbers_restart = \"april\"\n";
            }
            let name = format!("f{place}");
            let mut pattern = "*.csv";
            if !any_order && r.chance(often(25, 50)) {
                pattern = *r.pick(&["{yyyy}-{mm}.csv", "{yyyy}-{mm}-{part}.csv", "{yyyy}-{mm}*.csv"]);
                let most = r.pick(&["100", "40", "5"]);
                settings += &format!("mode = \"replace\"\nmax_void_percent = \"{most}\"\n");
            }
            if !any_order {
                expecting::settings(r, &mut pattern, &mut settings);
            }
            let dialect = match &first {
                Some(first) if r.chance(30) => Dialect::clone(first),
                _ => dialect(r),
            };
            first.get_or_insert_with(|| dialect.clone());
            let wrong = if r.chance(often(12, 30)) { wrong(r, &dialect) } else { None };
            if wrong.is_none() && r.chance(often(20, 30)) {
                let beside = settings.contains("replace") || r.chance(50);
                settings += if beside { SIDECAR } else { TRAILER };
            }
            let zone = ZONES[r.below(often(5, ZONES.len()))];
            FeedPlan { name, kind: "sales", zone, pattern, settings, dialect, wrong }
        })
        .collect();
    for kind in ["partners", "items"] {
        if r.chance(often(40, 65)) {
            let dialect = Dialect { own_headers: kind == "partners" && r.chance(50), ..Dialect::default() };
            feeds.push(FeedPlan {
                name: kind.into(),
                kind,
                zone: "Asia/Kolkata",
                pattern: if r.chance(30) { "{yyyy}-{mm}*.csv" } else { "*.csv" },
                settings: String::new(),
                dialect,
                wrong: None,
            });
        }
    }
    money::feeds(r, &mut feeds);
    feeds
}

/// What a person may get wrong in the settings of a feed that writes so: nothing that refuses a file whole.
fn wrong(r: &mut Random, dialect: &Dialect) -> Option<Wrong> {
    let all = [Wrong::Zone, Wrong::Signs, Wrong::Column, Wrong::Dates, Wrong::DecimalMark];
    let wrong = *r.pick(&all);
    let fits = match wrong {
        Wrong::Dates => dialect.day_first,
        Wrong::Column => !dialect.without.contains(&"category"),
        Wrong::Zone | Wrong::Signs | Wrong::DecimalMark => true,
    };
    fits.then_some(wrong)
}

fn dialect(r: &mut Random) -> Dialect {
    let mut without = vec![];
    for column in ["updated_at", "quantity", "category", "channel", "distributor_code", "currency"] {
        if r.chance(often(5, 12)) {
            without.push(column);
        }
    }
    Dialect {
        semicolons: r.chance(25),
        decimal_comma: r.chance(20),
        day_first: r.chance(30),
        own_headers: r.chance(30),
        own_words: r.chance(30),
        signed: r.chance(20),
        grouped: r.chance(20),
        spaced: r.chance(15),
        without: without.into_iter().filter(|c| *c != "updated_at").collect(),
    }
}

fn sales(maker: &mut Maker, day: NaiveDate, place: usize) -> Vec<FilePlan> {
    let mut files: Vec<FilePlan> = vec![];
    for number in 0..1 + maker.r.below(3) {
        let mut documents: Vec<Document> = vec![];
        for _ in 0..1 + maker.r.below(6) {
            let back = Duration::days(*maker.r.pick(&[0, 2, 2, 20, 40, 80, 335, 366, 380, 396]));
            documents.push(maker.event(day - back));
        }
        documents.retain(|d| !maker.feeds[d.feed].settings.contains("replace"));
        files.extend(written(maker.any_order, &documents, &format!("{place}-{number}")));
    }
    for file in &mut files {
        let feed = &maker.feeds[file.feed];
        let totals = match (feed.settings.contains(TRAILER), feed.settings.contains(SIDECAR)) {
            _ if maker.any_order => "",
            (true, _) => *maker.r.pick(&["", "", "", "", "off-"]),
            // wrong, wrong and mended by the next run, not there before it
            (_, true) => *maker.r.pick(&["", "", "", "", "off-", "off-mend-", "late-"]),
            (false, false) => "",
        };
        let name = format!("{totals}{}", file.name);
        file.name = expecting::named(maker.r, feed, day, name);
    }
    files
}

/// Documents as files, one of a feed; where any order must do, versions of one document never share a file.
fn written(any_order: bool, documents: &[Document], name: &str) -> Vec<FilePlan> {
    let mut files: Vec<FilePlan> = vec![];
    for document in documents {
        let fits = |f: &&mut FilePlan| {
            f.feed == document.feed
                && !(any_order && f.documents.iter().any(|d| same_document(&d[0], &document.rows[0])))
        };
        match files.iter_mut().find(fits) {
            Some(file) => file.documents.push(document.rows.clone()),
            None => files.push(FilePlan {
                feed: document.feed,
                name: format!("{name}-{}.csv", files.len()),
                documents: vec![document.rows.clone()],
            }),
        }
    }
    files
}

fn same_document(a: &Row, b: &Row) -> bool {
    a.get("invoice_no") == b.get("invoice_no") && a.get("doc_type") == b.get("doc_type")
}

/// The same rows cut into other files, in another order, all in the last run (the law of order).
pub fn otherwise_split(history: &History, r: &mut Random) -> History {
    let files: Vec<FilePlan> = history.batches.iter().flat_map(|b| b.files.clone()).collect();
    let (masters, sales): (Vec<_>, Vec<_>) =
        files.into_iter().partition(|f| history.feeds[f.feed].kind != "sales");
    let mut documents: Vec<Document> = vec![];
    for file in sales {
        documents.extend(file.documents.into_iter().map(|rows| Document { feed: file.feed, rows }));
    }
    r.shuffle(&mut documents);
    let mut files: Vec<FilePlan> = vec![];
    while !documents.is_empty() {
        let take = (1 + r.below(4)).min(documents.len());
        let some: Vec<Document> = documents.drain(..take).collect();
        files.extend(written(true, &some, &format!("x{}", files.len())));
    }
    files.extend(masters);
    files.sort_by_key(|f| f.feed);
    let as_of = history.batches.last().expect("a batch").as_of.clone();
    let batch = Batch { as_of, acts: vec![], files, troubles: vec![] };
    History { batches: vec![batch], ..history.clone() }
}

fn masters(r: &mut Random, feeds: &[FeedPlan], place: usize, any_order: bool) -> Vec<FilePlan> {
    let mut files = vec![];
    for (feed, plan) in feeds.iter().enumerate().filter(|(_, f)| f.kind != "sales") {
        if r.chance(if place == 0 { often(80, 50) } else { often(30, 60) }) {
            let rows = match plan.kind {
                "partners" => partners(r, place, any_order),
                "items" => items(r, place, any_order),
                "fx" => money::rates(r, place),
                _ => vec![],
            };
            if !rows.is_empty() {
                let name = match plan.pattern {
                    "*.csv" => format!("{place}.csv"),
                    _ => format!("2026-{:02}-{place}.csv", 1 + r.below(6)),
                };
                files.push(FilePlan { feed, name, documents: vec![rows] });
            }
        }
    }
    files
}

/// A day from which a record applies, of its own for each batch; none at times where the order of files may tell.
fn effective(r: &mut Random, row: &mut Row, place: usize, any_order: bool) {
    let month = if raised() && !any_order { 1 + r.below(4) } else { 1 + place };
    match r.below(3) {
        0 => drop(row.insert("effective_from", format!("2026-{month:02}-15"))),
        _ if any_order => drop(row.insert("effective_from", format!("2025-{month:02}-01"))),
        _ => {}
    }
}

fn partners(r: &mut Random, place: usize, any_order: bool) -> Vec<Row> {
    let mut rows = vec![];
    for code in ["P1", "P2", "p1"] {
        if r.chance(80) {
            let mut row = Row::new();
            row.insert("partner_code", code.into());
            row.insert("class", r.pick(&["A", "B", "c"]).to_string());
            row.insert("channel", r.pick(&["retail", ""]).to_string());
            row.insert("active", r.pick(&["yes", "yes", "no", ""]).to_string());
            row.insert("tracked", r.pick(&["yes", "yes", "no", ""]).to_string());
            let called = if raised() && !any_order && r.chance(40) {
                Some(*r.pick(&[("D1", "L1"), ("D2", "L1"), ("D1", "P2")]))
            } else {
                local_code(code)
            };
            if let Some((distributor, local)) = called {
                row.insert("distributor_code", distributor.into());
                row.insert("local_code", local.into());
            }
            effective(r, &mut row, place, any_order);
            rows.push(row);
        }
    }
    rows
}

/// What one of its distributors calls a partner.
fn local_code(code: &str) -> Option<(&'static str, &'static str)> {
    match code {
        "P1" => Some(("D1", "L1")),
        "p1" => Some(("D2", "L1")),
        _ => None,
    }
}

fn items(r: &mut Random, place: usize, any_order: bool) -> Vec<Row> {
    let mut rows = vec![];
    for sku in ["LED-1", "LED-2", "fan-1", "GIFT-1"] {
        if r.chance(75) {
            let mut row = Row::new();
            row.insert("sku", sku.into());
            row.insert("category", r.pick(&["Lights", "fans", ""]).to_string());
            row.insert("earns_points", r.pick(&["yes", "yes", "no", ""]).to_string());
            effective(r, &mut row, place, any_order);
            rows.push(row);
        }
    }
    rows
}

/// Some files come later than they could: returns before their sales, masters after what they speak of.
fn later(r: &mut Random, feeds: &[FeedPlan], batches: &mut [Batch]) {
    for place in (1..batches.len()).rev() {
        for number in (0..batches[place - 1].files.len()).rev() {
            let file = &batches[place - 1].files[number];
            if feeds[file.feed].pattern == "*.csv" && r.chance(20) {
                let file = batches[place - 1].files.remove(number);
                let files = &mut batches[place].files;
                if files.iter().all(|f| (f.feed, &f.name) != (file.feed, &file.name)) {
                    files.push(file);
                    files.sort_by_key(|f| f.feed);
                }
            }
        }
    }
}

//! The simulator: random schemes and random histories, played by the program and judged by the naive evaluator and by the
//! laws of product.md. Files come late, again, revised and replaced; documents are cancelled, returned, paid, held, released;
//! settings are mended and files read anew; rules are edited and succeeded; control totals are right, wrong, late or missing;
//! distributors whose files are expected come and go; the bank credits what was paid, or other sums. Runs, closings, readings and
//! decisions are killed and disks are full.
//!
//! `ACCRUED_HISTORIES=1000000 cargo test --release --test simulator histories` plays so many on all cores and tells every
//! twenty seconds how far it is; `ACCRUED_SEED=123` replays one, and with both so many from there on. A failing history is made
//! small and printed, the shortest that was found: config, schemes, files, what people did and runs, ready to be laid out by
//! hand (`ACCRUED_SHRINK_SECONDS` is how long it looks). `ACCRUED_FAILURES=20` ends it only after so many.
//!
//! `ACCRUED_OFTEN=1` plays what is seldom often, and some things that are not played otherwise: edits and successors of schemes,
//! replacing files, decisions about files, versions and points, closings, kills, returns before their sales, masters, rates and
//! local codes told otherwise later, payments in other currencies, schemes in dollars, cycles of a year, days on which clocks are
//! set, factors and caps that round. Its seeds are other histories than the usual ones.
//!
//! What it catches is tried by tests/faults/try.py: deliberate faults in `src/`, one at a time.

#[path = "simulator/accounts.rs"]
mod accounts;
#[path = "simulator/as_published.rs"]
mod as_published;
#[path = "simulator/compare.rs"]
mod compare;
#[path = "simulator/crew.rs"]
mod crew;
#[path = "simulator/expecting.rs"]
mod expecting;
#[path = "support/explained.rs"]
mod explained;
#[path = "simulator/faults.rs"]
mod faults;
#[path = "simulator/make.rs"]
mod make;
#[path = "simulator/money.rs"]
mod money;
#[path = "naive/mod.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod naive;
#[path = "support/papers.rs"]
mod papers;
#[path = "simulator/people.rs"]
mod people;
#[path = "simulator/place.rs"]
mod place;
#[path = "simulator/plan.rs"]
mod plan;
#[path = "simulator/play.rs"]
mod play;
#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;
#[path = "support/random.rs"]
mod random;
#[path = "simulator/replacing.rs"]
mod replacing;
#[path = "simulator/rows.rs"]
mod rows;
#[path = "simulator/schemes.rs"]
mod schemes;
#[path = "simulator/shrink.rs"]
mod shrink;
#[path = "simulator/undone.rs"]
mod undone;
#[path = "simulator/within.rs"]
mod within;

use std::time::Duration;

use crew::{Asked, Telling};

/// How many histories the normal test run plays, where the machine has nothing else to do.
const HISTORIES: u64 = 3000;
/// After so long it plays no more of them, unless it is told how many ...
const LONG_ENOUGH: Duration = Duration::from_secs(150);
/// ... but so many in any case.
const AT_LEAST: u64 = 2000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

fn asked() -> Asked {
    let (from, count) = (number("ACCRUED_SEED"), number("ACCRUED_HISTORIES"));
    let failures = number("ACCRUED_FAILURES").map_or(1, |n| usize::try_from(n).expect("a small number"));
    let usual = from.is_none() && count.is_none();
    Asked {
        from: from.unwrap_or(0),
        count: count.unwrap_or(if from.is_some() { 1 } else { HISTORIES }),
        failures,
        enough: usual.then_some((LONG_ENOUGH, AT_LEAST)),
        telling: if usual { Telling::Nothing } else { Telling::Progress },
    }
}

#[test]
fn histories_are_as_judged() {
    let ended = crew::play_all(&asked());
    println!("{} histories were played", ended.played);
    let Some((seed, how)) = ended.failed.into_iter().next() else { return };
    let history = make::history(seed);
    let rows = rows::size(&history);
    let (small, how) = shrink::smallest(history, how, |h, how| {
        crew::failure(h).filter(|other| (other == crew::PANICKED) == (how == crew::PANICKED))
    });
    panic!(
        "{how}\n=== the smallest history found ({} of {rows} rows)\n{}",
        rows::size(&small),
        small.print()
    );
}

/// The judge keeps the law of order itself, and its histories are worth judging.
#[test]
fn the_naive_evaluator_keeps_the_law_of_order() {
    let (mut compared, mut posted) = (0, 0);
    for seed in 0..400 {
        let history = make::history(seed);
        let due = play::due(&play::at_once(&history));
        posted += usize::from(!due.is_empty());
        if history.any_order {
            compared += 1;
            let other = make::otherwise_split(&history, &mut random::Random::new(seed));
            assert_eq!(due, play::due(&other), "{}\n=== or\n{}", history.print(), other.print());
        }
    }
    assert!(compared > 100 && posted > 200, "{compared} compared, {posted} posted something");
}

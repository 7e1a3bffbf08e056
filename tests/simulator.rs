//! The simulator: random schemes and random histories, played by the program and judged by the naive evaluator and by the
//! laws of product.md. Files come late, again, revised and replaced; documents are cancelled, returned, paid, held, released;
//! settings are mended and files read anew; rules are edited and succeeded; runs are killed and disks are full.
//!
//! `ACCRUED_HISTORIES=1000000 cargo test --release --test simulator histories` plays so many; `ACCRUED_SEED=123` replays one,
//! and with both so many from there on. A failing history is made small and printed, the shortest that was found:
//! config, schemes, files, what people did and runs, ready to be laid out by hand (`ACCRUED_SHRINK_SECONDS` is how long it looks).
//!
//! What it catches is tried by tests/faults/try.py: deliberate faults in `src/`, one at a time.

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

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// How many histories the normal test run plays, where the machine has nothing else to do.
const HISTORIES: u64 = 1500;
/// After so long it plays no more of them, unless it is told how many ...
const LONG_ENOUGH: Duration = Duration::from_secs(150);
/// ... but so many in any case.
const AT_LEAST: u64 = 300;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().expect("a number"))
}

const PANICKED: &str = "the test itself panicked (printed above)";

/// How a history fails, a panic of the test among the ways.
fn failure(history: &plan::History) -> Option<String> {
    match catch_unwind(AssertUnwindSafe(|| play::play(history))) {
        Ok(played) => played.err(),
        Err(_) => Some(PANICKED.into()),
    }
}

fn play_seed(seed: u64) {
    let history = make::history(seed);
    if let Some(how) = failure(&history) {
        let rows = rows::size(&history);
        let (small, how) = shrink::smallest(history, how, |h, how| {
            failure(h).filter(|other| (other == PANICKED) == (how == PANICKED))
        });
        panic!(
            "{how}\n=== the smallest history found ({} of {rows} rows)\n{}",
            rows::size(&small),
            small.print()
        );
    }
}

fn play_share(share: u64, shares: u64) {
    let from = number("ACCRUED_SEED");
    let count = number("ACCRUED_HISTORIES").unwrap_or(if from.is_some() { 1 } else { HISTORIES });
    let asked = from.is_some() || number("ACCRUED_HISTORIES").is_some();
    let (from, start) = (from.unwrap_or(0), Instant::now());
    for seed in (from..from + count).filter(|seed| seed % shares == share) {
        if !asked && seed >= AT_LEAST && start.elapsed() > LONG_ENOUGH {
            println!("{seed} histories were played, every {shares}th of them here");
            return;
        }
        play_seed(seed);
    }
}

#[test]
fn histories_of_even_seeds() {
    play_share(0, 2);
}

#[test]
fn histories_of_odd_seeds() {
    play_share(1, 2);
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

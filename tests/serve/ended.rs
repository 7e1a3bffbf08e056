//! kill -9 at random instants of a daemon's life, again and again: one ledger.

use super::rig::{HEADER, Served, YEARLY, feed, schedule, slots, workspace};
use super::signalled::ledger;
use crate::support::program::Workspace;
use crate::support::random::Random;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// How often a daemon is killed; `ACCRUED_KILLS` asks for more.
const KILLS: usize = 30;

/// Some files of two deliveries: the second corrects the first.
fn deliver(workspace: &mut Workspace, delivery: usize) {
    for file in 0..3 {
        let mut text = HEADER.to_owned();
        for i in 0..150 {
            let number = file * 200 + i;
            let amount = 37 * number % 900 + delivery * (i % 5);
            writeln!(text, "A{number},1,2026-0{}-05,P{:02},{amount}.25", 1 + number % 4, number % 40)
                .expect("a string");
        }
        workspace.drop(&format!("drop/{delivery}-{file}.csv"), text);
    }
}

fn undisturbed() -> (Duration, Vec<std::collections::BTreeMap<String, String>>) {
    let mut workspace = workspace(&schedule(YEARLY, ""), &feed(0));
    let mut longest = Duration::ZERO;
    for delivery in 0..2 {
        deliver(&mut workspace, delivery);
        let start = Instant::now();
        workspace.trial(&["run", "-q"]).check();
        longest = longest.max(start.elapsed());
    }
    (longest, ledger(&workspace))
}

/// How often it has said that it serves.
fn serving(workspace: &Workspace) -> usize {
    let log = std::fs::read_to_string(workspace.path("serve.log")).unwrap_or_default();
    log.matches("serving ").count()
}

#[test]
fn killed_at_any_instant_and_started_again_it_keeps_one_ledger() {
    let kills = std::env::var("ACCRUED_KILLS").ok().map_or(KILLS, |n| n.parse().expect("a number"));
    let (longest, wanted) = undisturbed();
    let mut random = Random::new(4);
    let mut killed = 0;
    while killed < kills {
        let mut workspace = workspace(&schedule(super::rig::EACH_SECOND, ""), &feed(0));
        let mut story = String::new();
        for delivery in 0..2 {
            deliver(&mut workspace, delivery);
            for _ in 0..2 + random.below(4) {
                let before = serving(&workspace);
                let mut served = Served::start(&workspace);
                if random.chance(50) {
                    served.says("serving ", before + 1);
                    served.signal("USR1");
                }
                let share = u32::try_from(random.below(1500)).expect("a small number");
                let end = Instant::now() + longest * share / 1000;
                while Instant::now() < end {
                    std::hint::spin_loop();
                }
                served.kill();
                killed += 1;
                write!(story, "killed after {share}/1000; ").expect("a string");
            }
            // left in peace until a run has ended
            let mut served = Served::start(&workspace);
            let before = served.log().matches("exit 0; next run").count();
            served.says("exit 0; next run", before + 2);
            served.stop("TERM", 143);
        }
        assert_eq!(ledger(&workspace), wanted, "{story}");
        let slots = slots(&workspace);
        let fresh: Vec<&String> =
            slots.iter().filter(|(_, why)| why != "stopped").map(|(due, _)| due).collect();
        assert_eq!(fresh.iter().collect::<BTreeSet<_>>().len(), fresh.len(), "no slot twice: {slots:?}");
        workspace.trial(&["verify", "--deep"]).check();
    }
}

//! Every fact knows from which ingestion it holds: an entry is explained as it stood when it was posted, whatever came later.

#[path = "support/explained.rs"]
mod explained;
#[path = "support/program.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod program;

#[path = "support/ugly.rs"]
mod ugly;

use ugly::{drop_sales, laid_out, release_all, run, ugly_history};

#[test]
fn entries_of_closed_cycles_are_explained_as_they_were_posted() {
    let explained = explained::every_entry(&ugly_history("at-close")).unwrap_or_else(|why| panic!("{why}"));
    assert!(explained >= 9, "{explained}");
}

#[test]
fn entries_of_a_continuous_scheme_are_explained_as_they_were_posted() {
    let explained = explained::every_entry(&ugly_history("continuous")).unwrap_or_else(|why| panic!("{why}"));
    assert!(explained >= 9, "{explained}");
}

#[test]
fn what_a_person_decides_after_a_run_failed_was_not_known_to_it() {
    let mut w = laid_out("continuous");
    drop_sales(&mut w, "a", "A1,1,invoice,2026-01-05,P1,X,300,\n");
    run(&w, "2026-01-06");
    drop_sales(&mut w, "b", "A1,1,invoice,2026-01-05,P2,X,900,\nA3,1,invoice,2026-01-05,P1,X,100,\n");
    // what is posted cannot be put in place: the run fails after its posting
    w.obstructed("var/statements/club", &["run", "--as-of", "2026-01-07"]);
    release_all(&w);
    run(&w, "2026-01-08");
    let explained = explained::every_entry(&w).unwrap_or_else(|why| panic!("{why}"));
    assert!(explained >= 3, "{}", w.accrued(&["ledger", "--format", "csv"]).whole());
}

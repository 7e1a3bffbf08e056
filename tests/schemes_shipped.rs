//! Every scheme that ships is one that `check` would not even warn of, and its worked examples come out.

use accrued::rehearse::{Outcome, rehearse};
use accrued::scheme::{families, lint, parse};
use std::path::Path;

fn shipped() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemes");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("schemes/")
        .map(|entry| entry.expect("a file of it").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| (path.display().to_string(), std::fs::read_to_string(path).expect("a text")))
        .collect()
}

#[test]
fn shipped_schemes_have_no_fault_and_no_warning() {
    let mut schemes = Vec::new();
    for (path, text) in shipped() {
        let (scheme, warnings) =
            parse(&path, &text).unwrap_or_else(|faults| panic!("{}", faults.render(false)));
        assert_eq!(warnings, [], "{path}");
        assert!(!scheme.examples.is_empty(), "{path} has no example");
        schemes.push(scheme);
    }
    let families = families(schemes).unwrap();
    let meeting = lint::overlaps(&families);
    assert!(meeting.is_empty(), "{}", meeting[0].render(false));
}

#[test]
fn the_worked_examples_come_out() {
    let mut count = 0;
    for (path, text) in shipped() {
        let (scheme, _) = parse(&path, &text).unwrap_or_else(|faults| panic!("{}", faults.render(false)));
        for family in families(vec![scheme]).expect("one scheme") {
            for tried in rehearse(&family).tried {
                let example = tried.example;
                match tried.outcome {
                    Outcome::AsExpected(_) => count += 1,
                    Outcome::Differs(_) | Outcome::Unreadable(_) => {
                        panic!("{path}:{}: {}: {:?}", example.line, example.name, tried.outcome)
                    }
                }
            }
        }
    }
    assert!(count >= 18, "every case of evaluation.md 5 is an example, {count} are");
}

//! The error gallery of scheme files: each `tests/gallery/scheme/NAME.toml` and what is said of it, `NAME.txt`.
//! `UPDATE_GOLDENS=1 cargo test --test gallery_scheme` writes the texts anew; read the difference before you commit it.

use accrued::fault::Faults;
use accrued::scheme::parse;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gallery/scheme")
}

fn fixtures() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("the gallery's folder")
        .map(|entry| entry.expect("an entry of it").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    found.sort();
    found
}

/// What a person sees: the faults, or the warnings of a scheme without fault.
fn said(path: &Path) -> String {
    let name = format!("schemes/{}", path.file_name().expect("a file has a name").display());
    let text = std::fs::read_to_string(path).expect("a fixture is a text");
    match parse(&name, &text) {
        Err(faults) => faults.render(false),
        Ok((_, warnings)) => Faults { path: name, text, faults: warnings }.render(false),
    }
}

#[test]
fn every_fault_says_what_the_gallery_shows() {
    let update = std::env::var_os("UPDATE_GOLDENS").is_some();
    let mut wrong = Vec::new();
    for path in fixtures() {
        let golden = path.with_extension("txt");
        let said = said(&path);
        assert!(!said.is_empty(), "{} has nothing wrong with it", path.display());
        if update {
            std::fs::write(&golden, &said).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap_or_default();
        if said != expected {
            wrong.push(format!("{}\n--- said\n{said}--- expected\n{expected}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn no_golden_text_without_its_fixture() {
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        assert!(path.with_extension("toml").exists(), "{} has no fixture", path.display());
    }
}

#[test]
fn faults_of_one_file_come_together_and_in_order() {
    let faults =
        parse("x.toml", &std::fs::read_to_string(folder().join("many_at_once.toml")).unwrap()).unwrap_err();
    assert!(faults.faults.len() >= 8, "{}", faults.render(false));
    let starts: Vec<usize> =
        faults.faults.iter().filter_map(|fault| fault.span.as_ref()).map(|span| span.start).collect();
    assert!(starts.is_sorted(), "{starts:?}");
}

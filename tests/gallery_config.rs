//! The error gallery of accrued.toml: each fault has a fixture (NAME.toml) and its golden text (NAME.txt).
//! `UPDATE_GOLDENS=1` writes the goldens anew.

use accrued::config;
use std::path::{Path, PathBuf};

fn env(name: &str) -> Option<String> {
    (name == "CREDENTIALS_DIRECTORY").then(|| "/run/credentials/accrued".to_owned())
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gallery/config");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the gallery")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    found.sort();
    found
}

/// What `accrued check` prints of the file: faults, or what stops a fetch and what is likely a mistake.
fn shown(text: &str) -> String {
    match config::load(Path::new("accrued.toml"), text, &env) {
        Err(faults) => faults.render(false),
        Ok(config) => {
            let mut faults = config.faults(config.deferred.clone());
            faults.faults.extend(config.warnings.clone());
            faults.render(false)
        }
    }
}

#[test]
fn every_fault_is_shown_as_its_golden_says() {
    let update = std::env::var_os("UPDATE_GOLDENS").is_some();
    let mut wrong = Vec::new();
    for fixture in fixtures() {
        let golden = fixture.with_extension("txt");
        let found = shown(&std::fs::read_to_string(&fixture).expect("a fixture"));
        assert!(!found.is_empty(), "{} has no fault", fixture.display());
        if update {
            std::fs::write(&golden, &found).expect("a golden");
        } else if std::fs::read_to_string(&golden).unwrap_or_default() != found {
            wrong.push(format!("--- {}\n{found}", fixture.display()));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_GOLDENS=1 takes these as they are:\n{}", wrong.join("\n"));
}

#[test]
fn no_golden_shows_a_secret() {
    for fixture in fixtures() {
        let text = std::fs::read_to_string(&fixture).expect("a fixture");
        assert!(!shown(&text).contains("hunter2"), "{}", fixture.display());
    }
}

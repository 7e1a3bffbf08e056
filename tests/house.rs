//! The house rules of src/lib.rs, held: which room may name which, which crate stays where, and what lies at the top.
//!
//! The tables are read from src/lib.rs itself, so that the map a reader sees is the rule that is held.

#[path = "house/map.rs"]
mod map;
#[path = "house/source.rs"]
mod source;

use map::{Kind, Map};
use source::Source;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Edges know rows and entries, not the stages that make them.
const STAGES: [&str; 3] = ["ingest", "evaluate", "statement"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn map() -> Map {
    Map::read(&fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs"))
}

/// Every file of src/ with the room it belongs to.
fn sources() -> Vec<Source> {
    files_below(&root().join("src"), "rs")
        .iter()
        .map(|path| Source::read(&root().join("src"), path))
        .collect()
}

fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            files.extend(files_below(&entry, ending));
        } else if entry.extension().is_some_and(|found| found == ending) {
            files.push(entry);
        }
    }
    files
}

#[test]
fn every_room_is_on_the_map() {
    let on_the_map: BTreeSet<String> = map().rooms.into_iter().map(|room| room.name).collect();
    let built: BTreeSet<String> = sources()
        .into_iter()
        .map(|source| source.room)
        .filter(|room| room != "main" && room != "lib")
        .collect();
    assert_eq!(built, on_the_map, "the folders of src/ (left) and the table in src/lib.rs (right)");
}

#[test]
fn the_map_keeps_pure_below_edge_below_shell() {
    let map = map();
    for room in &map.rooms {
        for other in &room.may_use {
            let above = map.room(other).kind;
            let allowed = match room.kind {
                Kind::Pure => above == Kind::Pure,
                Kind::Edge => above == Kind::Pure && !STAGES.contains(&other.as_str()),
                Kind::Shell => true,
            };
            assert!(allowed, "{} is {:?} and may not use {other}, which is {above:?}", room.name, room.kind);
            let back = map.room(other).may_use.contains(&room.name);
            assert!(!back, "{} and {other} may not use one another", room.name);
        }
    }
}

#[test]
fn rooms_name_no_room_that_the_map_does_not_allow() {
    let map = map();
    let mut broken = Vec::new();
    for source in sources() {
        for (line, other) in source.rooms_named() {
            let allowed = match source.room.as_str() {
                "lib" => true,
                "main" => other == "cli",
                room => room == other || map.room(room).may_use.contains(&other),
            };
            if !allowed {
                broken.push(format!("{}:{line}: {} may not use {other}", source.path, source.room));
            }
        }
    }
    assert!(broken.is_empty(), "src/lib.rs has the table\n{}", broken.join("\n"));
}

#[test]
fn crates_stay_in_the_rooms_that_the_map_names() {
    let map = map();
    let mut broken = Vec::new();
    for source in sources() {
        for used in &map.crates {
            let Some(line) = source.line_that_names(&used.name) else { continue };
            if !used.places.iter().any(|place| place.holds(&source, &map)) {
                broken.push(format!("{}:{line}: {} is not used here", source.path, used.name));
            }
        }
    }
    assert!(broken.is_empty(), "src/lib.rs has the table\n{}", broken.join("\n"));
}

#[test]
fn every_dependency_is_on_the_map_and_used() {
    let cargo: toml::Table =
        fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml").parse().expect("is TOML");
    let dependencies: BTreeSet<String> =
        cargo["dependencies"].as_table().expect("a table").keys().cloned().collect();
    let map = map();
    let named: BTreeSet<String> = map.crates.iter().map(|used| used.name.clone()).collect();
    assert_eq!(dependencies, named, "Cargo.toml (left) and the table of crates in src/lib.rs (right)");
    let sources = sources();
    let used = |name: &str| sources.iter().any(|source| source.line_that_names(name).is_some());
    let unused: Vec<&String> = named.iter().filter(|name| !used(name)).collect();
    assert!(unused.is_empty(), "nothing in src/ uses {unused:?}");
}

#[test]
fn only_edges_and_shell_are_let_through_the_fence() {
    let map = map();
    let house = fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs");
    assert!(house.contains("#![warn(clippy::disallowed_methods"), "src/lib.rs turns the fence on");
    for room in map.rooms.iter().filter(|room| room.kind == Kind::Pure) {
        let exempt = house.contains(&format!(")]\npub mod {};", room.name));
        assert!(!exempt, "{} is pure: src/lib.rs may not let it through", room.name);
    }
    for source in sources().iter().filter(|source| source.room != "lib") {
        let word = "disallowed_methods";
        assert_eq!(source.line_that_names(word), None, "{}: only src/lib.rs opens the fence", source.path);
    }
}

#[test]
fn the_top_level_is_what_the_readme_shows() {
    let known = [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "schemes",
        "fixtures",
        "tests",
        "benches",
        "deploy",
        "README.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ];
    let ignored = fs::read_to_string(root().join(".gitignore")).expect(".gitignore");
    for entry in fs::read_dir(root()).expect("the top level") {
        let name = entry.expect("an entry").file_name().into_string().expect("text");
        let made = ignored.lines().any(|line| line.trim_start_matches('/') == name);
        assert!(
            name.starts_with('.') || made || known.contains(&name.as_str()),
            "{name} does not belong at the top"
        );
    }
    for name in known.iter().filter(|name| !["fixtures", "benches"].contains(name)) {
        assert!(root().join(name).exists(), "{name} is missing");
    }
}

#[test]
fn no_test_is_ignored() {
    for folder in ["src", "tests"] {
        for path in files_below(&root().join(folder), "rs") {
            let text = source::blanked(&fs::read_to_string(&path).expect("text"));
            assert!(!text.contains("#[ignore"), "{} ignores a test", path.display());
        }
    }
}

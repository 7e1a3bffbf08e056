//! The list of deliberate faults fits the code: each can be planted. Whether each is caught, tests/faults/try.py tells.

use std::path::Path;

/// As many as issue 3 asks for.
const AT_LEAST: usize = 20;

#[test]
fn every_deliberate_fault_can_be_planted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read =
        |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let list: toml::Table = read(&root.join("tests/faults/list.toml")).parse().expect("a list in TOML");
    let faults = list["fault"].as_array().expect("[[fault]]");
    assert!(faults.len() >= AT_LEAST, "{} faults", faults.len());
    for fault in faults {
        let text = |key: &str| fault[key].as_str().expect("text");
        let code = read(&root.join(text("file")));
        assert_eq!(
            code.matches(text("at")).count(),
            1,
            "{}: `at` stands once in {}",
            text("name"),
            text("file")
        );
        assert_eq!(text("at").matches(text("was")).count(), 1, "{}: `was` stands once in `at`", text("name"));
        assert_ne!(text("was"), text("is"), "{}", text("name"));
    }
}

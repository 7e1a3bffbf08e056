//! Golden texts in tests/golden/: exactly what is printed. `UPDATE_GOLDENS=1` writes them anew; read the difference before you
//! commit it.

use std::fs;
use std::path::Path;

/// Compares with the golden of this name.
pub fn check(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        fs::create_dir_all(path.parent().expect("in a folder")).expect("its folder");
        fs::write(&path, found).expect("a golden");
        return;
    }
    let golden = fs::read_to_string(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
    assert_eq!(found, golden, "tests/golden/{name}; UPDATE_GOLDENS=1 takes it as it is");
}

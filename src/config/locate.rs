//! Which accrued.toml is meant. Pure: what is there is asked of the shell.

use super::Environment;
use std::path::{Path, PathBuf};

/// Where the file is when nobody says.
pub const PLACES: [&str; 2] = ["accrued.toml", "/etc/accrued/accrued.toml"];

/// `--config`, else `ACCRUED_CONFIG`, else accrued.toml here, else the one in /etc. What is named outright is taken,
/// there or not: reading it says why it cannot be read. The error says where it was looked for.
pub fn locate(
    flag: Option<&Path>,
    env: Environment<'_>,
    exists: &dyn Fn(&Path) -> bool,
) -> Result<PathBuf, String> {
    if let Some(flag) = flag {
        return Ok(flag.to_owned());
    }
    if let Some(named) = env("ACCRUED_CONFIG").filter(|named| !named.is_empty()) {
        return Ok(PathBuf::from(named));
    }
    PLACES.iter().map(Path::new).find(|place| exists(place)).map(Path::to_owned).ok_or_else(|| {
        "no accrued.toml here and none in /etc/accrued; name one with --config FILE, or write a first one with accrued init DIR"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_then_the_variable_then_here_then_etc() {
        let named = |name: &str| (name == "ACCRUED_CONFIG").then(|| "/x/a.toml".to_owned());
        let none = |_: &str| None;
        let flag = Path::new("f.toml");
        assert_eq!(locate(Some(flag), &named, &|_| true), Ok("f.toml".into()));
        assert_eq!(locate(None, &named, &|_| true), Ok("/x/a.toml".into()));
        assert_eq!(locate(None, &none, &|_| true), Ok("accrued.toml".into()));
        assert_eq!(locate(None, &|_| Some(String::new()), &|_| true), Ok("accrued.toml".into()));
        let etc = |path: &Path| path.starts_with("/etc");
        assert_eq!(locate(None, &none, &etc), Ok("/etc/accrued/accrued.toml".into()));
        assert!(locate(None, &none, &|_| false).unwrap_err().contains("accrued init DIR"));
    }
}

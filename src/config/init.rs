//! What `accrued init DIR` writes: a commented accrued.toml, an example scheme, systemd units to adapt. Pure: the same
//! bytes every time. Does not: write them, nor ask whether something is there already.

/// A file of a first workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitFile {
    /// where, below DIR
    pub path: &'static str,
    /// its whole text
    pub text: &'static str,
}

/// Every file, in the order in which a person should read them.
pub const FILES: [InitFile; 6] = [
    InitFile { path: "README.txt", text: include_str!("../../deploy/README.txt") },
    InitFile { path: "accrued.toml", text: include_str!("../../deploy/accrued.toml") },
    InitFile { path: "schemes/example-club.toml", text: include_str!("../../deploy/example-scheme.toml") },
    InitFile { path: "systemd/accrued-run.service", text: include_str!("../../deploy/accrued-run.service") },
    InitFile { path: "systemd/accrued-run.timer", text: include_str!("../../deploy/accrued-run.timer") },
    InitFile { path: "systemd/accrued.service", text: include_str!("../../deploy/accrued.service") },
];

/// Folders that must be there although nothing is in them yet.
pub const FOLDERS: [&str; 1] = ["drop/north"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, load};
    use crate::inbox::Place;
    use std::path::Path;

    fn config(text: &str) -> Config {
        let env = |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| "/run/cred".to_owned());
        load(Path::new("accrued.toml"), text, &env)
            .unwrap_or_else(|faults| panic!("{}", faults.render(false)))
    }

    fn text(path: &str) -> &'static str {
        FILES.iter().find(|file| file.path == path).expect(path).text
    }

    /// The file with every commented setting and table taken into force.
    fn uncommented() -> String {
        let setting = |line: &str| {
            let key = line.split(" = ").next().unwrap_or_default();
            let is_key = key.len() < line.len() && key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            is_key || line.starts_with('[')
        };
        let lines = text("accrued.toml")
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|rest| setting(rest)).unwrap_or(line));
        lines.map(|line| format!("{line}\n")).collect()
    }

    #[test]
    fn the_config_is_valid_without_a_warning_and_reads_the_folder_it_comes_with() {
        let config = config(text("accrued.toml"));
        assert_eq!(config.warnings, []);
        assert_eq!(config.feeds.len(), 1);
        assert_eq!(config.feeds[0].source.place, Place::Folder(FOLDERS[0].into()));
    }

    #[test]
    fn every_commented_setting_shows_its_default() {
        let shown = config(&uncommented());
        assert_eq!(shown.warnings, []);
        assert_eq!(shown.feeds.len(), 2);
        assert!(shown.schedule.is_some());
        for setting in
            config(text("accrued.toml")).settings.iter().filter(|setting| setting.origin == "default")
        {
            let same = shown.settings.iter().find(|other| other.key == setting.key).expect(&setting.key);
            assert_eq!(same.value, setting.value, "{}", setting.key);
            let later = ["control.two_person", "control.operators"];
            assert!(
                same.origin != "default" || later.contains(&setting.key.as_str()),
                "{} is not in the file",
                setting.key
            );
        }
    }

    #[test]
    fn the_scheme_is_valid_without_a_warning() {
        let path = "schemes/example-club.toml";
        match crate::scheme::parse(path, text(path)) {
            Ok((scheme, warnings)) => {
                assert_eq!(warnings, []);
                assert_eq!(scheme.examples.len(), 4);
            }
            Err(faults) => panic!("{}", faults.render(false)),
        }
    }

    #[test]
    fn every_path_is_plain_and_every_text_ends_with_a_line_end() {
        for file in FILES {
            assert!(file.text.ends_with('\n') && !file.text.contains('\r'), "{}", file.path);
            assert!(
                Path::new(file.path).components().all(|part| matches!(part, std::path::Component::Normal(_)))
            );
        }
    }
}

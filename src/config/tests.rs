//! Whole files through `load`.

use super::*;
use crate::domain::decimal::DecimalMark;
use crate::facts::settle::NumberScope;
use crate::inbox::{Complete, HostKey, Login, Place};
use crate::ingest::{CreditNotes, Encoding};
use std::path::Path;
use std::time::Duration;

const PIN: &str = "SHA256:uNiVztksCsDhcc0u9e8BrDWhyVTAWx0Ep7zTMJNLhR8";

/// Every key of interfaces.md 2 that works in this version, at its default where it has one.
const ALL: &str = include_str!("tests_all.toml");

fn env(name: &str) -> Option<String> {
    (name == "CREDENTIALS_DIRECTORY").then(|| "/run/cred".to_owned())
}

fn loaded(text: &str) -> Config {
    load(Path::new("/etc/accrued/accrued.toml"), text, &env)
        .unwrap_or_else(|faults| panic!("{}", faults.render(false)))
}

fn faults(text: &str) -> Vec<String> {
    match load(Path::new("accrued.toml"), text, &env) {
        Ok(_) => Vec::new(),
        Err(faults) => faults.faults.into_iter().map(|fault| fault.message).collect(),
    }
}

/// A feed with only what is required.
fn least(more: &str) -> String {
    format!(
        "[[feed]]\nname = \"n\"\nkind = \"sales\"\nurl = \"file:drop/n\"\nfiles = \"s_{{yyyy}}-{{mm}}*.csv\"\ntimezone = \"Asia/Kolkata\"\n{more}"
    )
}

#[test]
fn every_key_of_the_interface_is_taken() {
    let config = loaded(ALL);
    assert_eq!(config.data_dir, Path::new("/etc/accrued/var"));
    let schedule = config.schedule.as_ref().expect("a schedule");
    assert_eq!(schedule.retry, Duration::from_secs(1800));
    let feed = &config.feeds[0];
    assert_eq!(feed.documents, "north-sales");
    assert_eq!(feed.layout.numbers_restart, Some(4));
    assert_eq!(feed.distributors.len(), 2);
    assert_eq!(feed.distributors[1].to, "2027-03-31".parse().ok());
    let Place::Sftp(sftp) = &feed.source.place else { panic!("not sftp") };
    assert_eq!((sftp.user.as_str(), sftp.host.as_str(), sftp.port), ("dms", "files.example.com", 22));
    assert_eq!(sftp.folder, "/outbound/north");
    assert_eq!(sftp.host_keys, [HostKey::Fingerprint(PIN.to_owned())]);
    assert_eq!(sftp.login, Login::PrivateKey { path: "/run/cred/sftp_key".into(), passphrase_file: None });
    assert_eq!(sftp.file_deadline, Duration::from_secs(3600));
    assert_eq!(sftp.run_deadline, Duration::from_secs(6 * 3600));
    assert_eq!(sftp.read_buffer, 1 << 20);
    assert_eq!(sftp.connections, 4);
    assert_eq!(feed.layout.columns["partner_code"], "Dealer Code");
    assert_eq!(feed.layout.values["doc_type"]["Tax Invoice"], "invoice");
    assert_eq!(config.warnings, []);
    assert!(config.ready_to_fetch().is_ok());
}

#[test]
fn defaults_are_those_of_the_interface() {
    let config = loaded(&least(""));
    let feed = &config.feeds[0];
    assert!(config.schedule.is_none() && config.publish.transactions && !config.publish.partner_files);
    assert_eq!((feed.documents.as_str(), feed.number_scope), ("n", NumberScope::Distributor));
    assert_eq!((feed.expected, feed.due_days), (Expected::None, 5));
    assert_eq!(feed.max_reject_percent, rust_decimal::Decimal::ONE);
    assert_eq!(feed.source.complete, Complete::Stable { settle: Duration::from_secs(60) });
    assert_eq!((feed.source.max_bytes, feed.layout.max_bytes), (4 << 30, 4 << 30));
    assert_eq!((feed.layout.delimiter, feed.layout.encoding), (b',', Encoding::Utf8));
    assert_eq!(
        (feed.layout.decimal_mark, feed.layout.credit_notes),
        (DecimalMark::Point, CreditNotes::PositiveOrNegative)
    );
    assert_eq!(feed.layout.numbers_restart, None);
    assert_eq!(feed.source.place, Place::Folder("/etc/accrued/drop/n".into()));
}

#[test]
fn the_settings_in_force_agree_with_the_interface_whether_written_or_not() {
    let written: Vec<(String, String)> = loaded(ALL).settings.into_iter().map(|s| (s.key, s.value)).collect();
    let mut from_default = 0;
    for setting in loaded(&least("")).settings {
        if setting.origin != "default" || setting.key.ends_with("documents") {
            continue;
        }
        let key = setting.key.replacen("feed.n.", "feed.north-sales.", 1);
        let same = written.iter().find(|(other, _)| *other == key);
        let given = same.map(|(_, value)| value.as_str());
        if key.ends_with("distributors") || key.ends_with("dates") {
            continue;
        }
        assert_eq!(given, Some(setting.value.as_str()), "{key}");
        from_default += 1;
    }
    assert!(from_default > 15, "{from_default}");
}

#[test]
fn settings_say_where_they_come_from() {
    let config = loaded(ALL);
    let origin = |key: &str| {
        let found = config.settings.iter().find(|setting| setting.key == key).expect(key);
        (found.value.clone(), found.origin.clone())
    };
    assert_eq!(origin("data_dir"), ("\"/etc/accrued/var\"".into(), "/etc/accrued/accrued.toml:1".into()));
    let (value, from) = origin("feed.north-sales.ssh.private_key");
    assert_eq!(value, "\"/run/cred/sftp_key\"");
    assert!(from.ends_with(" and the environment"), "{from}");
    assert_eq!(origin("feed.north-sales.values.doc_type.\"Tax Invoice\"").0, "\"invoice\"");
    let keys: std::collections::BTreeSet<&str> = config.settings.iter().map(|s| s.key.as_str()).collect();
    assert_eq!(keys.len(), config.settings.len(), "each once");
}

#[test]
fn a_variable_that_is_missing_stops_only_who_contacts_the_feed() {
    let none = |_: &str| None;
    let config = load(Path::new("accrued.toml"), ALL, &none).expect("reading works");
    let refused = config.ready_to_fetch().expect_err("fetching does not");
    assert!(refused.render(false).contains("CREDENTIALS_DIRECTORY"));
    assert!(load(Path::new("accrued.toml"), "data_dir = \"${NONE}\"", &none).is_err());
}

#[test]
fn every_fault_is_said_at_once_in_the_order_of_the_file() {
    let text = "data = 1\n[publish]\ntransactions = 1\n[[feed]]\nname = \"a/b\"\nkind = \"sale\"\n";
    let found = faults(text);
    assert_eq!(
        found,
        [
            "unknown key data in the top level",
            "transactions must be true or false, found the number 1",
            "[[feed]] \"a/b\" has no url",
            "[[feed]] \"a/b\" has no files",
            "[[feed]] \"a/b\" has no timezone",
            "name cannot be a folder's name: \"a/b\"",
            "kind cannot be \"sale\"",
        ]
    );
}

#[test]
fn urls_are_read_whole_or_refused() {
    let place =
        |url: &str| match load(Path::new("c/accrued.toml"), &least("").replace("file:drop/n", url), &env) {
            Ok(config) => match &config.feeds[0].source.place {
                Place::Folder(path) => Ok(path.display().to_string()),
                Place::Sftp(_) => Err("sftp".to_owned()),
            },
            Err(faults) => Err(faults.faults[0].message.clone()),
        };
    assert_eq!(place("file:drop"), Ok("c/drop".into()));
    assert_eq!(place("file:/srv/drop"), Ok("/srv/drop".into()));
    assert_eq!(place("file:///srv/my drop"), Ok("/srv/my drop".into()));
    assert_eq!(place("file://localhost/srv"), Ok("/srv".into()));
    assert_eq!(place("file:${CREDENTIALS_DIRECTORY}/x"), Ok("/run/cred/x".into()));
    for url in [
        "file:",
        "file://",
        "file://host/srv",
        "drop/n",
        "ftp://u@h/x",
        "sftp:u@h/x",
        "sftp://h/x",
        "sftp://@h/x",
    ] {
        assert!(place(url).is_err(), "{url}");
    }
    let ssh = format!("[feed.ssh]\nhost_key = \"{PIN}\"\nagent = true\n");
    let sftp = |url: &str| {
        let config = load(Path::new("accrued.toml"), &least(&ssh).replace("file:drop/n", url), &env).ok()?;
        match config.feeds.into_iter().next()?.source.place {
            Place::Sftp(sftp) => Some(format!("{} {} {} {}", sftp.user, sftp.host, sftp.port, sftp.folder)),
            Place::Folder(_) => None,
        }
    };
    assert_eq!(sftp("sftp://u@h"), Some("u h 22 /".into()));
    assert_eq!(sftp("sftp://u@h:2222/a b/%C3%BC"), Some("u h 2222 /a b/ü".into()));
    assert_eq!(sftp("sftp://u%40corp@[::1]:22/x"), Some("u@corp ::1 22 /x".into()));
    for url in [
        "sftp://u@h:0/x",
        "sftp://u@h:70000/x",
        "sftp://u@h:/x",
        "sftp://u@h:+22/x",
        "sftp://u@[::1/x",
        "sftp://u@[h]/x",
        "sftp://u@h h/x",
        "sftp://u@/x",
        "sftp://u@h/x%2",
        "sftp://u@h/x?y",
        "sftp://u:hunter2@h/x",
    ] {
        assert_eq!(sftp(url), None, "{url}");
    }
}

#[test]
fn scalars_mind_their_units_and_ranges() {
    let ok = |line: &str| faults(&least(line)).is_empty();
    for line in [
        "max_bytes = \"1 KiB\"",
        "max_bytes = 1000",
        "max_bytes = \"500MB\"",
        "max_reject_percent = \"0\"",
        "max_reject_percent = \"2.5%\"",
        "max_reject_percent = 100",
        "settle_seconds = 0",
        "due_days = 0",
    ] {
        assert!(ok(line), "{line}");
    }
    for line in [
        "max_bytes = \"4\"",
        "max_bytes = 0",
        "max_bytes = -1",
        "max_bytes = \"4 gb\"",
        "max_bytes = \"99999999999999999999 B\"",
        "max_bytes = \"99999999999 TiB\"",
        "max_reject_percent = 1.5",
        "max_reject_percent = \"101\"",
        "max_reject_percent = \"-1\"",
        "max_reject_percent = \"1e1\"",
        "max_reject_percent = \"\"",
        "settle_seconds = \"60\"",
        "settle_seconds = -1",
        "due_days = 400",
        "[feed.csv]\ndelimiter = \",,\"",
        "[feed.csv]\ndelimiter = \"\"",
        "[feed.csv]\ndelimiter = \"ü\"",
        "[feed.csv]\ndelimiter = \"a\"",
        "[feed.csv]\ndelimiter = '\"'",
        "numbers_restart = \"April\"",
        "numbers_restart = 4",
    ] {
        assert!(!ok(line), "{line}");
    }
    let retry = |text: &str| {
        faults(&format!("[schedule]\ncron = \"0 2 * * *\"\ntimezone = \"UTC\"\nretry = {text}\n")).is_empty()
    };
    for text in ["\"20s\"", "\"90m\"", "\"1h30m\"", "\"2d\""] {
        assert!(retry(text), "{text}");
    }
    for text in [
        "\"20\"",
        "20",
        "\"0s\"",
        "\"m\"",
        "\"1m1h\"",
        "\"1.5h\"",
        "\"-1s\"",
        "\"20 s\"",
        "\"\"",
        "\"99999999999999999999s\"",
        "\"500d\"",
    ] {
        assert!(!retry(text), "{text}");
    }
}

#[test]
fn the_distributor_of_a_file_is_told_by_its_name_or_its_dates() {
    let config = loaded(&least(
        "distributors = [{ code = \"D1\", to = 2026-06-30 }, { code = \"D2\", from = 2026-07-01 }]\nexpected = \"monthly\"\n",
    ));
    let feed = &config.feeds[0];
    let whose =
        |name: &str| feed.distributor_of(&feed.source.pattern.matches(name).expect(name)).map(str::to_owned);
    assert_eq!(whose("s_2026-06.csv").as_deref(), Some("D1"));
    assert_eq!(whose("s_2026-07.csv").as_deref(), Some("D2"));
    let named = feed.source.pattern.matches("s_2026-07.csv").expect("a match");
    assert_eq!(feed.layout_of(&named).defaults["distributor_code"], "D2");

    let config =
        loaded(&least("distributors = [\"D1\", \"D17\"]\n").replace("s_{yyyy}", "s_{distributor}_{yyyy}"));
    let feed = &config.feeds[0];
    let named = feed.source.pattern.matches("s_D17_2026-07.csv").expect("a match");
    assert_eq!(feed.distributor_of(&named), Some("D17"));
    assert!(feed.source.pattern.matches("s_D2_2026-07.csv").is_none());
}

#[test]
fn expected_files_are_one_for_each_period_and_distributor_while_it_lasts() {
    let config = loaded(
        &least("expected = \"monthly\"\ndistributors = [\"D1\", { code = \"D2\", from = 2026-05-15 }]\n")
            .replace("s_{yyyy}", "s_{distributor}_{yyyy}"),
    );
    let day = |text: &str| text.parse::<NaiveDate>().expect("a date");
    let files = expected::files(&config.feeds[0], day("2026-04-01"), day("2026-05-31"));
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["s_D1_2026-04*.csv", "s_D1_2026-05*.csv", "s_D2_2026-05*.csv"]);
    assert_eq!(files[0].due, day("2026-05-05"));
    assert!(files[0].is_overdue(day("2026-05-06")) && !files[0].is_overdue(day("2026-05-05")));
    let pattern = &config.feeds[0].source.pattern;
    let met = |name: &str| files[1].is_met_by(&pattern.matches(name).expect(name));
    assert!(met("s_D1_2026-05_b.csv") && !met("s_D2_2026-05.csv") && !met("s_D1_2026-04.csv"));
}

#[test]
fn secrets_in_the_file_are_refused_and_never_shown() {
    for text in [
        "password = \"hunter2\"\n".to_owned(),
        "password = hunter2\n".to_owned(),
        least("[feed.ssh]\npassphrase = \"hunter2\"\n"),
        least("").replace("file:drop/n", "sftp://u:hunter2@h/x"),
        least("[feed.ssh]\nprivate_key = \"\"\"-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n\"\"\"\n"),
    ] {
        let Err(faults) = load(Path::new("accrued.toml"), &text, &env) else { panic!("taken: {text}") };
        assert!(!faults.render(false).contains("hunter2"), "{}", faults.render(false));
        assert!(!faults.text.contains("hunter2"), "{}", faults.text);
    }
}

#[test]
fn ugly_texts_are_refused_without_a_panic() {
    for text in [
        "\u{0}",
        "[[feed]",
        "feed = 1",
        "feed = [1]",
        "[feed]\nname = 1",
        "a.b.c = {",
        "[schedule]\n[schedule]",
        "x = 1979-05-27T07:32:00Z",
        "feed = [[]]",
        "[[feed]]\nssh = 1\ncsv = 2\ncolumns = 3\ndefaults = []\nvalues = true\ntotals = \"x\"\ndistributors = {}\n",
        "schedule = 1\ncontrol = 2\npublish = 3",
    ] {
        assert!(load(Path::new("accrued.toml"), text, &env).is_err(), "{text}");
    }
    assert!(load(Path::new("accrued.toml"), "", &env).is_ok());
    assert!(load(Path::new("accrued.toml"), "\u{feff}data_dir = \"x\"\r\n", &env).is_ok());
}

proptest::proptest! {
    #[test]
    fn a_file_cut_anywhere_never_panics(cut in 0usize..4000) {
        let cut = (0..=cut.min(ALL.len())).rev().find(|at| ALL.is_char_boundary(*at)).unwrap_or(0);
        if let Err(faults) = load(Path::new("accrued.toml"), &ALL[..cut], &env) {
            proptest::prop_assert!(!faults.faults.is_empty());
            faults.render(false);
        }
    }
}

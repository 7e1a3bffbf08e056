//! The journal, record by record: runs done again and persons' decisions made again, in a store of their own.

use crate::batch::{
    self, Arrived, Fetch, Halted, Looked, Order, Places, Progress, RealSchemes, Replay, Reread, Scheduled,
};
use crate::config::{self, Config};
use crate::inbox::Cancel;
use crate::outbox::check::file_sha256;
use crate::scheme;
use crate::store::files::Sidecar;
use crate::store::holds::HoldState;
use crate::store::journal::Record;
use crate::store::pushed::{PUSH_FAILED, PUSHED, PUSHING};
use crate::store::versions::MadeBy;
use crate::store::{ClockMode, Store};
use anyhow::{Context, Result, anyhow, bail};
use chrono::DateTime;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the replay came to.
#[derive(Debug, Default)]
pub struct Replayed {
    /// runs done again
    pub runs: u64,
    /// the last run, where the journal does not tell of its end
    pub unfinished: Option<i64>,
    /// how many runs each version of program and time-zone data made
    pub made_by: BTreeMap<MadeBy, u64>,
    /// where the replay could not go on, and why
    pub stopped: Option<(String, String)>,
    /// whether that is since an early version began the journal, and did not tell in it all that a run went by
    pub begun_early: bool,
    /// whether that is since the archive is not what it was: no version's doing
    pub archive_changed: bool,
}

/// The journal does not tell which versions of the schemes runs went by.
#[derive(Debug)]
struct BegunEarly;

impl std::fmt::Display for BegunEarly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "an early version of accrued began this store and did not note by which versions of the schemes its runs went: \
             that is no damage, and the other checks prove the store without a replay",
        )
    }
}

impl std::error::Error for BegunEarly {}

/// A run as its records tell of it.
struct Told {
    run: i64,
    order: Order,
    replay: Replay,
    finished: bool,
}

/// Takes records in order.
pub struct Replayer {
    cancel: Cancel,
    folder: PathBuf,
    config: Option<Config>,
    /// path and text by version
    texts: BTreeMap<String, (String, String)>,
    /// versions that runs go by
    versions: Option<Vec<String>>,
    told: Option<Told>,
    replayed: Replayed,
}

impl Replayer {
    /// In a folder that becomes a data_dir, or is one: then what comes is done on top of what its store has. Its archive is there.
    pub fn new(cancel: &Cancel, folder: &Path) -> Result<Replayer> {
        // where there is no run yet, an empty store is compared with an empty one
        drop(Store::open(folder, &folder.join("tmp"))?);
        Ok(Replayer {
            cancel: cancel.clone(),
            folder: folder.to_owned(),
            config: None,
            texts: BTreeMap::new(),
            versions: None,
            told: None,
            replayed: Replayed::default(),
        })
    }

    /// The next record; nothing more is done once the replay cannot go on.
    pub fn take(&mut self, record: &Record) -> Result<()> {
        if self.replayed.stopped.is_some() {
            return Ok(());
        }
        self.cancel.check()?;
        match self.hear(record) {
            Ok(()) => Ok(()),
            Err(fault) => self.stop(format!("journal record {} ({})", record.seq, record.kind), fault),
        }
    }

    /// A record of what the store has already: only the texts that later runs go by are taken from it.
    pub fn recall(&mut self, record: &Record) -> Result<()> {
        match record.kind.as_str() {
            "config" | "scheme" | "schemes" => self.hear(record),
            _ => Ok(()),
        }
    }

    /// The end of the journal.
    pub fn end(mut self) -> Result<Replayed> {
        if let Err(fault) = self.do_again() {
            self.stop("the last run".to_owned(), fault)?;
        }
        Ok(self.replayed)
    }

    /// Only a signal ends the command; all else is a finding.
    fn stop(&mut self, what: String, fault: anyhow::Error) -> Result<()> {
        self.cancel.check()?;
        self.replayed.begun_early = fault.is::<BegunEarly>();
        self.replayed.stopped = Some((what, format!("cannot be replayed: {fault:#}")));
        Ok(())
    }

    fn hear(&mut self, record: &Record) -> Result<()> {
        let body: Value = serde_json::from_str(&record.body)?;
        match record.kind.as_str() {
            "run-started" => {
                self.do_again()?;
                self.told = Some(told(record, &body, &self.cancel)?);
            }
            "config" => self.config = Some(config_of(&body, &self.folder)?),
            "scheme" => {
                let entry = (text(&body["path"]), text(&body["text"]));
                self.texts.insert(text(&body["version"]), entry);
            }
            "schemes" => self.versions = Some(texts(&body["versions"])),
            batch::STUCK => self.of_run()?.replay.stuck = batch::faults_of(&body),
            "looked" => self.of_run()?.replay.looked = Looked::read(&body),
            "file" => {
                let arrived = arrived(&body);
                self.of_run()?.replay.files.push(arrived);
            }
            "posted" | "cycle-closed" | "published" => {}
            PUSHED | PUSHING | PUSH_FAILED => self.of_run()?.replay.pushes.push((record.kind.clone(), body)),
            "run-finished" => self.of_run()?.finished = true,
            "rejects-discarded" => {
                self.do_again()?;
                let mut store = Store::open(&self.folder, &self.folder.join("tmp"))?;
                let file = body["file"].as_i64().context("it does not say of which file")?;
                let reason = body["reason"].as_str().unwrap_or_default();
                return store.discard_rejects(&record.stamp, file, body["line"].as_u64(), reason).map(drop);
            }
            "refusal-discarded" => {
                self.do_again()?;
                let mut store = Store::open(&self.folder, &self.folder.join("tmp"))?;
                let file = body["file"].as_i64().context("it does not say of which file")?;
                let reason = body["reason"].as_str().unwrap_or_default();
                return store.discard_refusal(&record.stamp, file, reason).map(drop);
            }
            "scheduled" => {
                self.do_again()?;
                let mut store = Store::open(&self.folder, &self.folder.join("tmp"))?;
                return store.take_up_schedule(&record.stamp, &text(&body["cron"]), &text(&body["timezone"]));
            }
            "decision" => {
                self.do_again()?;
                return self.decide(record, &body);
            }
            _ => bail!("accrued {} knows no such record", env!("CARGO_PKG_VERSION")),
        }
        if let Some(told) = &mut self.told {
            told.replay.until = record.seq;
        }
        Ok(())
    }

    fn of_run(&mut self) -> Result<&mut Told> {
        self.told.as_mut().context("it belongs to no run")
    }

    /// Does the run again of which everything is told.
    fn do_again(&mut self) -> Result<()> {
        let Some(Told { run, mut order, replay, finished }) = self.told.take() else { return Ok(()) };
        self.replayed.runs += 1;
        self.replayed.unfinished = (!finished).then_some(run);
        let made_by =
            MadeBy { program: replay.program.clone(), time_zone_data: replay.time_zone_data.clone() };
        *self.replayed.made_by.entry(made_by).or_default() += 1;
        let config = self.config.as_ref().with_context(|| format!("no config is told for run {run}"))?;
        if let Err(fault) = self.same_bytes(&replay) {
            self.replayed.archive_changed = true;
            return Err(fault);
        }
        order.replay = Some(replay);
        match batch::run(config, self.schemes()?, &order) {
            Ok(_) => Ok(()),
            Err(fault) if fault.is::<Halted>() && !finished => Ok(()),
            Err(fault) => Err(fault.context(format!("run {run}"))),
        }
    }

    fn same_bytes(&self, replay: &Replay) -> Result<()> {
        let archive = crate::inbox::Archive::of(&self.folder);
        for file in &replay.files {
            let path = archive.path_of(&file.sha256);
            match file_sha256(&path)? {
                Some(found) if found == file.sha256 => {}
                Some(found) => {
                    bail!(
                        "{} of feed {} was changed in the archive: its SHA-256 is {found}, taken was {}",
                        file.name,
                        file.feed,
                        file.sha256
                    )
                }
                None => bail!("{} of feed {} is not in the archive", file.name, file.feed),
            }
        }
        Ok(())
    }

    fn schemes(&self) -> Result<RealSchemes> {
        let versions = self.versions.as_ref().ok_or(BegunEarly)?;
        let mut real = RealSchemes::default();
        let mut schemes = Vec::new();
        for version in versions {
            let (path, text) = self
                .texts
                .get(version)
                .with_context(|| format!("the text of scheme version {version} is not in the journal"))?;
            let (scheme, _) = scheme::parse(path, text)
                .map_err(|faults| anyhow!("a scheme cannot be read any more: {}", faults.render(false)))?;
            real.texts.insert(scheme.version.clone(), (path.clone(), text.clone()));
            schemes.push(scheme);
        }
        real.families = scheme::families(schemes).map_err(|faults| {
            anyhow!("{}", faults.iter().map(|faults| faults.render(false)).collect::<String>())
        })?;
        Ok(real)
    }

    /// A person's word on a hold, which is found by what it is about.
    fn decide(&self, record: &Record, body: &Value) -> Result<()> {
        let (kind, subject) = (text(&body["kind"]), text(&body["subject"]));
        let state = match body["decision"].as_str() {
            Some("released") => HoldState::Released,
            Some("discarded") => HoldState::Discarded,
            Some(_) | None => bail!("it does not say what was decided"),
        };
        let id = body["hold"].as_i64().context("it does not say which hold")?;
        let mut store = Store::open(&self.folder, &self.folder.join("tmp"))?;
        let Some(hold) = store.last_hold(&kind, &subject)? else {
            if kind == batch::OTHER_VERSION {
                // one version has made all runs of the replay: there was nothing to decide
                return store.whole(|store| store.append(&record.stamp, &record.kind, body).map(drop));
            }
            bail!("it decides a hold {kind} of {subject}, which the replay has not");
        };
        store.renumber_hold(hold.id, id)?;
        store.decide_hold(&record.stamp, id, state, body["reason"].as_str().unwrap_or_default()).map(drop)
    }
}

fn told(record: &Record, body: &Value, cancel: &Cancel) -> Result<Told> {
    let now = DateTime::parse_from_rfc3339(&record.stamp.at).context("its instant is none")?.to_utc();
    let close = body["close"].as_object().map(|_| batch::CloseByHand {
        scheme: text(&body["close"]["scheme"]),
        cycle: text(&body["close"]["cycle"]),
        reason: text(&body["close"]["reason"]),
    });
    let order = Order {
        now,
        clock: if body["clock"] == ClockMode::Given.word() { ClockMode::Given } else { ClockMode::Real },
        feeds: texts(&body["feeds"]),
        fetch: if body["fetch"] == true { Fetch::Feeds } else { Fetch::Nothing },
        close,
        reread: Reread::read(&body["reread"]),
        actor: record.stamp.actor.clone(),
        cancel: cancel.clone(),
        progress: Progress::default(),
        replay: None,
        slot: Scheduled::read(&body["slot"]),
    };
    let replay = Replay {
        program: text(&body["program"]),
        time_zone_data: text(&body["time_zone_data"]),
        until: record.seq,
        ..Replay::default()
    };
    Ok(Told { run: record.stamp.run, order, replay, finished: false })
}

/// The config of then. Secrets and folders that its paths lead to are not needed: no feed is contacted.
fn config_of(body: &Value, folder: &Path) -> Result<Config> {
    let nowhere = |_: &str| Some("nowhere".to_owned());
    let (path, written) = (text(&body["path"]), text(&body["text"]));
    let config = config::load_under(Path::new(&path), &written, &nowhere, &batch::beside_of(body))
        .map_err(|faults| anyhow!("the config of then cannot be read any more: {}", faults.render(false)))?;
    let config = Config { data_dir: folder.to_owned(), ..config };
    // as a run makes them
    std::fs::create_dir_all(Places::of(&config).scratch)?;
    Ok(config)
}

fn arrived(body: &Value) -> Arrived {
    Arrived {
        feed: text(&body["feed"]),
        name: text(&body["name"]),
        size: body["size"].as_u64().unwrap_or(0),
        mtime: body["mtime"].as_i64(),
        sha256: text(&body["sha256"]),
        sidecar: Sidecar::read(&body["sidecar"]),
        judged_again: body["judged_again"].as_i64(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

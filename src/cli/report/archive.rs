//! Files, read once more from the archive: what they say in all, and of which rows the store knows only that they were rejected
//! or said before.

use super::facts::{Sum, Tally};
use crate::batch;
use crate::config::{Config, Kind};
use crate::domain::frac::Frac;
use crate::facts::row::DocType;
use crate::inbox::Archive;
use crate::ingest::{self, Amount, Packing, Stop};
use crate::store::Store;
use crate::store::files::{FileRow, FileState};
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::BufReader;

/// Read at once from the archive.
const READ_BUFFER: usize = 1 << 20;

/// What a file's rows fall into, as far as the archive tells.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// by currency, in upper case
    pub(super) by_currency: BTreeMap<String, Parts>,
}

/// Of one currency.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// every data row, as written
    pub(super) total: Sum,
    /// by reason; `false`: their amount cannot be read
    pub(super) rejected: BTreeMap<(String, bool), Sum>,
    /// rows that cancel an invoice: their amount means nothing
    pub(super) cancellations: Sum,
    /// what the files write less what counts, of credit notes
    pub(super) sign: Frac,
    /// said before in the same file, or in a way that left no trace
    pub(super) repeated: Sum,
}

/// Every file of feeds that bring amounts, by journal sequence.
pub(super) fn sources(config: &Config, store: &Store) -> Result<BTreeMap<i64, FileRow>> {
    let mut sources = BTreeMap::new();
    for file in store.files(None)? {
        // the feed may have gone from the config, or bring something else by now
        let read_as = batch::kind_of_text(&store.layout_text_of(file.seq)?);
        let kind = read_as.or_else(|| Some(config.feed(&file.arrival.feed)?.kind));
        if kind.is_none_or(Kind::brings_money) {
            sources.insert(file.seq, file);
        }
    }
    Ok(sources)
}

/// Whether the rows of a file were judged one by one, and still stand as they were.
pub(super) fn speaks(file: &FileRow) -> bool {
    file.state == FileState::Ingested && file.silent_since.is_none()
}

/// Reads one file.
pub(super) fn read(config: &Config, store: &Store, tally: &Tally, file: &FileRow) -> Result<Read> {
    let path = Archive::of(&config.data_dir).path_of(&file.arrival.sha256);
    let layout = batch::layout_of_text(&store.layout_text_of(file.seq)?)?;
    let packing = batch::packing(&file.arrival.name, &path).unwrap_or(Packing::Plain);
    let mut rejects: HashMap<u64, String> = HashMap::new();
    store.each_reject(file.seq, |reject| {
        rejects.insert(reject.line, reject.reason);
        Ok(())
    })?;
    let kept = tally.kept.get(&file.seq);
    let mut read = Read::default();
    let bytes = File::open(&path)
        .with_context(|| format!("cannot read {} from the archive: {}", file.arrival.name, path.display()))?;
    let mut bytes = BufReader::with_capacity(READ_BUFFER, bytes);
    let took = ingest::amounts(&mut bytes, packing, &layout, &mut |amount| {
        let parts = read.by_currency.entry(amount.currency.to_uppercase()).or_default();
        parts.take(&amount, rejects.get(&amount.line), kept.is_some_and(|kept| kept.has(amount.line)));
    });
    match took {
        Ok(()) => Ok(read),
        Err(Stop::Refused(_)) if file.state != FileState::Ingested => Ok(read),
        Err(Stop::Refused(refusal)) => bail!("{} in the archive: {}", file.arrival.name, refusal.detail),
        Err(Stop::Io(fault)) => Err(fault).context("cannot read a file from the archive"),
        Err(Stop::Taker(fault)) => Err(fault),
    }
}

impl Parts {
    fn take(&mut self, amount: &Amount<'_>, reject: Option<&String>, kept: bool) {
        let written = amount.written.map_or(Frac::ZERO, Frac::from);
        self.total.add(1, &written);
        if let Some(reason) = reject {
            let readable = amount.written.is_some();
            return self.rejected.entry((reason.clone(), readable)).or_default().add(1, &written);
        }
        match amount.doc_type {
            DocType::Cancellation => return self.cancellations.add(1, &written),
            DocType::Invoice | DocType::CreditNote => {}
        }
        let counted = amount.counted.map_or(Frac::ZERO, Frac::from);
        self.sign += &(&written - &counted);
        if !kept {
            self.repeated.add(1, &counted);
        }
    }
}

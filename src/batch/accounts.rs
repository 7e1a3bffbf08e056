//! The account statement of a closing cycle: every wallet's entries since the statement before.
//!
//! Written while the cycle's positions are posted, partner by partner in order of code, so that neither they nor the entries
//! are read a second time. Knows of the ledger only what was posted before this posting; seals nothing.

use super::Run;
use crate::domain::entry::Entry;
use crate::domain::points::Points;
use crate::outbox::staged::Staged;
use crate::outbox::stream::FileStream;
use crate::scheme::Scheme;
use crate::statement::account::{Posted, Standing, Statement};
use crate::statement::name;
use crate::statement::papers::Partner;
use crate::store::Store;
use crate::store::ledger::Wanted;
use crate::store::positions::Kept;
use anyhow::{Result, anyhow};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::iter::Peekable;

/// Balances of a scheme's wallets as the statement before left them.
#[derive(Debug, Default)]
pub(super) struct Balances {
    /// in order of partner
    wallets: Vec<Wallet>,
    opened_on: Option<NaiveDate>,
}

#[derive(Debug)]
struct Wallet {
    partner: String,
    balance: Points,
    tier: String,
}

impl Wallet {
    fn new(partner: &str) -> Wallet {
        Wallet { partner: partner.to_owned(), balance: Points::ZERO, tier: String::new() }
    }
}

impl Balances {
    /// Of a scheme, by its last statement.
    pub(super) fn load(run: &Run<'_>, scheme: &str) -> Result<Balances> {
        let upto = run.store.last_statement_entry(scheme)?;
        let known = run.store.balances_upto(scheme, upto)?;
        let wallet = |(partner, balance, tier)| Wallet { partner, balance, tier };
        Ok(Balances {
            wallets: known.into_iter().map(wallet).collect(),
            opened_on: run.store.closed(scheme)?.into_iter().map(|closed| closed.day).next_back(),
        })
    }

    /// A wallet for each of these partners too.
    fn with<'p>(mut self, partners: impl Iterator<Item = &'p String>) -> Balances {
        let known = self.wallets.len();
        for partner in partners {
            let found = self.wallets[..known].binary_search_by(|wallet| wallet.partner.as_str().cmp(partner));
            if found.is_err() {
                self.wallets.push(Wallet::new(partner));
            }
        }
        self.wallets.sort_by(|a, b| a.partner.cmp(&b.partner));
        self
    }
}

/// A statement in the making. Partners are given in order of code.
pub(super) struct Accounts<'s> {
    scheme: &'s str,
    statement: Statement<'s>,
    staged: Staged,
    staging: String,
    stream: FileStream,
    partner_files: bool,
    /// wallets whose account is not written yet
    waiting: Peekable<std::vec::IntoIter<Wallet>>,
    /// as this statement leaves them
    written: Vec<Wallet>,
    /// entries since the statement before, but for those that are being posted
    earlier: BTreeMap<String, Vec<Entry>>,
    bytes: Vec<u8>,
}

/// A statement that waits for its manifest.
pub(super) struct Finished {
    pub staged: Staged,
    pub staging: String,
    /// what the next statement begins with
    pub balances: Balances,
}

impl<'s> Accounts<'s> {
    pub(super) fn begin(
        run: &Run<'_>,
        version: &'s Scheme,
        cycle_name: &'s str,
        today: NaiveDate,
        balances: Balances,
    ) -> Result<Accounts<'s>> {
        let staging = format!("{}_{cycle_name}_statement", version.id);
        let mut staged = Staged::begin(&run.places.staging, &staging)?;
        let mut stream = staged.stream("statement.csv")?;
        stream.append(|out| {
            Statement::header(out);
            0
        })?;
        let earlier = entries_since(&run.store, &version.id)?;
        let balances = balances.with(earlier.keys());
        Ok(Accounts {
            scheme: &version.id,
            statement: Statement::new(version, cycle_name, balances.opened_on, today),
            staged,
            staging,
            stream,
            partner_files: run.config.publish.partner_files,
            written: Vec::with_capacity(balances.wallets.len()),
            waiting: balances.wallets.into_iter().peekable(),
            earlier,
            bytes: Vec::new(),
        })
    }

    /// The account of the next partner with a position in the cycle, and what was posted for it. A partner for whom nothing
    /// was ever posted has none.
    pub(super) fn add(&mut self, store: &Store, kept: &Kept, entry: Option<&Entry>) -> Result<()> {
        while let Some(wallet) = self.waiting.next_if(|wallet| wallet.partner < kept.partner) {
            self.without_position(store, wallet)?;
        }
        let wallet = self.waiting.next_if(|wallet| wallet.partner == kept.partner);
        let new = entry.map(|entry| Wallet::new(&entry.partner_code));
        match wallet.or(new) {
            Some(wallet) => self.account(wallet, &kept.name, &kept.tier, entry),
            None => Ok(()),
        }
    }

    /// The rest of the accounts; then every byte is on disk.
    pub(super) fn finish(mut self, store: &Store) -> Result<Finished> {
        while let Some(wallet) = self.waiting.next() {
            self.without_position(store, wallet)?;
        }
        let Accounts { mut staged, staging, stream, written, statement, .. } = self;
        staged.add(stream.finish()?);
        let balances = Balances { wallets: written, opened_on: Some(statement.closed_on) };
        Ok(Finished { staged, staging, balances })
    }

    fn without_position(&mut self, store: &Store, wallet: Wallet) -> Result<()> {
        let name = store.name_of(self.scheme, &wallet.partner)?;
        self.account(wallet, &name, "", None)
    }

    fn account(&mut self, mut wallet: Wallet, name: &str, tier: &str, entry: Option<&Entry>) -> Result<()> {
        let earlier = self.earlier.remove(&wallet.partner).unwrap_or_default();
        let posted: Vec<Posted<'_>> = earlier.iter().chain(entry).map(Posted::from).collect();
        let standing = Standing { opening: wallet.balance, opening_tier: &wallet.tier, closing_tier: tier };
        let partner = Partner { code: &wallet.partner, name };
        self.bytes.clear();
        let rendered =
            self.statement.account(&mut self.bytes, partner, standing, &posted).map_err(|fault| {
                anyhow!("the account of partner {} is too large at entry {}", fault.partner_code, fault.entry)
            })?;
        self.stream.append_bytes(&self.bytes, rendered.rows)?;
        if self.partner_files {
            self.partner_file(&wallet.partner, rendered.rows)?;
        }
        wallet.balance = rendered.closing;
        tier.clone_into(&mut wallet.tier);
        self.written.push(wallet);
        Ok(())
    }

    fn partner_file(&mut self, partner: &str, rows: u64) -> Result<()> {
        let mut file = Vec::with_capacity(self.bytes.len() + 128);
        Statement::header(&mut file);
        file.extend_from_slice(&self.bytes);
        self.staged.small(&format!("partners/{}", name::partner_file(partner)), &file, rows)?;
        Ok(())
    }
}

/// What was posted since the last statement, by partner.
fn entries_since(store: &Store, scheme: &str) -> Result<BTreeMap<String, Vec<Entry>>> {
    let mut since: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    let wanted = Wanted {
        scheme: Some(scheme.to_owned()),
        after: store.last_statement_entry(scheme)?,
        ..Wanted::default()
    };
    store.each_entry(&wanted, |entry| {
        match since.get_mut(&entry.partner_code) {
            Some(entries) => entries.push(entry),
            None => drop(since.insert(entry.partner_code.clone(), vec![entry])),
        }
        Ok(())
    })?;
    Ok(since)
}

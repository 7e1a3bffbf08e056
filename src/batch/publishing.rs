//! Publish: papers and statements are made in staging, recorded in the transaction that posts, and put in place after it.

use super::Run;
use super::closing::ClosingPlan;
use crate::calendar::Cycle;
use crate::domain::entry::Entry;
use crate::domain::points::Points;
use crate::outbox::place::{self, Placed};
use crate::outbox::staged::{Sealed, Staged};
use crate::outbox::stream::FileStream;
use crate::scheme::Scheme;
use crate::statement::account::{Posted, Standing, Statement};
use crate::statement::manifest::{self, Listed, Manifest, Source};
use crate::statement::papers::{Papers as Rendering, Partner};
use crate::statement::{cell, name};
use crate::store::Store;
use crate::store::cycles::Publication;
use crate::store::positions::Kept;
use anyhow::{Result, anyhow, bail};
use std::collections::{BTreeMap, BTreeSet};

/// Positions read at once.
const PAGE: usize = 1_024;

/// Papers in the making, by cycle.
#[derive(Default)]
pub(super) struct Papers {
    cycles: BTreeMap<Cycle, Paper>,
}

/// What a folder of papers is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edition {
    /// `rev-001` and what follows it: never changed
    Revision(u32),
    /// the standing of an open cycle: replaced as a whole
    Current,
}

/// One folder of papers in the making.
pub(super) struct Paper {
    staged: Staged,
    staging: String,
    edition: Edition,
    summary: FileStream,
    transactions: Option<FileStream>,
    partners: Vec<String>,
    sources: BTreeSet<i64>,
}

impl Papers {
    /// The papers of a cycle, begun when they are first asked for.
    pub(super) fn of(
        &mut self,
        run: &Run<'_>,
        version: &Scheme,
        cycle: Cycle,
        plan: &ClosingPlan,
    ) -> Result<&mut Paper> {
        use std::collections::btree_map::Entry;
        match self.cycles.entry(cycle) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => {
                let ends = plan.closing.contains(&cycle) || plan.closed.contains_key(&cycle);
                let edition = if ends {
                    Edition::Revision(run.next_revision(&version.id, cycle)?)
                } else {
                    Edition::Current
                };
                Ok(new.insert(Paper::begin(run, version, cycle, edition)?))
            }
        }
    }

    pub(super) fn take(&mut self, cycle: Cycle) -> Option<Paper> {
        self.cycles.remove(&cycle)
    }

    /// Cycles that have papers.
    pub(super) fn cycles(&self) -> impl Iterator<Item = Cycle> {
        self.cycles.keys().copied()
    }
}

impl Edition {
    fn folder(self) -> String {
        match self {
            Edition::Revision(number) => name::revision(number),
            Edition::Current => "current".to_owned(),
        }
    }
}

impl Paper {
    fn begin(run: &Run<'_>, version: &Scheme, cycle: Cycle, edition: Edition) -> Result<Paper> {
        let cycle_name = version.calendar.name(cycle);
        let staging = format!("{}_{cycle_name}_{}", version.id, edition.folder());
        let mut staged = Staged::begin(&run.places.staging, &staging)?;
        let rendering = Rendering::new(version, &cycle_name);
        let mut summary = staged.stream("summary.csv")?;
        summary.append(|out| {
            rendering.summary_header(out);
            0
        })?;
        let transactions = match run.config.publish.transactions {
            false => None,
            true => {
                let mut transactions = staged.stream("transactions.csv")?;
                transactions.append(|out| {
                    Rendering::transactions_header(out);
                    0
                })?;
                Some(transactions)
            }
        };
        Ok(Paper {
            staged,
            staging,
            edition,
            summary,
            transactions,
            partners: Vec::new(),
            sources: BTreeSet::new(),
        })
    }

    /// Adds one partner's rows. `summary` was rendered without a reason, which is its last column.
    pub(super) fn add(
        &mut self,
        partner: &str,
        summary: &[u8],
        reason: &str,
        transactions: &[u8],
        rows: u64,
        sources: &[i64],
    ) -> Result<()> {
        self.summary.append(|out| {
            out.extend_from_slice(summary.strip_suffix(b"\n").unwrap_or(summary));
            cell::text(out, reason);
            out.push(b'\n');
            1
        })?;
        if let Some(stream) = &mut self.transactions {
            stream.append_bytes(transactions, rows)?;
        }
        if let Edition::Revision(2..) = self.edition {
            self.partners.push(partner.to_owned());
        }
        self.sources.extend(sources);
        Ok(())
    }
}

impl Run<'_> {
    fn next_revision(&self, scheme: &str, cycle: Cycle) -> Result<u32> {
        let before = self.store.publications(Some((scheme, cycle.0)))?;
        let revisions = before
            .iter()
            .filter(|one| one.folder.rsplit('/').next().is_some_and(|last| last.starts_with("rev-")));
        Ok(u32::try_from(revisions.count())? + 1)
    }

    /// Seals the papers of a cycle and records them; within the transaction that posts.
    pub(super) fn publish_papers(
        &mut self,
        version: &Scheme,
        cycle: Cycle,
        paper: Option<Paper>,
    ) -> Result<Option<String>> {
        let Some(paper) = paper else { return Ok(None) };
        let Paper { mut staged, staging, edition, summary, transactions, partners, sources } = paper;
        let closing: Vec<_> =
            [Some(summary), transactions].into_iter().flatten().map(FileStream::close).collect();
        for stream in closing {
            let written = stream.wait()?;
            staged.add(written);
        }
        for partner in &partners {
            self.store.mark_published(&version.id, cycle.0, Some(partner))?;
        }
        let folder = self.seal(version, cycle, staged, staging, &edition.folder(), &sources)?;
        Ok(Some(folder))
    }

    /// A closing cycle without any partner still has its papers.
    pub(super) fn empty_papers(&self, version: &Scheme, cycle: Cycle) -> Result<Paper> {
        Paper::begin(self, version, cycle, Edition::Revision(self.next_revision(&version.id, cycle)?))
    }

    fn seal(
        &mut self,
        version: &Scheme,
        cycle: Cycle,
        staged: Staged,
        staging: String,
        edition: &str,
        sources: &BTreeSet<i64>,
    ) -> Result<String> {
        let (last_entry, chain_hash) = self.store.ledger_head()?;
        let mut rests_on = Vec::with_capacity(sources.len());
        for &seq in sources {
            if let Some(file) = self.store.file(seq)? {
                rests_on.push(Source {
                    name: file.arrival.name,
                    rows: Some(file.counts.rows),
                    sha256: file.arrival.sha256,
                });
            }
        }
        let files = staged
            .written()
            .iter()
            .map(|written| Listed {
                file: written.file.clone(),
                rows: written.rows,
                sha256: written.sha256.clone(),
            })
            .collect();
        let mut bytes = Vec::new();
        manifest::render(
            &mut bytes,
            &Manifest {
                files,
                last_entry,
                chain_hash,
                scheme: version.id.clone(),
                scheme_version: version.version.clone(),
                program: format!("accrued {}", self.program()),
                tzdata: self.time_zone_data().to_owned(),
                sources: rests_on,
            },
        );
        let sealed = staged.seal(&bytes)?;
        let folder = format!("statements/{}/{}/{edition}", version.id, version.calendar.name(cycle));
        let publication = Publication {
            seq: 0,
            scheme: version.id.clone(),
            cycle: cycle.0,
            folder: folder.clone(),
            staging,
            manifest: sealed.manifest_sha256,
            entry: last_entry,
        };
        self.store.publish(&self.stamp, &publication)?;
        Ok(folder)
    }

    /// The account statement of a closing cycle: every wallet's entries since the statement before.
    pub(super) fn publish_statement(
        &mut self,
        version: &Scheme,
        cycle: Cycle,
        plan: &ClosingPlan,
        balances: &mut Balances,
    ) -> Result<String> {
        let cycle_name = version.calendar.name(cycle);
        let staging = format!("{}_{cycle_name}_statement", version.id);
        let mut staged = Staged::begin(&self.places.staging, &staging)?;
        let mut stream = staged.stream("statement.csv")?;
        stream.append(|out| {
            Statement::header(out);
            0
        })?;
        let statement = Statement::new(version, &cycle_name, balances.opened_on, plan.today);
        let since = self.store.last_statement_entry(&version.id)?;
        let mut new: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        self.store.each_entry(
            &crate::store::ledger::Wanted {
                scheme: Some(version.id.clone()),
                after: since,
                ..Default::default()
            },
            |entry| {
                new.entry(entry.partner_code.clone()).or_default().push(entry);
                Ok(())
            },
        )?;
        for partner in new.keys() {
            balances.wallets.entry(partner.clone()).or_default();
        }
        let mut bytes = Vec::new();
        let mut standing_by = InOrder::new(&version.id, cycle);
        for (partner, wallet) in &mut balances.wallets {
            let entries = new.remove(partner).unwrap_or_default();
            let (name, closing_tier) = match standing_by.of(&self.store, partner)? {
                Some(position) => (position.name, position.tier),
                None => (self.store.name_of(&version.id, partner)?, String::new()),
            };
            let standing =
                Standing { opening: wallet.balance, opening_tier: &wallet.tier, closing_tier: &closing_tier };
            let posted: Vec<Posted<'_>> = entries.iter().map(Posted::from).collect();
            bytes.clear();
            let rendered = statement
                .account(&mut bytes, Partner { code: partner, name: &name }, standing, &posted)
                .map_err(|fault| {
                    anyhow!(
                        "the account of partner {} is too large at entry {}",
                        fault.partner_code,
                        fault.entry
                    )
                })?;
            stream.append_bytes(&bytes, rendered.rows)?;
            if self.config.publish.partner_files {
                let mut file = Vec::with_capacity(bytes.len() + 128);
                Statement::header(&mut file);
                file.extend_from_slice(&bytes);
                staged.small(&format!("partners/{}", name::partner_file(partner)), &file, rendered.rows)?;
            }
            wallet.balance = rendered.closing;
            wallet.tier = closing_tier;
        }
        balances.opened_on = Some(plan.today);
        let written = stream.finish()?;
        staged.add(written);
        self.seal(version, cycle, staged, staging, "statement", &BTreeSet::new())
    }

    /// Puts in place what is recorded and waits.
    pub(super) fn place_all(&mut self) -> Result<()> {
        let waiting = self.store.unplaced()?;
        for (index, publication) in waiting.iter().enumerate() {
            let replaced_later = waiting[index + 1..].iter().any(|later| later.folder == publication.folder);
            if !replaced_later {
                self.place(publication)?;
            }
            self.store.placed(publication.seq)?;
        }
        Ok(())
    }

    fn place(&self, publication: &Publication) -> Result<()> {
        let sealed = Sealed {
            folder: self.places.staging.join(&publication.staging),
            manifest_sha256: publication.manifest.clone(),
        };
        let target = self.places.data.join(&publication.folder);
        let placed = if publication.folder.ends_with("/current") {
            place::replace(&sealed, &target)?
        } else {
            place::place(&sealed, &target)?
        };
        match placed {
            Placed::Now => {
                if let Some(cycle) = target.parent().filter(|_| publication.folder.ends_with("/rev-001")) {
                    place::take_away(
                        &cycle.join("current"),
                        &self.places.staging,
                        &format!("{}_away", publication.staging),
                    )?;
                }
                Ok(())
            }
            Placed::Already => Ok(()),
            Placed::Missing => bail!(
                "{} is recorded as published, but it is neither in place nor in staging: restore data_dir from a backup",
                publication.folder
            ),
        }
    }
}

/// The positions of a cycle beside partners that are asked for in order.
struct InOrder<'s> {
    scheme: &'s str,
    cycle: Cycle,
    page: std::vec::IntoIter<Kept>,
    after: String,
    ended: bool,
    next: Option<Kept>,
}

impl<'s> InOrder<'s> {
    fn new(scheme: &'s str, cycle: Cycle) -> InOrder<'s> {
        InOrder {
            scheme,
            cycle,
            page: Vec::new().into_iter(),
            after: String::new(),
            ended: false,
            next: None,
        }
    }

    /// The position of `partner`; partners before it are passed over.
    fn of(&mut self, store: &Store, partner: &str) -> Result<Option<Kept>> {
        loop {
            if self.next.is_none() {
                self.next = self.advance(store)?;
            }
            match &self.next {
                Some(kept) if kept.partner.as_str() < partner => self.next = None,
                Some(kept) if kept.partner == partner => return Ok(self.next.take()),
                Some(_) | None => return Ok(None),
            }
        }
    }

    fn advance(&mut self, store: &Store) -> Result<Option<Kept>> {
        if let Some(kept) = self.page.next() {
            return Ok(Some(kept));
        }
        if self.ended {
            return Ok(None);
        }
        let page = store.positions_after(self.scheme, self.cycle.0, &self.after, PAGE)?;
        match page.last() {
            Some(last) => self.after.clone_from(&last.partner),
            None => self.ended = true,
        }
        self.page = page.into_iter();
        Ok(self.page.next())
    }
}

/// Balances of a scheme's wallets as the statement before left them.
#[derive(Debug, Default)]
pub(super) struct Balances {
    wallets: BTreeMap<String, Balance>,
    opened_on: Option<chrono::NaiveDate>,
}

#[derive(Debug, Default)]
struct Balance {
    balance: Points,
    tier: String,
}

impl Balances {
    /// Of a scheme, by its last statement.
    pub(super) fn load(run: &Run<'_>, scheme: &str) -> Result<Balances> {
        let upto = run.store.last_statement_entry(scheme)?;
        let mut balances = Balances::default();
        for (partner, points, tier) in run.store.balances_upto(scheme, upto)? {
            balances.wallets.insert(partner, Balance { balance: points, tier });
        }
        balances.opened_on = run.store.closed(scheme)?.into_iter().map(|closed| closed.day).next_back();
        Ok(balances)
    }
}

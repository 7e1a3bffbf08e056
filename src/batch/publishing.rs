//! Publish: papers and statements are made in staging, recorded in the transaction that posts, and put in place after it.

use super::Run;
use super::accounts::{Accounts, Balances, Finished};
use super::closing::ClosingPlan;
use super::progress::Step;
use super::sheets::Sheet;
use crate::calendar::Cycle;
use crate::outbox::place::{self, Placed};
use crate::outbox::staged::{Sealed, Staged};
use crate::outbox::stream::{Closing, FileStream};
use crate::scheme::Scheme;
use crate::statement::manifest::{self, Listed, Manifest, Source};
use crate::statement::name;
use crate::statement::papers::Papers as Rendering;
use crate::store::cycles::Publication;
use anyhow::{Result, bail};
use std::collections::{BTreeMap, BTreeSet};

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

/// Papers with all their rows, by cycle.
pub(super) struct ClosedPapers {
    cycles: BTreeMap<Cycle, ClosedPaper>,
}

/// One folder of papers whose last bytes are on their way.
pub(super) struct ClosedPaper {
    staged: Staged,
    staging: String,
    edition: Edition,
    files: Vec<Closing>,
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

    /// All rows are there. The disk goes on by itself while cycles are posted.
    pub(super) fn close(self) -> ClosedPapers {
        ClosedPapers {
            cycles: self.cycles.into_iter().map(|(cycle, paper)| (cycle, paper.close())).collect(),
        }
    }
}

impl ClosedPapers {
    pub(super) fn take(&mut self, cycle: Cycle) -> Option<ClosedPaper> {
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

    /// Adds the rows of further partners.
    pub(super) fn add(&mut self, sheet: Sheet) -> Result<()> {
        self.summary.append_bytes(&sheet.summary, sheet.partners.len() as u64)?;
        if let Some(stream) = &mut self.transactions {
            stream.give(sheet.transactions, sheet.rows)?;
        }
        if let Edition::Revision(2..) = self.edition {
            self.partners.extend(sheet.partners);
        }
        self.sources.extend(sheet.sources);
        Ok(())
    }

    fn close(self) -> ClosedPaper {
        let Paper { staged, staging, edition, summary, transactions, partners, sources } = self;
        let files = [Some(summary), transactions].into_iter().flatten().map(FileStream::close).collect();
        ClosedPaper { staged, staging, edition, files, partners, sources }
    }
}

impl Run<'_> {
    fn next_revision(&self, scheme: &str, cycle: Cycle) -> Result<u32> {
        Ok(self.store.last_revision(scheme, cycle.0)? + 1)
    }

    /// Seals the papers of a cycle and records them; within the transaction that posts.
    pub(super) fn publish_papers(
        &mut self,
        version: &Scheme,
        cycle: Cycle,
        paper: Option<ClosedPaper>,
    ) -> Result<Option<String>> {
        let Some(paper) = paper else { return Ok(None) };
        let ClosedPaper { mut staged, staging, edition, files, partners, sources } = paper;
        for file in files {
            staged.add(file.wait()?);
        }
        for partner in &partners {
            self.store.mark_published(&version.id, cycle.0, partner)?;
        }
        let folder = self.seal(version, cycle, staged, staging, &edition.folder(), &sources)?;
        Ok(Some(folder))
    }

    /// A closing cycle without any partner still has its papers.
    pub(super) fn empty_papers(&self, version: &Scheme, cycle: Cycle) -> Result<ClosedPaper> {
        let edition = Edition::Revision(self.next_revision(&version.id, cycle)?);
        Ok(Paper::begin(self, version, cycle, edition)?.close())
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

    /// Seals the account statement of a closing cycle and records it; gives its folder and what the next one begins with.
    pub(super) fn publish_statement(
        &mut self,
        version: &Scheme,
        cycle: Cycle,
        accounts: Accounts<'_>,
    ) -> Result<(String, Balances)> {
        let Finished { staged, staging, balances } = accounts.finish(&self.store)?;
        let folder = self.seal(version, cycle, staged, staging, "statement", &BTreeSet::new())?;
        Ok((folder, balances))
    }

    /// Puts in place what is recorded and waits.
    pub(super) fn place_all(&mut self) -> Result<()> {
        let waiting = self.store.unplaced()?;
        if !waiting.is_empty() {
            self.order.progress.tell(Step::Publishing);
            self.keep_journal()?;
        }
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

//! The chains of ledger and journal, the guards that keep them, and the other tables against the journal.

use super::Proof;
use crate::cli::summary::counted;
use crate::domain::chain::GENESIS;
use crate::store::Store;
use anyhow::Result;

pub(super) fn prove(store: &Store, head: Option<&str>) -> Result<Proof> {
    let mut proof = Proof::default();
    if let Some(fault) = store.structure_fault()? {
        proof.finds("accrued.db", format!("the file is damaged: {fault}"));
    }
    for guard in store.guards_gone()? {
        proof.finds(
            "accrued.db",
            format!("the trigger {guard} is gone: the database no longer refuses changes"),
        );
    }
    for how in store.ledger_breaks()? {
        proof.finds("ledger", how);
    }
    for how in store.journal_breaks()? {
        proof.finds("journal", how);
    }
    heads(store, &mut proof)?;
    for how in store.unlike_journal()? {
        proof.finds("journal", how);
    }
    if let Some(head) = head {
        kept_outside(store, head, &mut proof)?;
    }
    let (entry, hash) = store.ledger_head()?;
    let (seq, journal) = store.journal_head()?;
    proof.well = format!(
        "{}, head {hash}; {}, head {journal}",
        counted(u64::try_from(entry)?, "ledger row"),
        counted(u64::try_from(seq)?, "journal record")
    );
    Ok(proof)
}

/// Entries at the end of the ledger can be cut off without breaking its chain: the journal knows each run's last one.
fn heads(store: &Store, proof: &mut Proof) -> Result<()> {
    for (entry, (head, seq)) in store.recorded_heads()? {
        match store.entry_hash(entry)? {
            Some(hash) if hash == head => {}
            Some(hash) => proof.finds(
                "ledger",
                format!("entry {entry} has hash {hash}, and journal record {seq} was written over {head}"),
            ),
            None => proof.finds(
                "ledger",
                format!("entry {entry} is gone, and journal record {seq} was written over it"),
            ),
        }
    }
    Ok(())
}

/// A head that was kept outside stands where it was the last one: what comes before it cannot have been changed since.
fn kept_outside(store: &Store, head: &str, proof: &mut Proof) -> Result<()> {
    if head == GENESIS {
        proof
            .notes
            .push(format!("head {head} is that of an empty chain: it proves nothing of what came after"));
        return Ok(());
    }
    if let Some(entry) = store.entry_of_hash(head)? {
        let (last, _) = store.ledger_head()?;
        proof.notes.push(format!("head {head} is that of ledger entry {entry} of {last}"));
    } else if let Some(record) = store.record_of_hash(head)? {
        let (last, _) = store.journal_head()?;
        proof.notes.push(format!("head {head} is that of journal record {record} of {last}"));
    } else {
        proof.finds("head", format!("neither the ledger's chain nor the journal's contains {head}: this is another store, an older one, or one that was changed before that entry"));
    }
    Ok(())
}

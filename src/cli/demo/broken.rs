//! What `--break` shows: a bad row, a bad slab and an edited ledger; the command that finds each, and what it says.
//!
//! What is broken stands in a folder of its own beside the sample, and only a copy of the store is tampered with.

use super::Played;
use super::sample::{self, BAD_SCHEME, BROKEN_CONFIG};
use crate::cli::aligned::hanging;
use crate::cli::output::grouped;
use crate::statement::name;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// Whose points are edited: the first entry.
const EDITED: i64 = 1;

/// Everything.
pub(super) fn text(folder: &Path, played: &Played) -> Result<String> {
    sample::write(folder, BROKEN_CONFIG)?;
    let here = folder.display();
    let mut out = format!(
        "three things that go wrong, and what finds them\n\
         \n\
         1. an amount that is no number: a letter O among the digits\n   \
            found by  accrued run, which takes the other rows and ends with 3; listed by accrued files\n   \
            kept in   {here}/var/rejects/north/{}\n\n",
        reject_file(played)?
    );
    out.push_str(&reject(played)?);
    out.push_str(&format!(
        "\n2. a gap between two slabs\n   \
            found by  accrued --config {here}/broken/accrued.toml check, which ends with 78\n\n"
    ));
    out.push_str(&bad_slab(folder)?);
    let (before, after, finding) = edited(folder, played)?;
    out.push_str(&format!(
        "\n3. one digit of an entry edited in a copy of the ledger: {before} points made {after}\n   \
            found by  accrued --config {here}/broken/accrued.toml verify chain, which ends with 4\n\n"
    ));
    out.push_str(&hanging("   chain  broken  ledger: ", &finding));
    out.push_str(&format!(
        "\nthe ledger itself is untouched: accrued --config {here}/accrued.toml verify ends with 0\n"
    ));
    Ok(out)
}

/// The first file with a reject, and where its rejects are kept.
fn reject_file(played: &Played) -> Result<String> {
    let files = played.store.files(None)?;
    let file = files.iter().find(|file| file.counts.rejected > 0).context("the sample has a bad row")?;
    Ok(name::reject_file(&file.arrival.name, &file.arrival.sha256))
}

/// What is kept of the bad row.
fn reject(played: &Played) -> Result<String> {
    let files = played.store.files(None)?;
    let file = files.iter().find(|file| file.counts.rejected > 0).context("the sample has a bad row")?;
    let mut out = String::new();
    played.store.each_reject(file.seq, |reject| {
        out.push_str(&format!("   {}:{}: {}\n", file.arrival.name, reject.line, reject.reason));
        out.push_str(&hanging("   ", &reject.detail));
        out.push_str(&format!("   {}\n", reject.text));
        Ok(())
    })?;
    Ok(out)
}

/// What `check` says of the bad scheme.
fn bad_slab(folder: &Path) -> Result<String> {
    let path = sample::write(folder, BAD_SCHEME)?;
    let text = std::str::from_utf8(BAD_SCHEME.bytes).context("the sample's bad scheme is text")?;
    match crate::scheme::parse(&path.display().to_string(), text) {
        Err(faults) => Ok(faults.render(false).lines().map(|line| format!("   {line}\n")).collect()),
        Ok(_) => bail!("the sample's bad scheme has no fault"),
    }
}

/// Edits a digit in a copy of the store: points before and after, and what `verify` says.
fn edited(folder: &Path, played: &Played) -> Result<(String, String, String)> {
    let data = folder.join("broken/var");
    sample::make(&data)?;
    let (before, after) = played.store.copy_with_an_edited_digit(&data.join("accrued.db"), EDITED)?;
    let copy = crate::store::Store::open_reading(&data)?.context("the copy is there")?;
    let finding = copy.ledger_breaks()?.into_iter().next().context("an edited digit breaks the chain")?;
    Ok((grouped(&before.plain(0)), grouped(&after.plain(0)), finding))
}

//! Reads a sales file into the store's feeders: block by block, on a thread for each of them.
//!
//! Blocks are dealt in turn, so that none is ahead of another by more than what waits for it.

use super::taking::{Lying, ended};
use crate::ingest::{Block, Layout, Packing, SalesFile, SalesReader, Stop, Taken};
use crate::store::{Feeder, Reading};
use anyhow::{Result, anyhow};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};

/// Blocks that wait for each thread.
const WAITING: usize = 1;

/// A block and its place in the file.
type Numbered = (u64, Block);

/// A thread that reads blocks.
type Reader<'scope> = ScopedJoinHandle<'scope, Result<(), Stop>>;

/// Reads a whole file.
pub(super) fn sales(
    lying: Lying<'_>,
    packing: Packing,
    layout: &Layout,
    feeders: &mut [Feeder],
) -> Result<Reading> {
    let mut bytes = lying.open()?;
    ended(read(&mut bytes, packing, layout, feeders))
}

fn read(
    bytes: &mut dyn std::io::Read,
    packing: Packing,
    layout: &Layout,
    feeders: &mut [Feeder],
) -> Result<(), Stop> {
    let (file, mut blocks) = SalesFile::open(bytes, packing, layout)?;
    let Some(first) = blocks.next(Vec::new())? else { return Ok(()) };
    if blocks.ended() {
        let Some(feeder) = feeders.first_mut() else { return Ok(()) };
        return feed(&mut file.reader(), feeder, (0, first)).map(drop);
    }
    std::thread::scope(|threads| {
        let (room, rooms) = channel();
        let started = feeders.iter_mut().map(|feeder| start(threads, &file, feeder, room.clone()));
        let (dealt, readers): (Vec<_>, Vec<_>) =
            started.collect::<std::io::Result<Vec<_>>>().map_err(Stop::Io)?.into_iter().unzip();
        let read = deal(first, &dealt, |room| blocks.next(room), &rooms);
        drop(dealt);
        // who could not take what was read says why
        readers.into_iter().try_for_each(joined).and(read)
    })
}

/// Deals blocks in turn until there are none, or until whoever reads one has failed.
fn deal(
    first: Block,
    readers: &[SyncSender<Numbered>],
    mut next: impl FnMut(Vec<u8>) -> Result<Option<Block>, Stop>,
    rooms: &Receiver<Vec<u8>>,
) -> Result<(), Stop> {
    let mut block = Some(first);
    for (number, reader) in (0..).zip(readers.iter().cycle()) {
        let Some(dealt) = block.take() else { break };
        if reader.send((number, dealt)).is_err() {
            break;
        }
        block = next(rooms.try_recv().unwrap_or_default())?;
    }
    Ok(())
}

fn start<'scope>(
    threads: &'scope Scope<'scope, '_>,
    file: &'scope SalesFile<'_>,
    feeder: &'scope mut Feeder,
    room: Sender<Vec<u8>>,
) -> std::io::Result<(SyncSender<Numbered>, Reader<'scope>)> {
    let (dealt, blocks) = sync_channel::<Numbered>(WAITING);
    let reader = Builder::new().name("parse".to_owned()).spawn_scoped(threads, move || {
        let mut reader = file.reader();
        for block in blocks {
            // nobody wants it where all is read
            let _ = room.send(feed(&mut reader, feeder, block)?);
        }
        Ok(())
    })?;
    Ok((dealt, reader))
}

fn joined(reader: Reader<'_>) -> Result<(), Stop> {
    reader.join().unwrap_or_else(|_| Err(Stop::Taker(anyhow!("reading the file failed"))))
}

/// One block, whole; gives back what it was read from.
fn feed(
    reader: &mut SalesReader<'_>,
    feeder: &mut Feeder,
    (number, block): Numbered,
) -> Result<Vec<u8>, Stop> {
    feeder.begin(number);
    let room = reader.read(block, &mut |taken| match taken {
        Taken::Row(row) => feeder.row(row),
        Taken::Reject(reject) => {
            let claim = reject.claim.as_ref();
            let claim = claim.map(|of| (&*of.distributor_code, &*of.invoice_no, &*of.line_no));
            feeder.reject(reject.line, (reject.reason, &reject.detail, &reject.text), claim);
            Ok(())
        }
    })?;
    feeder.end().map_err(Stop::Taker)?;
    Ok(room)
}

//! The rest of a file whose front is being read: written where it belongs by whoever has a part of it, in any order, and hashed
//! in its own order once what is before it is hashed.

use super::{Flush, Sink};
use crate::inbox::InboxFault;
use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender};

/// Bytes hashed at once of what was written by somebody else: few enough for the processor's cache.
const AGAIN: usize = 128 * 1024;

/// Who writes the rest.
pub(in crate::inbox) struct Rest<'r> {
    /// whoever read what is before it, when that is through
    pub then: &'r mut dyn FnMut(Behind<'_>) -> Result<(), InboxFault>,
    /// meanwhile, on a thread of its own
    pub meanwhile: &'r (dyn Fn(Behind<'_>) + Sync),
}

/// Where the rest of a file is written, in any order.
#[derive(Clone)]
pub(in crate::inbox) struct Behind<'f> {
    pub(super) file: &'f File,
    pub(super) path: &'f Path,
    pub(super) pieces: Sender<Piece>,
    pub(super) flush: Flush,
}

/// Of the rest.
pub(super) enum Piece {
    /// bytes that must be those before a part of the rest, and what to say if they are not
    Seam { at: u64, bytes: Vec<u8>, otherwise: InboxFault },
    /// where it was written
    Written(Range<u64>),
}

impl Piece {
    /// Its turn comes when all before this offset is hashed.
    fn turn(&self) -> u64 {
        match self {
            Piece::Seam { at, bytes, .. } => at + bytes.len() as u64,
            Piece::Written(range) => range.start,
        }
    }
}

impl Behind<'_> {
    /// Says which bytes the part that is written next joins on to; `otherwise` is what went wrong if others are there.
    ///
    /// # Errors
    /// `Stopped` when nobody wants the rest any more.
    pub(in crate::inbox) fn join(
        &self,
        at: u64,
        bytes: Vec<u8>,
        otherwise: InboxFault,
    ) -> Result<(), InboxFault> {
        self.pieces.send(Piece::Seam { at, bytes, otherwise }).map_err(|_| InboxFault::Stopped)
    }

    /// Writes at this offset.
    ///
    /// # Errors
    /// Of the disk; `Stopped` when nobody wants the rest any more.
    pub(in crate::inbox) fn write(&self, at: u64, bytes: &[u8]) -> Result<(), InboxFault> {
        self.file.write_all_at(bytes, at).map_err(|e| InboxFault::disk(self.path, "write", &e))?;
        self.flush.wrote(bytes.len(), || None);
        let written = Piece::Written(at..at + bytes.len() as u64);
        self.pieces.send(written).map_err(|_| InboxFault::Stopped)
    }
}

/// Hashes what was written behind the front, in its order, as far as it goes on without a gap.
pub(super) fn hash_rest(
    sink: &mut Sink<'_>,
    pieces: Receiver<Piece>,
    flush: &Flush,
) -> Result<(), InboxFault> {
    let mut buffer = Vec::new();
    let mut waiting: BTreeMap<u64, Vec<Piece>> = BTreeMap::new();
    for piece in pieces {
        buffer.resize(AGAIN, 0);
        waiting.entry(piece.turn()).or_default().push(piece);
        while let Some(next) = waiting.remove(&sink.size) {
            next.into_iter().try_for_each(|piece| hash_piece(sink, piece, &mut buffer, flush))?;
        }
    }
    Ok(())
}

/// One whose turn it is.
fn hash_piece(sink: &mut Sink<'_>, piece: Piece, buffer: &mut [u8], flush: &Flush) -> Result<(), InboxFault> {
    match piece {
        Piece::Written(range) => {
            hash_again(sink, range.end, buffer)?;
            let bytes = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
            flush.wrote(bytes, || Some((sink.size, sink.hasher.clone())));
        }
        Piece::Seam { at, bytes, otherwise } => {
            let mut before = vec![0; bytes.len()];
            sink.read_back(at, &mut before)?;
            if before != bytes {
                sink.doubtful = true;
                return Err(otherwise);
            }
        }
    }
    Ok(())
}

/// Up to this offset, from the file.
fn hash_again(sink: &mut Sink<'_>, end: u64, buffer: &mut [u8]) -> Result<(), InboxFault> {
    while sink.size < end {
        let left = usize::try_from(end - sink.size).unwrap_or(usize::MAX).min(buffer.len());
        let bytes = buffer.get_mut(..left).unwrap_or_default();
        sink.read_back(sink.size, bytes)?;
        sink.hash(bytes);
    }
    Ok(())
}

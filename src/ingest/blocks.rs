//! A `sales` file, whole or in blocks, so that several threads can read it: the same rows and rejects either way, in the order of
//! the blocks.

use super::cells::{self, broken};
use super::dates::Dates;
use super::header::Header;
use super::records::{Broken, Lines, Piece, Records, Shape};
use super::sales::Sales;
use super::{Fate, Handle, Layout, Packing, Reject, Stop, Taken, Tally, each, each_plain, give, open};
use crate::facts::row::Row;
use std::io::Read;

/// What all who read blocks of one file know of it.
pub struct SalesFile<'l> {
    header: Header<'l>,
    columns: Sales,
    layout: &'l Layout,
    shape: Shape,
}

/// The blocks of a file, in order.
pub struct Blocks<'r> {
    records: Records<'r>,
}

/// Some rows of a file that follow each other.
#[derive(Debug)]
pub struct Block(Piece);

/// Reads blocks, one after the other.
pub struct SalesReader<'f> {
    file: &'f SalesFile<'f>,
    dates: Dates,
}

/// Hands over each record of a file or a block.
type Each<'e> = dyn FnMut(&Header<'_>, &mut Handle<'_>) -> Result<Tally, Stop> + 'e;

/// Takes each row or reject, borrowed for that call.
pub type TakeRow<'t> = dyn FnMut(Taken<'_, &Row<'_>>) -> anyhow::Result<()> + 't;

impl<'l> SalesFile<'l> {
    /// Reads the header of a file; the blocks are what follows it.
    pub fn open<'r>(
        bytes: &'r mut dyn Read,
        packing: Packing,
        layout: &'l Layout,
    ) -> Result<(SalesFile<'l>, Blocks<'r>), Stop> {
        let mut records = open(bytes, packing, layout)?;
        let mut header = Header::read(&mut records, layout)?;
        let columns = Sales::new(&mut header, layout)?;
        let shape = records.shape();
        Ok((SalesFile { header, columns, layout, shape }, Blocks { records }))
    }

    /// One that reads blocks of this file.
    pub fn reader(&self) -> SalesReader<'_> {
        SalesReader { file: self, dates: Dates::new(&self.layout.dates, self.layout.timezone) }
    }
}

impl Blocks<'_> {
    /// The next block, which takes up what the file has next and what a record may have at most; `room` is what
    /// [`SalesReader::read`] gave back of another.
    pub fn next(&mut self, room: Vec<u8>) -> Result<Option<Block>, Stop> {
        Ok(self.records.next_piece(room)?.map(Block))
    }

    /// Whether there was no more behind the last one.
    pub fn ended(&self) -> bool {
        self.records.ended()
    }
}

impl SalesReader<'_> {
    /// Gives each row or reject of a block to `take`, in order; then the room for another block.
    pub fn read(&mut self, block: Block, take: &mut TakeRow<'_>) -> Result<Vec<u8>, Stop> {
        match block.0 {
            Piece::TooLong { cells, line, raw } => {
                let reject = cells::reject(line, &raw, broken(Broken::TooLong(cells)));
                take(Taken::Reject(&reject)).map_err(Stop::Taker)?;
                Ok(Vec::new())
            }
            Piece::Whole(whole) => match Lines::of(self.file.shape, whole) {
                Ok(mut lines) => {
                    self.rows(take, &mut |header, handle| each_plain(&mut lines, header, handle))?;
                    Ok(lines.into_room())
                }
                Err(whole) => {
                    let mut records = Records::of_whole(self.file.shape, whole);
                    self.rows(take, &mut |header, handle| each(&mut records, header, handle))?;
                    Ok(records.into_room())
                }
            },
        }
    }

    /// Gives each row or reject of the records that `each` hands over to `take`, in order.
    fn rows(&mut self, take: &mut TakeRow<'_>, each: &mut Each<'_>) -> Result<Tally, Stop> {
        let SalesReader { file: SalesFile { header, columns, .. }, dates } = self;
        each(header, &mut |read| match read {
            // no combinators here: a row is large, and each would move it
            Ok(cells) => match columns.row(cells, dates) {
                Ok(row) => give(take(Taken::Row(&row)), Fate::Taken),
                Err(bad) => {
                    let reject = Reject { claim: columns.claim(cells), ..cells.reject(*bad) };
                    give(take(Taken::Reject(&reject)), Fate::Rejected)
                }
            },
            Err(reject) => give(take(Taken::Reject(&reject)), Fate::Rejected),
        })
    }
}

/// Reads a `sales` file; each row or reject is given to `take` in order, borrowed for that call.
/// A cancellation's row has only what it needs (invoice_no, distributor_code, updated_at, day); its amount is 0, and
/// its day is [`super::UNDATED_CANCELLATION`] where the row has none.
///
/// What was taken before a [`Stop`] is void: a file is ingested whole or not at all.
pub fn sales(
    bytes: &mut dyn Read,
    packing: Packing,
    layout: &Layout,
    take: &mut TakeRow<'_>,
) -> Result<Tally, Stop> {
    let (file, mut blocks) = SalesFile::open(bytes, packing, layout)?;
    file.reader().rows(take, &mut |header, handle| each(&mut blocks.records, header, handle))
}

//! One file on its way from a server into the archive: opened, read from where an earlier try broke off, over one connection or two,
//! and compared with what was listed before it is kept.

use super::crew::Place;
use super::sharing::{self, Next, REQUEST, SEAM, Sharing, piece};
use super::watchdog::Watching;
use super::wire::Wire;
use super::{Folder, Remote, changed, mtime, nature};
use crate::inbox::intake::{self, Behind, Draft, Hashing, Plan, Rest};
use crate::inbox::partial::{Start, What};
use crate::inbox::sieve::{self, Nature};
use crate::inbox::{Archive, Archived, Candidate, InboxFault, Sftp};
use ssh2::FileStat;
use std::cell::RefCell;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

impl Remote {
    /// Leave for a second connection, where so much is left to read.
    fn shares(&self, left: u64) -> Option<Place> {
        (left >= sharing::LARGE).then(|| self.crew.place()).flatten()
    }

    /// Reads the rest of a file over a connection of its own, if the server grants one and it is there in time. What
    /// goes wrong before it has begun is nobody's concern: the first one reads it all.
    fn second(&self, file: &Candidate, sharing: &Sharing, behind: Behind<'_>, first: &Watching<'_>) {
        let wire = match Wire::open(&self.settings, &sharing.second, &mut self.methods.clone()) {
            Ok(wire) => wire,
            // the first one was through before it
            Err(InboxFault::Stopped) => return,
            Err(_) => return self.crew.dismiss(),
        };
        match (Folder { remote: self, wire: &wire }).beside(file, sharing, behind, first) {
            Ok(()) => drop(wire),
            Err(fault) => {
                wire.cut();
                sharing.lose(fault);
            }
        }
    }
}

impl Folder<'_> {
    /// Brings a file whole into the archive.
    pub(super) fn fetch(&self, file: &Candidate, archive: &Archive) -> Result<Archived, InboxFault> {
        let Some(_) = sieve::fetched(&self.remote.source, file.name.as_bytes()) else {
            return Err(InboxFault::Limit(format!("{:?} is not a name of this feed's files", file.name)));
        };
        let mut start = self.start(file, archive)?;
        let watching = self.begin();
        let opened = self
            .open(file, &watching)
            .and_then(|mut open| self.go_on(file, &mut open, &mut start, &watching).map(|()| open));
        let mut open = match opened {
            Ok(open) => open,
            Err(fault) => {
                if fault.may_pass() {
                    start.leave();
                }
                return Err(fault);
            }
        };
        let buffer = self.remote.settings.read_buffer.max(1);
        let plan = Plan { size: file.size, buffer, hashing: Hashing::WhileWriting };
        let draft = if let Some(place) = self.remote.shares(file.size - start.size) {
            self.fetch_shared(file, &mut open, (start, plan), place, &watching)?
        } else {
            let mut read = start.size;
            intake::take(start, plan, &mut |buffer| {
                let most = piece(file.size.saturating_sub(read) + REQUEST, buffer.len());
                self.read(file, &mut open, &mut read, buffer.get_mut(..most).unwrap_or_default(), &|| {
                    watching.progress()
                })
            })?
        };
        if draft.size != file.size {
            return Err(changed(file, &format!("had {} bytes and ended after {}", file.size, draft.size)));
        }
        match self.unchanged(file, &mut open) {
            Ok(()) => draft.keep(archive),
            Err(fault) => {
                if fault.may_pass() {
                    draft.leave();
                }
                Err(fault)
            }
        }
    }

    /// What is here of the file, or nothing yet.
    fn start(&self, file: &Candidate, archive: &Archive) -> Result<Start, InboxFault> {
        let Sftp { host, port, user, folder, .. } = &self.remote.settings;
        let place = format!("sftp://{user}@{host}:{port}{folder}");
        match What::of(&self.remote.source.feed, &place, file) {
            Some(what) => archive.resume(what),
            None => archive.begin(),
        }
    }

    /// Goes to where what is here ends, if the last of it is what the server has there; else begins anew.
    fn go_on(
        &self,
        file: &Candidate,
        open: &mut ssh2::File,
        start: &mut Start,
        watching: &Watching<'_>,
    ) -> Result<(), InboxFault> {
        let here = start.last(SEAM)?;
        if here.is_empty() {
            return Ok(());
        }
        let mut read = start.size - here.len() as u64;
        open.seek(SeekFrom::Start(read)).map_err(|e| self.reading(file, &e))?;
        if self.exactly(file, open, here.len(), &mut read, &|| watching.progress())? == here {
            tracing::info!(feed = %self.remote.source.feed, file = %file.name, bytes = start.size, "goes on");
            return Ok(());
        }
        open.seek(SeekFrom::Start(0)).map_err(|e| self.reading(file, &e))?;
        start.anew()
    }

    /// The file is still the one that was listed, now that it was read.
    fn unchanged(&self, file: &Candidate, open: &mut ssh2::File) -> Result<(), InboxFault> {
        let end = open.stat().map_err(|e| self.file_fault(file, "looking at", &e))?;
        self.expect(file, "when read", &end)?;
        let fresh = self
            .sftp()?
            .lstat(&self.path(&file.name))
            .map_err(|e| self.file_fault(file, "looking at", &e))?;
        self.expect(file, "after that", &fresh)
    }

    /// A file that is still the one that was listed.
    fn open(&self, file: &Candidate, watching: &Watching<'_>) -> Result<ssh2::File, InboxFault> {
        let path = self.path(&file.name);
        let mut open = self.sftp()?.open(&path).map_err(|e| self.file_fault(file, "opening", &e))?;
        watching.progress();
        let start = open.stat().map_err(|e| self.file_fault(file, "looking at", &e))?;
        self.expect(file, "when opened", &start)?;
        Ok(open)
    }

    /// The next bytes after the first `read` ones; 0 of them at the end.
    fn read(
        &self,
        file: &Candidate,
        open: &mut ssh2::File,
        read: &mut u64,
        buffer: &mut [u8],
        progress: &dyn Fn(),
    ) -> Result<usize, InboxFault> {
        let got = open.read(buffer).map_err(|e| self.reading(file, &e))?;
        progress();
        *read += got as u64;
        if *read > file.size {
            return Err(changed(file, &format!("grew beyond its {} bytes while it was read", file.size)));
        }
        Ok(got)
    }

    /// Parts of it over this second connection, once the file is open here too.
    fn beside(
        &self,
        file: &Candidate,
        sharing: &Sharing,
        behind: Behind<'_>,
        first: &Watching<'_>,
    ) -> Result<(), InboxFault> {
        let watching = self.begin();
        let Ok(mut open) = self.open(file, &watching) else { return Ok(()) };
        let mut next = sharing.share();
        while let Some(part) = next {
            self.part(file, &mut open, part, &behind, &|| {
                watching.progress();
                // while this one goes on, the first may have nothing to do and is not idle
                first.progress();
            })?;
            next = sharing.take()?;
        }
        // whoever waits for the last bytes need not wait for the farewell
        drop(behind);
        self.wire.hang_up();
        Ok(())
    }

    /// One part, and what is just before it once more: a server that gives the same bytes wherever they are asked from, or
    /// another file of this name, is found out by it.
    fn part(
        &self,
        file: &Candidate,
        open: &mut ssh2::File,
        part: Range<u64>,
        behind: &Behind<'_>,
        progress: &dyn Fn(),
    ) -> Result<(), InboxFault> {
        let mut read = part.start - SEAM as u64;
        open.seek(SeekFrom::Start(read)).map_err(|e| self.reading(file, &e))?;
        let seam = self.exactly(file, open, SEAM, &mut read, progress)?;
        behind.join(part.start - SEAM as u64, seam, self.disjoint(file))?;
        // the last part goes on until the file ends, wherever that is
        let beyond = if part.end == file.size { REQUEST } else { 0 };
        let mut buffer = vec![0; self.remote.settings.read_buffer];
        loop {
            let at = read;
            let left = part.end.saturating_sub(read) + beyond;
            let most = piece(left, buffer.len()).min(usize::try_from(left).unwrap_or(usize::MAX));
            let bytes = buffer.get_mut(..most).unwrap_or_default();
            let got = if most == 0 { 0 } else { self.read(file, open, &mut read, bytes, progress)? };
            if got == 0 {
                return Ok(());
            }
            behind.write(at, bytes.get(..got).unwrap_or_default())?;
        }
    }

    /// The next so many bytes, or those until the end.
    fn exactly(
        &self,
        file: &Candidate,
        open: &mut ssh2::File,
        count: usize,
        read: &mut u64,
        progress: &dyn Fn(),
    ) -> Result<Vec<u8>, InboxFault> {
        let mut bytes = vec![0; count];
        let mut filled = 0;
        while let Some(room) = bytes.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.read(file, open, read, room, progress)? {
                0 => bytes.truncate(filled),
                got => filled += got,
            }
        }
        Ok(bytes)
    }

    fn disjoint(&self, file: &Candidate) -> InboxFault {
        self.wire.fault_saying(
            &format!("reading {}", file.name),
            "a second connection gave other bytes of the same place",
        )
    }

    fn reading(&self, file: &Candidate, error: &std::io::Error) -> InboxFault {
        self.wire.fault_saying(&format!("reading {}", file.name), &error.to_string())
    }

    /// The front over this connection, the rest over this one and a second one as soon as there is one.
    fn fetch_shared(
        &self,
        file: &Candidate,
        open: &mut ssh2::File,
        (start, plan): (Start, Plan),
        _place: Place,
        watching: &Watching<'_>,
    ) -> Result<Draft, InboxFault> {
        let sharing = Sharing::of(file.size, start.size, &self.remote.cancel);
        let progress = || watching.progress();
        // first for the front, then for parts
        let open = RefCell::new(open);
        let mut read = start.size;
        let mut front = |buffer: &mut [u8]| {
            let most = match sharing.next(read)? {
                Next::Done => return Ok(0),
                Next::Until(left) => {
                    piece(left, buffer.len()).min(usize::try_from(left).unwrap_or(usize::MAX))
                }
                Next::End => piece(file.size.saturating_sub(read) + REQUEST, buffer.len()),
            };
            let bytes = buffer.get_mut(..most).unwrap_or_default();
            let got = self.read(file, &mut open.borrow_mut(), &mut read, bytes, &progress)?;
            if got == 0 {
                sharing.give_up();
            }
            Ok(got)
        };
        // nobody waits for a second one that has nothing to do any more
        let mut front = |buffer: &mut [u8]| front(buffer).inspect_err(|_| sharing.give_up());
        let parts = |behind: Behind<'_>| {
            while let Some(part) = sharing.take()? {
                self.part(file, &mut open.borrow_mut(), part, &behind, &progress)?;
            }
            Ok(())
        };
        let rest = Rest {
            then: &mut |behind| parts(behind).inspect_err(|_| sharing.give_up()),
            meanwhile: &|behind| self.remote.second(file, &sharing, behind, watching),
        };
        let taken = intake::take_with_rest(start, plan, &mut front, rest);
        self.remote.cancel.check()?;
        match taken.and_then(|draft| sharing.whole().map(|()| draft)) {
            Err(InboxFault::Temporary(why)) => {
                self.remote.crew.dismiss();
                Err(InboxFault::Temporary(why))
            }
            other => other,
        }
    }

    /// Size and mtime are those of the listing, and it is no link.
    fn expect(&self, file: &Candidate, when: &str, stat: &FileStat) -> Result<(), InboxFault> {
        let plain = stat.perm.is_none() || nature(stat) == Nature::File;
        if plain && stat.size == Some(file.size) && mtime(stat) == file.mtime {
            return Ok(());
        }
        Err(changed(
            file,
            &format!(
                "was listed with {} bytes and mtime {}, {when} it had {} and {}",
                file.size,
                sieve::shown(file.mtime),
                stat.size.map_or("none".to_owned(), |size| size.to_string()),
                sieve::shown(mtime(stat))
            ),
        ))
    }
}

//! Bytes as they lie in the archive -> bytes of UTF-8 text: unpacked, counted, transcoded. Streaming.
//!
//! Answers for: gzip, `max_bytes`, byte-order marks, UTF-16 and windows-1252. Does not: look for lines or
//! check UTF-8 (a byte that is none passes on, and rejects its row).

use super::{Encoding, Layout, Member, Method, Packing, Refusal, Stop};
use encoding_rs::{Decoder, DecoderResult, UTF_16BE, UTF_16LE, WINDOWS_1252};
use flate2::Crc;
use flate2::read::{DeflateDecoder, MultiGzDecoder};
use std::io::{ErrorKind, Read, Take};

/// Stands for what its encoding cannot mean (half a UTF-16 pair): never valid in UTF-8, so the row is rejected.
pub const NOT_TEXT: u8 = 0xFF;
/// Bytes transcoded at a time.
const CHUNK: usize = 64 * 1024;
/// Bytes that tell packing and encoding.
const HEAD: usize = 4;

/// The text of a file, piece by piece.
pub struct Bytes<'r> {
    unpacked: Unpacked<'r>,
    /// unpacked bytes so far
    pub count: u64,
    max_bytes: u64,
    /// the first bytes, looked at and not yet handed out
    head: Vec<u8>,
    transcoder: Option<Transcoder>,
}

impl<'r> Bytes<'r> {
    /// Looks at the first bytes; refuses what cannot be what the feed says.
    pub fn open(reader: &'r mut dyn Read, packing: Packing, layout: &Layout) -> Result<Bytes<'r>, Stop> {
        let mut disk = Disk { reader, head: Vec::new(), failed: false };
        disk.peek().map_err(Stop::Io)?;
        check_packing(&disk.head, packing)?;
        let unpacked = match packing {
            Packing::Plain => Unpacked::Plain(disk),
            Packing::Gzip => Unpacked::Gzip(Box::new(MultiGzDecoder::new(disk))),
            Packing::Zip(member) => Unpacked::zip(disk, member)?,
        };
        let max_bytes = layout.max_bytes;
        let mut bytes = Bytes { unpacked, count: 0, max_bytes, head: Vec::new(), transcoder: None };
        bytes.fill_head()?;
        let (mark, transcoder) = begin(&bytes.head, layout.encoding)?;
        bytes.head.drain(..mark);
        bytes.transcoder = transcoder;
        Ok(bytes)
    }

    /// The next bytes of text, at least one unless the file has ended. `out` has room for 16 bytes or more.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, Stop> {
        let Some(mut transcoder) = self.transcoder.take() else { return self.raw(out) };
        let written = transcoder.read(self, out);
        self.transcoder = Some(transcoder);
        written
    }

    fn fill_head(&mut self) -> Result<(), Stop> {
        let mut head = [0; HEAD];
        let mut have = 0;
        while have < HEAD {
            match self.raw(&mut head[have..])? {
                0 => break,
                more => have += more,
            }
        }
        self.head.extend_from_slice(&head[..have]);
        Ok(())
    }

    /// Unpacked bytes as they are.
    fn raw(&mut self, out: &mut [u8]) -> Result<usize, Stop> {
        if !self.head.is_empty() {
            return Ok(hand_out(&mut self.head, out));
        }
        let read = self.unpacked.read(out)?;
        self.count += read as u64;
        if self.count > self.max_bytes {
            let limit = self.max_bytes;
            return Err(refuse(
                "too_large",
                format!(
                    "the file holds more than {limit} bytes unpacked, the most that max_bytes allows; if it is genuine, raise max_bytes for this feed"
                ),
            ));
        }
        Ok(read)
    }
}

fn hand_out(from: &mut Vec<u8>, out: &mut [u8]) -> usize {
    let size = from.len().min(out.len());
    out[..size].copy_from_slice(&from[..size]);
    from.drain(..size);
    size
}

/// A refusal of the file.
pub fn refuse(reason: &'static str, detail: String) -> Stop {
    Stop::Refused(Refusal { reason, detail })
}

/// The archive's reader, remembering whether it was the disk that failed.
struct Disk<'r> {
    reader: &'r mut dyn Read,
    head: Vec<u8>,
    failed: bool,
}

impl Disk<'_> {
    fn peek(&mut self) -> std::io::Result<()> {
        let mut head = [0; HEAD];
        let mut have = 0;
        while have < HEAD {
            match self.reader.read(&mut head[have..]) {
                Ok(0) => break,
                Ok(more) => have += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.head.extend_from_slice(&head[..have]);
        Ok(())
    }
}

impl Read for Disk<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if !self.head.is_empty() {
            return Ok(hand_out(&mut self.head, out));
        }
        let read = self.reader.read(out);
        self.failed |= matches!(&read, Err(error) if error.kind() != ErrorKind::Interrupted);
        read
    }
}

enum Unpacked<'r> {
    Plain(Disk<'r>),
    Gzip(Box<MultiGzDecoder<Disk<'r>>>),
    Zip(Box<Zipped<'r>>),
}

/// The file in a zip archive, on its way out.
struct Zipped<'r> {
    member: Member,
    packed: Inflating<'r>,
    /// of what came out so far
    crc: Crc,
    count: u64,
}

enum Inflating<'r> {
    Stored(Take<Disk<'r>>),
    Deflated(Box<DeflateDecoder<Take<Disk<'r>>>>),
}

impl Zipped<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let read = match &mut self.packed {
            Inflating::Stored(bytes) => bytes.read(out)?,
            Inflating::Deflated(decoder) => decoder.read(out)?,
        };
        self.crc.update(&out[..read]);
        self.count += read as u64;
        let whole = self.count == self.member.unpacked && self.crc.sum() == self.member.crc;
        if read == 0 && !out.is_empty() && !whole {
            return Err(std::io::Error::new(ErrorKind::InvalidData, "it is not what the directory says"));
        }
        Ok(read)
    }

    fn disk_failed(&self) -> bool {
        match &self.packed {
            Inflating::Stored(bytes) => bytes.get_ref().failed,
            Inflating::Deflated(decoder) => decoder.get_ref().get_ref().failed,
        }
    }
}

impl<'r> Unpacked<'r> {
    fn zip(mut disk: Disk<'r>, member: Member) -> Result<Unpacked<'r>, Stop> {
        std::io::copy(&mut (&mut disk).take(member.start), &mut std::io::sink()).map_err(Stop::Io)?;
        let bytes = disk.take(member.packed);
        let packed = match member.method {
            Method::Stored => Inflating::Stored(bytes),
            Method::Deflated => Inflating::Deflated(Box::new(DeflateDecoder::new(bytes))),
        };
        Ok(Unpacked::Zip(Box::new(Zipped { member, packed, crc: Crc::new(), count: 0 })))
    }
}

impl Unpacked<'_> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Stop> {
        loop {
            let read = match self {
                Unpacked::Plain(disk) => disk.read(out),
                Unpacked::Gzip(decoder) => decoder.read(out),
                Unpacked::Zip(zipped) => zipped.read(out),
            };
            match read {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.fault(error)),
                Ok(read) => return Ok(read),
            }
        }
    }

    fn fault(&self, error: std::io::Error) -> Stop {
        match self {
            Unpacked::Gzip(decoder) if !decoder.get_ref().failed => refuse(
                "gzip_damaged",
                format!(
                    "the gzip file cannot be unpacked to its end ({error}); it was cut short or damaged: send it again"
                ),
            ),
            Unpacked::Zip(zipped) if !zipped.disk_failed() => refuse(
                "zip_damaged",
                format!(
                    "the file in the zip archive cannot be unpacked to its end ({error}); it was cut short or damaged: send it again"
                ),
            ),
            Unpacked::Gzip(_) | Unpacked::Zip(_) | Unpacked::Plain(_) => Stop::Io(error),
        }
    }
}

fn check_packing(head: &[u8], packing: Packing) -> Result<(), Stop> {
    match packing {
        Packing::Gzip if head.is_empty() => {
            Err(refuse("empty_file", "the archive has 0 bytes; send it again".to_string()))
        }
        Packing::Gzip if !head.starts_with(&[0x1F, 0x8B]) => Err(refuse(
            "not_gzip",
            format!("the name says gzip, but the file begins with {} instead of 1f 8b", hexed(head)),
        )),
        Packing::Plain if head.starts_with(&[0x1F, 0x8B]) => Err(refuse(
            "packed",
            "the file is gzip, but its name does not end in .gz; name it so that it does".to_string(),
        )),
        Packing::Plain if head.starts_with(b"PK\x03\x04") => Err(refuse(
            "packed",
            "the file is a zip archive or a workbook (.xlsx), not text; name an archive of one CSV file so that it ends in .zip, export a workbook as CSV".to_string(),
        )),
        Packing::Gzip | Packing::Zip(_) | Packing::Plain => Ok(()),
    }
}

fn hexed(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().take(2).map(|byte| format!("{byte:02x}")).collect();
    pairs.join(" ")
}

/// How many bytes the byte-order mark has, and what turns the rest into UTF-8.
fn begin(head: &[u8], encoding: Encoding) -> Result<(usize, Option<Transcoder>), Stop> {
    let utf8_mark = head.starts_with(&[0xEF, 0xBB, 0xBF]);
    let utf16_mark = head.starts_with(&[0xFF, 0xFE]) || head.starts_with(&[0xFE, 0xFF]);
    match encoding {
        Encoding::Utf8 if utf16_mark => Err(wrong_encoding("not_utf8", "UTF-16", "utf-8", "utf-16")),
        Encoding::Utf8 if utf8_mark => Ok((3, None)),
        Encoding::Utf8 => Ok((0, None)),
        Encoding::Windows1252 if utf8_mark => {
            Err(wrong_encoding("not_windows_1252", "UTF-8", "windows-1252", "utf-8"))
        }
        Encoding::Windows1252 if utf16_mark => {
            Err(wrong_encoding("not_windows_1252", "UTF-16", "windows-1252", "utf-16"))
        }
        Encoding::Windows1252 => {
            Ok((0, Some(Transcoder::new(WINDOWS_1252.new_decoder_without_bom_handling()))))
        }
        Encoding::Utf16 => utf16(head),
    }
}

fn wrong_encoding(reason: &'static str, found: &str, said: &str, remedy: &str) -> Stop {
    refuse(
        reason,
        format!(
            "the file begins with a {found} byte-order mark, but the feed says encoding = \"{said}\"; set encoding = \"{remedy}\" for this feed"
        ),
    )
}

/// By its mark; without one by where the first character, surely ASCII in a header, has its zero byte.
fn utf16(head: &[u8]) -> Result<(usize, Option<Transcoder>), Stop> {
    let little = || Some(Transcoder::new(UTF_16LE.new_decoder_without_bom_handling()));
    let big = || Some(Transcoder::new(UTF_16BE.new_decoder_without_bom_handling()));
    match head {
        [] => Ok((0, None)),
        [0xFF, 0xFE, ..] => Ok((2, little())),
        [0xFE, 0xFF, ..] => Ok((2, big())),
        [1..=0x7F, 0, ..] => Ok((0, little())),
        [0, 1..=0x7F, ..] => Ok((0, big())),
        [0xEF, 0xBB, 0xBF, ..] => Err(wrong_encoding("not_utf16", "UTF-8", "utf-16", "utf-8")),
        _ => Err(refuse(
            "not_utf16",
            format!(
                "the feed says encoding = \"utf-16\", but the file begins with {}, no byte-order mark (ff fe or fe ff) and no UTF-16 letter; set the encoding it has",
                hexed(head)
            ),
        )),
    }
}

struct Transcoder {
    decoder: Decoder,
    input: Vec<u8>,
    from: usize,
    to: usize,
    ended: bool,
    done: bool,
}

impl Transcoder {
    fn new(decoder: Decoder) -> Transcoder {
        Transcoder { decoder, input: vec![0; CHUNK], from: 0, to: 0, ended: false, done: false }
    }

    fn read(&mut self, bytes: &mut Bytes<'_>, out: &mut [u8]) -> Result<usize, Stop> {
        let room = out.len().saturating_sub(1); // for NOT_TEXT
        let mut written = 0;
        while written == 0 && !self.done {
            if self.from == self.to && !self.ended {
                self.from = 0;
                self.to = bytes.raw(&mut self.input)?;
                self.ended = self.to == 0;
            }
            let source = &self.input[self.from..self.to];
            let (result, read, wrote) =
                self.decoder.decode_to_utf8_without_replacement(source, &mut out[..room], self.ended);
            self.from += read;
            written = wrote;
            match result {
                DecoderResult::InputEmpty => self.done = self.ended,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    out[written] = NOT_TEXT;
                    written += 1;
                }
            }
        }
        Ok(written)
    }
}

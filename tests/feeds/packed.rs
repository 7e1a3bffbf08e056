//! Files that come packed or in other encodings: zip of one member, gzip, UTF-16, windows-1252 (interfaces.md 2).

use crate::rig::{HEADER, Shop, feed, file, row};
use std::io::Write;

fn shop(more: &str) -> Shop {
    Shop::new(&feed("s", "*.*", more))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}

/// A zip archive: names, contents, and whether each is deflated.
fn zip(members: &[(&str, &[u8])], method: u16) -> Vec<u8> {
    zip_with(members, method, 0)
}

fn zip_with(members: &[(&str, &[u8])], method: u16, flags: u16) -> Vec<u8> {
    let (mut out, mut central) = (Vec::new(), Vec::new());
    for (name, content) in members {
        let data = match method {
            8 => {
                let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
                packed.write_all(content).expect("memory");
                packed.finish().expect("memory")
            }
            _ => content.to_vec(),
        };
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let at = out.len() as u32;
        let mut common = Vec::new();
        for short in [20, flags, method, 0, 0x21] {
            common.extend_from_slice(&short.to_le_bytes());
        }
        for long in [crc.sum(), data.len() as u32, content.len() as u32] {
            common.extend_from_slice(&long.to_le_bytes());
        }
        common.extend_from_slice(&(name.len() as u16).to_le_bytes());
        common.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&common);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&data);
        central.extend_from_slice(b"PK\x01\x02\x14\x00");
        central.extend_from_slice(&common);
        central.extend_from_slice(&[0; 10]);
        central.extend_from_slice(&at.to_le_bytes());
        central.extend_from_slice(name.as_bytes());
    }
    let start = out.len() as u32;
    out.extend_from_slice(&central);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    for _ in 0..2 {
        out.extend_from_slice(&(members.len() as u16).to_le_bytes());
    }
    out.extend_from_slice(&(central.len() as u32).to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&[0, 0]);
    out
}

/// The same archive as one of over 4 GiB writes it: sizes and places in the wide fields, in their old places all ones.
fn wide(name: &str, content: &[u8]) -> Vec<u8> {
    let narrow = zip(&[(name, content)], 0);
    let at = narrow.windows(4).position(|four| four == b"PK\x01\x02").expect("a directory");
    let entry = &narrow[at..at + 46];
    let mut out = narrow[..at].to_vec();
    let mut field = vec![0xca, 0xfe, 2, 0, 7, 7]; // somebody else's, to be passed over
    field.extend_from_slice(&[1, 0, 24, 0]);
    for size in [content.len() as u64, content.len() as u64, 0] {
        field.extend_from_slice(&size.to_le_bytes());
    }
    out.extend_from_slice(&entry[..20]);
    out.extend_from_slice(&[0xff; 8]);
    out.extend_from_slice(&entry[28..30]);
    out.extend_from_slice(&(field.len() as u16).to_le_bytes());
    out.extend_from_slice(&entry[32..42]);
    out.extend_from_slice(&[0xff; 4]);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(&field);
    let end = out.len() as u64;
    out.extend_from_slice(b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\0\x2d\0\0\0\0\0\0\0\0\0");
    for long in [1, 1, end - at as u64, at as u64] {
        out.extend_from_slice(&u64::to_le_bytes(long));
    }
    out.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    out.extend_from_slice(&end.to_le_bytes());
    out.extend_from_slice(b"\x01\0\0\0PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&[0xff; 12]);
    out.extend_from_slice(&[0, 0]);
    out
}

fn utf16(text: &str, mark: bool, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mark = if mark { "\u{feff}" } else { "" };
    format!("{mark}{text}").encode_utf16().flat_map(unit).collect()
}

#[test]
fn a_zip_of_one_member_is_read_as_what_it_holds() {
    let mut shop = shop("");
    shop.at.drop("drop/s/a.csv.zip", zip(&[("a.csv", file(&[row("A", 1)]).as_bytes())], 8));
    shop.at.drop("drop/s/B.ZIP", zip(&[("deep/down/b.csv", file(&[row("B", 20)]).as_bytes())], 0));
    // folders beside the one file are no members
    let members: [(&str, &[u8]); 2] =
        [("deep/", b""), ("deep/c.csv", file(&[row("C", 300)]).leak().as_bytes())];
    shop.at.drop("drop/s/c.zip", zip(&members, 0));
    shop.settled(0);
    assert_eq!(shop.points(), "321");
}

#[test]
fn a_zip_with_the_fields_of_large_archives_is_read_as_well() {
    let mut shop = shop("");
    let whole = wide("a.csv", file(&[row("A", 7)]).as_bytes());
    let locator = whole.len() - 42;
    assert_eq!(&whole[locator..locator + 4], b"PK\x06\x07");
    // wide fields that point nowhere
    let mut astray = whole.clone();
    astray[locator + 8..locator + 16].fill(0xff);
    let mut beyond = whole.clone();
    beyond[locator - 8..locator].copy_from_slice(&u64::MAX.to_le_bytes());
    shop.at.drop("drop/s/astray.zip", astray);
    shop.at.drop("drop/s/beyond.zip", beyond);
    shop.at.drop("drop/s/whole.zip", whole);
    let run = shop.settled(3);
    for name in ["astray", "beyond"] {
        let why = format!(
            "refused: feed s: {name}.zip: the zip archive has a directory that points beyond its end"
        );
        assert!(run.stderr.contains(&why), "{}", run.whole());
    }
    assert_eq!(shop.points(), "7");
}

#[test]
fn zips_that_cannot_be_meant_are_refused_with_why() {
    let mut shop = shop("max_bytes = \"1 MiB\"");
    let one = file(&[row("A", 1)]);
    let bytes = one.as_bytes();
    let zeros = vec![b'0'; 4 << 20];
    let whole = zip(&[("a.csv", bytes)], 8);
    let mut damaged = whole.clone();
    damaged[40] ^= 0x55;
    let mut lies = zip(&[("a.csv", &zeros)], 8);
    // the directory says that it is small
    let at = lies.windows(4).position(|four| four == b"PK\x01\x02").expect("a directory");
    lies[at + 24..at + 28].copy_from_slice(&100_u32.to_le_bytes());
    // of two files the second is hidden by one wrong bit
    let mut hidden = zip(&[("a.csv", bytes), ("b.csv", bytes)], 8);
    let at = hidden.windows(4).rposition(|four| four == b"PK\x01\x02").expect("a second entry");
    hidden[at] ^= 1;
    let cases: [(&str, Vec<u8>, &str); 10] = [
        ("two.zip", zip(&[("a.csv", bytes), ("b.csv", bytes)], 8), "holds 2 files (a.csv, b.csv)"),
        ("none.zip", zip(&[], 8), "holds no file"),
        ("folder.zip", zip(&[("a/", b"")], 0), "holds no file"),
        ("secret.zip", zip_with(&[("a.csv", bytes)], 0, 1), "is encrypted"),
        ("odd.zip", zip(&[("a.csv", bytes)], 99), "packed by method 99"),
        ("bomb.zip", zip(&[("a.csv", &zeros)], 8), "max_bytes"),
        ("lies.zip", lies, "max_bytes"),
        ("cut.zip", whole[..whole.len() - 10].to_vec(), "zip"),
        ("damaged.zip", damaged, "damaged"),
        ("hidden.zip", hidden, "has a directory that cannot be read to its end"),
    ];
    for (name, bytes, _) in &cases {
        shop.at.drop(&format!("drop/s/{name}"), bytes);
    }
    shop.at.drop("drop/s/text.zip", bytes);
    shop.at.drop("drop/s/zero.zip", b"");
    shop.at.drop("drop/s/good.zip", whole);
    let run = shop.settled(3);
    assert!(run.stdout.contains("1 ingested, 12 refused"), "{}", run.whole());
    for (name, _, why) in &cases {
        let told =
            run.stderr.lines().find(|line| line.contains(&format!("refused: feed s: {name}"))).expect(name);
        assert!(told.contains(why), "{told}");
    }
    assert_eq!(shop.points(), "1");
}

#[test]
fn utf_16_of_both_ends_with_and_without_its_mark_also_packed() {
    let mut shop = shop("[feed.csv]\nencoding = \"utf-16\"");
    let text = |n: i64| format!("{HEADER}{}", row(&format!("Ä{n}₹𝄞"), n));
    shop.at.drop("drop/s/a.csv", utf16(&text(1), true, u16::to_le_bytes));
    shop.at.drop("drop/s/b.csv", utf16(&text(20), true, u16::to_be_bytes));
    shop.at.drop("drop/s/c.csv", utf16(&text(300), false, u16::to_le_bytes));
    shop.at.drop("drop/s/d.csv", utf16(&text(4_000), false, u16::to_be_bytes));
    shop.at.drop("drop/s/e.csv.gz", gzip(&utf16(&text(50_000), true, u16::to_le_bytes)));
    shop.at.drop("drop/s/f.csv.zip", zip(&[("f.csv", &utf16(&text(600_000), true, u16::to_be_bytes))], 8));
    shop.settled(0);
    assert_eq!(shop.points(), "654321");
    let lines = shop.at.trial(&["lines", "--partner", "P1", "--format", "csv"]).check();
    assert!(lines.stdout.contains("Ä600000₹𝄞"), "{}", lines.whole());
    // half a character rejects its row, and the rest is read
    let mut odd = utf16(&file(&[row("X", 1), row("Y", 2)]), true, u16::to_le_bytes);
    let at = odd.windows(2).position(|two| two == b"X\0").expect("an X");
    odd[at..at + 2].copy_from_slice(&[0x00, 0xD8]);
    shop.at.drop("drop/s/odd.csv", odd);
    shop.settled(3);
    assert_eq!(shop.points(), "654323");
}

#[test]
fn windows_1252_letters_are_what_they_are() {
    let mut shop = shop("[feed.csv]\nencoding = \"windows-1252\"");
    let mut bytes = HEADER.as_bytes().to_vec();
    bytes.extend_from_slice(b"N\xE9-\x80,1,2026-04-10,P1,5\n");
    shop.at.drop("drop/s/a.csv", bytes.clone());
    bytes.extend_from_slice(b"Z,1,2026-04-10,P1,7\n");
    shop.at.drop("drop/s/b.csv.zip", zip(&[("b.csv", &bytes)], 8));
    shop.settled(0);
    assert_eq!(shop.points(), "12");
    let lines = shop.at.trial(&["lines", "--partner", "P1", "--format", "csv"]).check();
    assert!(lines.stdout.contains("Né-€"), "{}", lines.whole());
}

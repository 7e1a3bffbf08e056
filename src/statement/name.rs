//! Names of published files and folders: always one plain path component, never longer than a file system takes.

use crate::domain::chain;
use sha2::{Digest, Sha256};

/// Longest encoded name; with an extension or a hash it stays below the 255 bytes that file systems take.
const LONGEST: usize = 200;
/// What is kept of a longer one, before `-` and 64 digits of hash: the whole is longer than [`LONGEST`].
const KEPT: usize = 136;

/// `CODE.csv`: a partner's own statement file (interfaces.md 5).
pub fn partner_file(partner_code: &str) -> String {
    format!("{}.csv", encoded(partner_code))
}

/// `NAME.SHA8.csv`: the rejects of a file, by its name on the feed and the first eight digits of its SHA-256.
pub fn reject_file(name: &str, sha256: &str) -> String {
    let sha8: String = sha256.chars().take(8).collect();
    let stem = if name.len() <= LONGEST { name } else { cut(name, LONGEST) };
    format!("{stem}.{sha8}.csv")
}

/// `rev-001`: a revision of a cycle's working papers.
pub fn revision(number: u32) -> String {
    format!("rev-{number:03}")
}

/// Percent-encoded to `A-Z a-z 0-9 . _ -`, byte by byte (`/` is `%2F`). No two texts have the same name.
///
/// A `.` at the start is encoded too, so that no name is hidden or means a folder; an empty text is `%`; of a text whose name
/// would be longer than 200 bytes the first 136 are kept, followed by `-` and the SHA-256 of the text.
pub fn encoded(text: &str) -> String {
    if text.is_empty() {
        return "%".to_owned();
    }
    let mut name = String::with_capacity(text.len());
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'.' if index == 0 => push_encoded(&mut name, byte),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' => name.push(char::from(byte)),
            _ => push_encoded(&mut name, byte),
        }
    }
    if name.len() <= LONGEST {
        return name;
    }
    // longer than any name that is kept whole, so it meets none of them
    let hash = chain::hex(&Sha256::digest(text.as_bytes()));
    format!("{}-{hash}", cut(&name, KEPT))
}

fn push_encoded(name: &mut String, byte: u8) {
    name.push('%');
    name.push_str(&chain::hex(&[byte]).to_ascii_uppercase());
}

/// The longest start of `text` that has at most `most` bytes.
fn cut(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_become_one_plain_path_component() {
        for (code, file) in [
            ("P-001_a.b", "P-001_a.b.csv"),
            ("D17/P 1", "D17%2FP%201.csv"),
            (".", "%2E.csv"),
            ("..", "%2E..csv"),
            ("../../etc", "%2E.%2F..%2Fetc.csv"),
            ("50%", "50%25.csv"),
            ("é", "%C3%A9.csv"),
            ("", "%.csv"),
            ("a\nb\0", "a%0Ab%00.csv"),
        ] {
            assert_eq!(partner_file(code), file);
        }
    }

    #[test]
    fn a_very_long_code_keeps_its_start_and_is_told_apart_by_its_hash() {
        let (a, b) = ("x".repeat(201), "x".repeat(202));
        assert_ne!(encoded(&a), encoded(&b));
        for name in [partner_file(&a), partner_file(&"é".repeat(5_000))] {
            assert!(name.len() > LONGEST && name.len() < 255, "{}", name.len());
        }
        assert_eq!(encoded(&"x".repeat(200)), "x".repeat(200));
    }

    #[test]
    fn reject_files_keep_the_name_of_theirs() {
        let sha = "1a2b3c4d5e6f";
        assert_eq!(reject_file("sales north_2026-04.csv", sha), "sales north_2026-04.csv.1a2b3c4d.csv");
        assert_eq!(reject_file(&"é".repeat(127), sha).len(), 200 + 13);
        assert_eq!(revision(1), "rev-001");
        assert_eq!(revision(1_234), "rev-1234");
    }

    proptest! {
        #[test]
        fn different_codes_have_different_files(a in "\\PC{0,80}", b in "\\PC{0,80}") {
            prop_assert_eq!(a == b, encoded(&a) == encoded(&b));
            prop_assert!(encoded(&a).bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-%".contains(&byte)));
        }
    }
}

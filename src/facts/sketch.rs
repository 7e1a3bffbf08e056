//! A sketch of a set of words: small, and able to say of a word that it is surely not among them (a Bloom filter).
//!
//! Answers for: never denying a word that is there. Does not: say for sure that one is; about one in four hundred is taken for
//! one that is there. Sketches are kept in the store: what a word's bits are never changes.

use crate::domain::word::fold_char;

/// Bits a word, and how many of them it sets.
const BITS: usize = 16;
const SET: u64 = 4;

/// Words, matched without case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sketch {
    hashes: Vec<u64>,
}

impl Sketch {
    /// Notes a word.
    pub fn note(&mut self, word: &str) {
        let hash = hash(word);
        if self.hashes.last() != Some(&hash) {
            self.hashes.push(hash);
        }
    }

    /// The sketch of what was noted; nothing where that is nothing.
    pub fn bytes(mut self) -> Vec<u8> {
        self.hashes.sort_unstable();
        self.hashes.dedup();
        if self.hashes.is_empty() {
            return Vec::new();
        }
        let mut bytes = vec![0; (self.hashes.len() * BITS / 8).next_power_of_two()];
        for hash in self.hashes {
            for bit in bits(hash, bytes.len()) {
                bytes[bit / 8] |= 1 << (bit % 8);
            }
        }
        bytes
    }
}

/// Whether a word may be among those of a sketch.
pub fn may_have(bytes: &[u8], word: &str) -> bool {
    !bytes.is_empty() && bits(hash(word), bytes.len()).all(|bit| bytes[bit / 8] & (1 << (bit % 8)) != 0)
}

fn bits(hash: u64, bytes: usize) -> impl Iterator<Item = usize> {
    let (start, step) = (hash & 0xffff_ffff, hash >> 32 | 1);
    let mask = bytes as u64 * 8 - 1;
    (0..SET).map(move |at| usize::try_from((start + at * step) & mask).unwrap_or(0))
}

/// FNV-1a over the folded characters, its halves mixed.
fn hash(word: &str) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for letter in word.chars() {
        hash = (hash ^ u64::from(fold_char(letter))).wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ hash >> 29
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Vec<u8> {
        let mut sketch = Sketch::default();
        words.into_iter().for_each(|word| sketch.note(word));
        sketch.bytes()
    }

    #[test]
    fn few_words_that_are_not_there_are_taken_for_one_that_is() {
        let words: Vec<String> = (0..300).map(|n| format!("SKU-{n}")).collect();
        let bytes = of(words.iter().map(String::as_str));
        let wrong = (300..10_300).filter(|n| may_have(&bytes, &format!("sku-{n}"))).count();
        assert!(wrong < 100, "{wrong} of 10,000");
        assert!(bytes.len() <= 1_024);
        assert!(!may_have(&of([]), "SKU-1"));
    }

    proptest! {
        #[test]
        fn a_word_that_is_there_is_never_denied(words in proptest::collection::vec("\\PC{0,6}|[a-cA-C]{1,2}", 0..60)) {
            let bytes = of(words.iter().map(String::as_str));
            for word in &words {
                prop_assert!(may_have(&bytes, word));
                prop_assert!(may_have(&bytes, &crate::domain::word::fold(word)));
            }
        }
    }
}

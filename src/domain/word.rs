//! Words that match without case: SKUs, categories, channels, classes, statuses, payment methods, currencies (evaluation.md 2).

use std::borrow::Cow;
use std::cmp::Ordering;

/// Whether two words match.
pub fn same_word(a: &str, b: &str) -> bool {
    a == b
        || a.eq_ignore_ascii_case(b)
        || (!(a.is_ascii() && b.is_ascii()) && a.chars().map(fold_char).eq(b.chars().map(fold_char)))
}

/// A total order in which words that match are equal.
pub fn word_order(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    a.chars().map(fold_char).cmp(b.chars().map(fold_char))
}

/// The key under which words that match are the same text.
pub fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

/// [`fold`], without an allocation where there is nothing to fold.
pub fn folded(text: &str) -> Cow<'_, str> {
    let plain = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if plain { Cow::Borrowed(text) } else { Cow::Owned(fold(text)) }
}

/// One character for one, so that `?` of a pattern means the same in every case: the lower case of a character where
/// that is a single one. The final sigma is a sigma.
pub fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some('ς'), None) => 'σ',
        (Some(single), None) => single,
        (Some(_), Some(_)) | (None, _) => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_are_equal_without_case_and_whole() {
        assert!(same_word("Approved", "aPPROVED"));
        assert!(same_word("ÉTÉ", "été"));
        assert!(same_word("Σίσυφος", "ΣΊΣΥΦΟΣ"));
        assert!(!same_word("approved", "approved "));
        assert!(!same_word("", "a"));
        assert!(same_word("\u{212a}g", "KG"), "the Kelvin sign is a k");
    }

    proptest! {
        #[test]
        fn folding_order_and_same_word_agree(a in "[aAßẞςσΣéÉİi]{0,3}|\\PC{0,6}", b in "[aAßẞςσΣéÉİi]{0,3}|\\PC{0,6}") {
            prop_assert_eq!(same_word(&a, &b), fold(&a) == fold(&b));
            prop_assert_eq!(same_word(&a, &b), word_order(&a, &b).is_eq());
            prop_assert_eq!(word_order(&a, &b), fold(&a).cmp(&fold(&b)));
            prop_assert!(same_word(&a, &fold(&a)));
            prop_assert_eq!(folded(&a), fold(&a));
        }
    }
}

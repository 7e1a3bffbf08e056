//! Patterns that match without case (evaluation.md 2). Answers for: what matches what. Does not: know columns.

use crate::domain::word::{fold, fold_char};
use std::str::Chars;

/// `*` (any characters, also none) and `?` (one character) are wildcards and nothing else is; matches without case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    /// as written
    pub pattern: String,
    /// folded for matching
    folded: String,
}

impl Glob {
    /// From the text in the scheme.
    pub fn new(pattern: &str) -> Glob {
        Glob { pattern: pattern.to_owned(), folded: fold(pattern) }
    }

    /// Whether the whole of `text`, in any case, matches. Allocates nothing; time at most the product of
    /// both lengths, whatever the pattern.
    pub fn matches(&self, text: &str) -> bool {
        let mut text = text.chars();
        let mut pattern = self.folded.chars();
        let mut retry: Option<(Chars<'_>, Chars<'_>)> = None;
        loop {
            let text_here = text.clone();
            match (pattern.next(), text.next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    text = text_here.clone();
                    retry = Some((pattern.clone(), text_here));
                }
                (Some('?'), Some(_)) => {}
                (Some(wanted), Some(found)) if wanted == fold_char(found) => {}
                (None | Some(_), _) => {
                    // only the last star needs another try: what an earlier one could give, this one can
                    let Some((after_star, mut from)) = retry.take() else { return false };
                    if from.next().is_none() {
                        return false;
                    }
                    pattern = after_star.clone();
                    text = from.clone();
                    retry = Some((after_star, from));
                }
            }
        }
    }

    /// Whether some text matches both.
    pub fn meets(&self, other: &Glob) -> bool {
        let (a, b): (Vec<char>, Vec<char>) = (self.folded.chars().collect(), other.folded.chars().collect());
        // row[j]: whether what is left of `a` from here and of `b` from j have a text in common
        let mut after = Vec::new();
        for i in (0..=a.len()).rev() {
            let mut row = vec![false; b.len() + 1];
            for j in (0..=b.len()).rev() {
                row[j] = match (a.get(i), b.get(j)) {
                    (None, None) => true,
                    (Some('*'), _) => after[j] || (j < b.len() && row[j + 1]),
                    (_, Some('*')) => row[j + 1] || (i < a.len() && after[j]),
                    (Some(x), Some(y)) => (x == y || *x == '?' || *y == '?') && after[j + 1],
                    (None, Some(_)) | (Some(_), None) => false,
                };
            }
            after = row;
        }
        after.first().copied().unwrap_or(false)
    }

    /// Whether every text that `narrower` matches is surely matched here too; `false` may also mean that it is not plain.
    pub fn covers(&self, narrower: &Glob) -> bool {
        self.folded == narrower.folded
            || (!narrower.is_pattern() && self.matches(&narrower.folded))
            || (!self.folded.contains('?') && self.matches(&narrower.folded))
    }

    /// The pattern without regard to case: equal for patterns that match the same texts in the same way.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// Whether it has a wildcard.
    pub fn is_pattern(&self) -> bool {
        self.folded.contains(['*', '?'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn stars_and_question_marks_are_wildcards_and_nothing_else_is() {
        let yes = [
            ("LED-*", "led-9"),
            ("LED-*", "LED-"),
            ("*", ""),
            ("*-X", "a-b-x"),
            ("a?c", "AbC"),
            ("**a**", "xxAxx"),
            ("[a-z].+", "[A-Z].+"),
            ("a\\*", "a\\b"),
            ("?", "é"),
            ("ÄPFEL*", "äpfel 1kg"),
            ("ΟΔΟΣ", "οδος"),
        ];
        for (pattern, text) in yes {
            assert!(Glob::new(pattern).matches(text), "{pattern} {text}");
        }
        let no = [
            ("LED-*", "OLED-9"),
            ("", "a"),
            ("a?c", "ac"),
            ("a", "ab"),
            ("*a", "ab"),
            ("[ab]", "a"),
            ("?", ""),
        ];
        for (pattern, text) in no {
            assert!(!Glob::new(pattern).matches(text), "{pattern} {text}");
        }
    }

    #[test]
    fn patterns_meet_or_cover_one_another() {
        let meets = |a: &str, b: &str| Glob::new(a).meets(&Glob::new(b));
        assert!(meets("LED-*", "*-9"));
        assert!(meets("a*", "*"));
        assert!(meets("a?c", "ab*"));
        assert!(meets("", "*"));
        assert!(!meets("LED-*", "OLED-*"));
        assert!(!meets("a", "b"));
        assert!(!meets("?", ""));
        let covers = |a: &str, b: &str| Glob::new(a).covers(&Glob::new(b));
        assert!(covers("LED-*", "led-9*"));
        assert!(covers("*", "a?"));
        assert!(!covers("LED-9", "LED-*"));
        assert!(!covers("?", "*"));
    }

    #[test]
    fn a_pattern_of_many_stars_is_decided_at_once() {
        let pattern = "*a".repeat(60) + "b";
        assert!(!Glob::new(&pattern).matches(&"a".repeat(3_000)));
    }

    fn plainly(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => {
                plainly(rest, text) || (!text.is_empty() && plainly(pattern, &text[1..]))
            }
            (['?', rest @ ..], [_, more @ ..]) => plainly(rest, more),
            ([p, rest @ ..], [t, more @ ..]) => p == t && plainly(rest, more),
            ([], _) | (_, []) => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_plain_definition(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
            let p: Vec<char> = pattern.chars().collect();
            let t: Vec<char> = text.chars().collect();
            prop_assert_eq!(Glob::new(&pattern).matches(&text), plainly(&p, &t));
        }

        #[test]
        fn patterns_that_meet_have_a_text_in_common(a in "[ab*?]{0,5}", b in "[ab*?]{0,5}", text in "[ab]{0,6}") {
            let (a, b) = (Glob::new(&a), Glob::new(&b));
            prop_assert!(!(a.matches(&text) && b.matches(&text)) || a.meets(&b));
            prop_assert!(!(a.covers(&b) && b.matches(&text)) || a.matches(&text));
            prop_assert_eq!(a.meets(&b), b.meets(&a));
        }
    }
}

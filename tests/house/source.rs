//! A file of src/, and which rooms and crates it names.

use std::path::Path;

pub struct Source {
    /// below src/
    pub path: String,
    /// its first folder, or its own name
    pub room: String,
    /// without comments and what stands in quotes; as many lines as the file
    text: String,
    /// how deep its module lies: 0 for lib.rs, 1 for `inbox/mod.rs`
    depth: usize,
}

impl Source {
    pub fn read(src: &Path, path: &Path) -> Source {
        let below = path.strip_prefix(src).expect("in src").to_str().expect("text").to_owned();
        let parts: Vec<&str> = below.trim_end_matches(".rs").split('/').collect();
        let own = usize::from(!matches!(parts.last(), Some(&("mod" | "lib" | "main"))));
        let text = std::fs::read_to_string(path).expect("text");
        Source { room: parts[0].to_owned(), depth: parts.len() - 1 + own, text: blanked(&text), path: below }
    }

    /// Each room that a path of this file begins with, and the line: `crate::a::b`, `crate::{a, b::c}`, `super::super::a`, and `accrued::a` in main.rs.
    pub fn rooms_named(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        let mut depth = Vec::new();
        let mut braces = 0_usize;
        let (mut at, mut line) = (0, 1);
        while at < self.text.len() {
            let rest = &self.text[at..];
            let word = word_at(rest);
            if word.is_empty() {
                match rest.as_bytes()[0] {
                    b'\n' => line += 1,
                    b'{' => braces += 1,
                    b'}' => {
                        braces -= 1;
                        depth.retain(|&opened| opened < braces + 1);
                    }
                    _ => {}
                }
                at += rest.chars().next().map_or(1, char::len_utf8);
                continue;
            }
            if word == "mod" && opens_module(&rest[word.len()..]) {
                depth.push(braces + 1);
            }
            let begins = !self.text[..at].ends_with("::");
            let root = match word {
                "crate" | "accrued" if begins => rest[word.len()..].strip_prefix("::"),
                "super" if begins => above_all(rest, self.depth + depth.len()),
                _ => None,
            };
            found.extend(root.into_iter().flat_map(first_words).map(|room| (line, room)));
            at += word.len();
        }
        found
    }

    /// The first line that names this crate (`-` and `_` are one).
    pub fn line_that_names(&self, name: &str) -> Option<usize> {
        let name = name.replace('-', "_");
        for (number, line) in self.text.lines().enumerate() {
            for (at, _) in line.match_indices(name.as_str()) {
                let (before, after) = (&line[..at], &line[at + name.len()..]);
                let whole = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.')
                    && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
                let nested = before.ends_with("::") && !before.ends_with("clippy::");
                let path = after.starts_with("::")
                    || before.trim_end().ends_with("use")
                    || before.ends_with("clippy::");
                if whole && !nested && path {
                    return Some(number + 1);
                }
            }
        }
        None
    }
}

/// The identifier that begins here, if one does.
fn word_at(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// ` name {` follows a `mod`.
fn opens_module(after: &str) -> bool {
    let name = after.trim_start();
    name.len() < after.len() && name[word_at(name).len()..].trim_start().starts_with('{')
}

/// What follows as many `super::` as there are modules above, which is the crate.
fn above_all(mut text: &str, depth: usize) -> Option<&str> {
    let mut steps = 0;
    while let Some(rest) = text.strip_prefix("super::") {
        (text, steps) = (rest, steps + 1);
    }
    (steps >= depth && depth > 0).then_some(text)
}

/// The first word of a path, or of each path in braces.
fn first_words(path: &str) -> Vec<String> {
    let Some(list) = path.strip_prefix('{') else { return vec![word_at(path).to_owned()] };
    let (mut words, mut open, mut begins) = (Vec::new(), 1, true);
    for (at, c) in list.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 1 => break,
            '}' => open -= 1,
            ',' if open == 1 => begins = true,
            c if begins && c.is_alphabetic() => {
                words.push(word_at(&list[at..]).to_owned());
                begins = false;
            }
            _ => {}
        }
    }
    words
}

/// The text with comments and what stands in quotes made blank; line ends stay.
pub fn blanked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let end = at + passed_over(text, at);
        if end == at {
            let c = text[at..].chars().next().expect("not at the end");
            out.push(c);
            at += c.len_utf8();
        } else {
            out.extend(text[at..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// How many bytes from here are a comment or a literal.
fn passed_over(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let after_word = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    if let Some(inner) = rest.strip_prefix('"') {
        return 1 + up_to_quote(inner, '"');
    }
    if let Some(raw) = rest.strip_prefix('r').filter(|_| !after_word || text[..at].ends_with('b')) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let close = format!("\"{}", "#".repeat(hashes));
            let body = 1 + hashes + 1;
            return rest[body..].find(&close).map_or(rest.len(), |end| body + end + close.len());
        }
    }
    if let Some(inner) = rest.strip_prefix('\'') {
        let literal = inner.starts_with('\\') || inner.chars().nth(1) == Some('\'');
        return if literal { 1 + up_to_quote(inner, '\'') } else { 0 };
    }
    0
}

fn up_to_quote(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join(path);
        std::fs::create_dir_all(file.parent().expect("below it")).expect("made");
        std::fs::write(&file, text).expect("written");
        Source::read(dir.path(), &file)
    }

    fn rooms(path: &str, text: &str) -> Vec<(usize, String)> {
        source(path, text).rooms_named()
    }

    #[test]
    fn every_way_to_name_a_room_is_seen() {
        let named = |line: usize, room: &str| (line, room.to_owned());
        assert_eq!(rooms("a/b.rs", "use crate::store::Store;"), [named(1, "store")]);
        assert_eq!(rooms("a/b.rs", "\nfn f() -> crate::inbox::X {}"), [named(2, "inbox")]);
        assert_eq!(
            rooms("a/b.rs", "use crate::{store::{self, x}, inbox,\n cli as c};"),
            [named(1, "store"), named(1, "inbox"), named(1, "cli")]
        );
        assert_eq!(rooms("a/b.rs", "use super::super::store;"), [named(1, "store")]);
        assert_eq!(rooms("a/mod.rs", "use super::store;"), [named(1, "store")]);
        assert_eq!(
            rooms("a/mod.rs", "mod tests { use super::x; fn f() {} }\nuse super::store;"),
            [named(2, "store")]
        );
        assert_eq!(
            rooms("a.rs", "mod t { use super::super::{store, x}; }"),
            [named(1, "store"), named(1, "x")]
        );
        assert_eq!(rooms("main.rs", "accrued::cli::main()"), [named(1, "cli")]);
    }

    #[test]
    fn comments_and_texts_name_nothing() {
        let text = "//! [`crate::store`]\n/* crate::a */ \"crate::b \\\" crate::c\" r#\"crate::d\"# '\"' b'\\'' crate::e 'a";
        assert_eq!(rooms("a/b.rs", text), [(2, "e".to_owned())]);
        assert_eq!(rooms("a/b/c.rs", "use super::super::x; use super::y;"), []);
    }

    #[test]
    fn a_crate_is_named_by_its_paths() {
        let line = |text: &str| source("a.rs", text).line_that_names("libssh2-sys");
        assert_eq!(line("use libssh2_sys::X;"), Some(1));
        assert_eq!(line("\nlet x = libssh2_sys::f();"), Some(2));
        assert_eq!(line("use libssh2_sys as raw;"), Some(1));
        assert_eq!(
            line("let libssh2_sys = 1; x.libssh2_sys::<u8>(); my_libssh2_sys::f(); a::libssh2_sys::b"),
            None
        );
    }
}

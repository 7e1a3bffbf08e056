//! Secrets that stand in the file all the same are never shown: faults quote the text with stars in their place. Pure.

use std::ops::Range;

/// The text with stars in these places; every other byte stays where it is.
pub(super) fn without(text: &str, places: &[Range<usize>]) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for place in places {
        if let Some(secret) = bytes.get_mut(place.clone()) {
            secret.iter_mut().filter(|byte| !matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b'*');
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// The same for a text that is no TOML, by its looks: what follows a key named like a secret, and a password in a url.
pub(super) fn masked(text: &str) -> String {
    let mut places = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        places.extend(in_line(line).map(|place| start + place.start..start + place.end));
        start += line.len();
    }
    without(text, &places)
}

fn in_line(line: &str) -> Option<Range<usize>> {
    let lower = line.to_ascii_lowercase();
    let words = ["password", "passphrase", "passwd", "secret", "token"];
    let value = words.iter().find_map(|word| {
        let end = lower.find(word)? + word.len();
        let gap = line[end..].len() - line[end..].trim_start().len();
        line[end + gap..].starts_with('=').then_some(end + gap + 1)
    });
    let value = value.or_else(|| {
        let user = line.find("://")? + 3;
        let host = user + line[user..].find('@')?;
        line[user..host].find(':').map(|colon| user + colon + 1)
    })?;
    Some(value..line.trim_end().len().max(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_starred_and_nothing_moves() {
        let text = "a = 1\npassword = hunter2\nurl = \"sftp://u:pw@h/x\"\npassword_file = \"f\"\n";
        let shown = masked(text);
        assert_eq!(shown, "a = 1\npassword =********\nurl = \"sftp://u:*******\npassword_file = \"f\"\n");
        assert_eq!(without("é = \"ü\"", std::slice::from_ref(&(5..9))), "é = ****");
    }
}

//! Short texts compared without a call: codes and numbers are compared some ten times a row.

use std::cmp::Ordering;

/// Whether two texts are the same.
#[inline]
pub fn same(a: &str, b: &str) -> bool {
    same_bytes(a.as_bytes(), b.as_bytes())
}

/// The same of their bytes.
#[inline]
pub fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() || std::ptr::eq(a, b) {
        return a.len() == b.len();
    }
    // the ends overlap where a text is no longer than both
    match a.len() {
        0..4 => a.iter().zip(b).all(|(a, b)| a == b),
        4..=8 => a.first_chunk::<4>() == b.first_chunk() && a.last_chunk::<4>() == b.last_chunk(),
        9..=16 => a.first_chunk::<8>() == b.first_chunk() && a.last_chunk::<8>() == b.last_chunk(),
        _ => a == b,
    }
}

/// The order of their bytes.
#[inline]
pub fn order(a: &str, b: &str) -> Ordering {
    match (a.as_bytes(), b.as_bytes()) {
        (one, other) if std::ptr::eq(one, other) => Ordering::Equal,
        ([one], [other]) => one.cmp(other),
        _ => order_of_bytes(a, b),
    }
}

fn order_of_bytes(a: &str, b: &str) -> Ordering {
    let ((a, rest_of_a), (b, rest_of_b)) = (a.as_bytes().as_chunks::<8>(), b.as_bytes().as_chunks::<8>());
    for (a, b) in a.iter().zip(b) {
        match u64::from_be_bytes(*a).cmp(&u64::from_be_bytes(*b)) {
            Ordering::Equal => {}
            order => return order,
        }
    }
    match a.len().cmp(&b.len()) {
        Ordering::Equal => rest_of_a.iter().cmp(rest_of_b),
        // the shorter one ends within the next word of the longer one
        Ordering::Less => rest_of_a.iter().cmp(b[a.len()..].as_flattened()),
        Ordering::Greater => a[b.len()..].as_flattened().iter().cmp(rest_of_b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_are_compared_as_texts_are(a in "[ab]{0,20}", b in "[ab]{0,20}", more in "[\u{1}aé]{0,10}") {
            let longer = format!("{a}{more}");
            let copy = a.clone();
            for (a, b) in [(&a, &b), (&a, &longer), (&longer, &a), (&a, &copy), (&a, &a)] {
                prop_assert_eq!(same(a, b), a == b);
                prop_assert_eq!(order(a, b), a.cmp(b));
            }
        }

        #[test]
        fn one_byte_tells_them_apart(text in "[a-z]{1,24}", at: prop::sample::Index) {
            let mut other = text.clone().into_bytes();
            other[at.index(text.len())] = b'_';
            let other = String::from_utf8(other).unwrap();
            prop_assert!(!same(&text, &other));
            prop_assert_eq!(order(&text, &other), text.cmp(&other));
        }
    }
}

//! Text for people in columns: aligned by hand, so that the same data is the same bytes on every terminal.
//!
//! Widths are counted in characters. Nothing is cut: a long cell makes its column wide.

/// Columns that prose for people keeps to.
pub(super) const WIDTH: usize = 98;

/// To which side a cell is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// words
    Left,
    /// numbers
    Right,
}

/// Rows of cells under each other, two spaces between columns, `indent` spaces before the first. A column that is empty in every row
/// is left out. Every line ends with a line break, none with a space.
pub(super) fn aligned(indent: usize, sides: &[Side], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..sides.len()).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = " ".repeat(indent);
        for ((cell, side), width) in row.iter().zip(sides).zip(&widths).filter(|(_, width)| **width > 0) {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            match side {
                Side::Left => line.extend([cell.as_str(), &gap, "  "]),
                Side::Right => line.extend([gap.as_str(), cell, "  "]),
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Likewise under titles; a column without anything in it has no title either.
pub(super) fn titled(columns: &[(&str, Side)], rows: &[Vec<String>]) -> String {
    let used: Vec<usize> = (0..columns.len())
        .filter(|column| rows.iter().any(|row| row.get(*column).is_some_and(|cell| !cell.is_empty())))
        .collect();
    let kept = |row: &[String]| used.iter().filter_map(|column| row.get(*column).cloned()).collect();
    let titles: Vec<String> = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
    let all: Vec<Vec<String>> =
        std::iter::once(titles.as_slice()).chain(rows.iter().map(Vec::as_slice)).map(kept).collect();
    let sides: Vec<Side> =
        used.iter().filter_map(|column| columns.get(*column)).map(|(_, side)| *side).collect();
    if rows.is_empty() { String::new() } else { aligned(0, &sides, &all) }
}

/// Words in lines of at most [`WIDTH`], the first after `lead`, the others under where it ends. A word that is longer stands
/// alone on its line.
pub(super) fn hanging(lead: &str, words: &str) -> String {
    let indent = lead.chars().count();
    let mut out = String::from(lead);
    let mut at = indent;
    for word in words.split(' ') {
        let length = word.chars().count();
        if at > indent && at + 1 + length > WIDTH {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            at = indent;
        } else if at > indent {
            out.push(' ');
            at += 1;
        }
        out.push_str(word);
        at += length;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_under_each_other() {
        let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
        let rows = [row(["a", "1,000", "", "x"]), row(["Lumière", "5", "", ""])];
        let sides = [Side::Left, Side::Right, Side::Left, Side::Left];
        assert_eq!(aligned(2, &sides, &rows), "  a        1,000  x\n  Lumière      5\n");
        assert_eq!(aligned(2, &sides, &[]), "");
    }

    #[test]
    fn titles_stand_over_what_there_is() {
        let columns = [("name", Side::Left), ("note", Side::Left), ("points", Side::Right)];
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["a", "", "1,000"]), row(["b", "", ""])];
        assert_eq!(titled(&columns, &rows), "name  points\na      1,000\nb\n");
        assert_eq!(titled(&columns, &[]), "");
    }

    #[test]
    fn long_sums_go_on_under_their_beginning() {
        let words = ["123456789"; 12].join(" ");
        let told = hanging("  base  ", &words);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("  base  123456789 ") && lines[0].chars().count() <= WIDTH);
        assert!(lines[1].starts_with("        123456789"));
        let long = "x".repeat(120);
        assert_eq!(hanging("a ", &long), format!("a {long}\n"));
    }
}

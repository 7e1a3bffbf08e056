//! `rejects/FEED/NAME.SHA8.csv`: the rows of one file that were not taken, each with its line, its reason and its text.

use super::cell::{comma, end, header, text};
use super::number::unsigned;

/// The columns (interfaces.md 5).
const COLUMNS: [&str; 5] = ["file", "line", "reason", "detail", "text"];

/// The header.
pub fn reject_header(out: &mut Vec<u8>) {
    header(out, COLUMNS);
}

/// A row that was not taken; `file` is the name of the file on its feed, `cells` are its reason, detail and text.
pub fn reject_row(out: &mut Vec<u8>, file: &str, line: u64, cells: [&str; 3]) {
    text(out, file);
    comma(out);
    unsigned(out, line);
    for cell in cells {
        comma(out);
        text(out, cell);
    }
    end(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_rows_text_as_one_cell() {
        let mut out = Vec::new();
        reject_header(&mut out);
        reject_row(
            &mut out,
            "north 04.csv",
            7,
            ["amount_not_a_number", "amount is \"₹100\", expected digits", "INV/7,2026-04-01,\"P,1\",₹100"],
        );
        reject_row(&mut out, "=x.csv", 9, ["too_few_cells", "", "-5\n"]);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "file,line,reason,detail,text\n\
             north 04.csv,7,amount_not_a_number,\"amount is \"\"₹100\"\", expected digits\",\
             \"INV/7,2026-04-01,\"\"P,1\"\",₹100\"\n\
             '=x.csv,9,too_few_cells,,\"'-5\n\"\n"
        );
    }
}

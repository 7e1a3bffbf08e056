//! The table that goes into the README.

use std::fmt::Write;

/// Rows of text; the first column is left-aligned, the figures right-aligned.
#[derive(Default)]
pub struct Table {
    rows: Vec<[String; 5]>,
}

impl Table {
    /// What, median, ratio, peak memory, note.
    pub fn row(&mut self, cells: [String; 5]) {
        self.rows.push(cells);
    }

    /// As Markdown.
    pub fn render(&self) -> String {
        let mut text =
            "| what | median | ratio | peak memory | |\n| :-- | --: | --: | --: | :-- |\n".to_owned();
        for cells in &self.rows {
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text
    }
}

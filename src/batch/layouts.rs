//! As what and how a file was read, back from the text that the store keeps of it (see [`super::layout_text`]).

use crate::config::Kind;
use crate::domain::decimal::DecimalMark;
use crate::ingest::{CreditNotes, Encoding, LastRow, Layout};
use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;

/// The layout that a text says.
pub fn layout_of_text(text: &str) -> Result<Layout> {
    let value: Value = serde_json::from_str(text).context("how a file was read is no JSON")?;
    layout(&value).with_context(|| format!("how a file was read cannot be understood: {text}"))
}

/// As what a file was read; `None` where the text is older than that being kept.
pub fn kind_of_text(text: &str) -> Option<Kind> {
    let value: Value = serde_json::from_str(text).ok()?;
    let word = value.get("kind")?.as_str()?;
    let kinds = [Kind::Sales, Kind::Partners, Kind::Items, Kind::Fx, Kind::Payments, Kind::Deposits];
    kinds.into_iter().find(|kind| kind.word() == word)
}

fn layout(value: &Value) -> Option<Layout> {
    let word = |key: &str| value.get(key)?.as_str();
    Some(Layout {
        delimiter: *word("delimiter")?.as_bytes().first()?,
        encoding: match word("encoding")? {
            "utf-16" => Encoding::Utf16,
            "windows-1252" => Encoding::Windows1252,
            _ => Encoding::Utf8,
        },
        decimal_mark: if word("decimal_mark")? == "," { DecimalMark::Comma } else { DecimalMark::Point },
        dates: value.get("dates")?.as_array()?.iter().filter_map(text).collect(),
        credit_notes: match word("credit_notes")? {
            "signed" => CreditNotes::Signed,
            _ => CreditNotes::PositiveOrNegative,
        },
        columns: texts(value.get("columns")?)?,
        defaults: texts(value.get("defaults")?)?,
        values: value
            .get("values")?
            .as_object()?
            .iter()
            .map(|(column, words)| Some((column.clone(), texts(words)?)))
            .collect::<Option<_>>()?,
        timezone: word("timezone")?.parse().ok()?,
        numbers_restart: value.get("numbers_restart")?.as_u64().and_then(|month| u32::try_from(month).ok()),
        max_bytes: value.get("max_bytes")?.as_u64()?,
        last_row: match word("totals") {
            Some("trailer") => LastRow::Trailer,
            Some(_) | None => LastRow::Data,
        },
    })
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn texts(value: &Value) -> Option<BTreeMap<String, String>> {
    value.as_object()?.iter().map(|(key, value)| Some((key.clone(), text(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::layout_text;

    #[test]
    fn a_layout_comes_back_from_its_text() {
        let pair = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        let plain = Layout {
            delimiter: b',',
            encoding: Encoding::Utf8,
            decimal_mark: DecimalMark::Point,
            dates: vec![],
            credit_notes: CreditNotes::PositiveOrNegative,
            columns: BTreeMap::new(),
            defaults: BTreeMap::new(),
            values: BTreeMap::new(),
            timezone: "Asia/Kolkata".parse().unwrap(),
            numbers_restart: None,
            max_bytes: 4 << 30,
            last_row: LastRow::Data,
        };
        let other = Layout {
            delimiter: b'\t',
            encoding: Encoding::Utf16,
            decimal_mark: DecimalMark::Comma,
            dates: vec!["%d/%m/%Y".into()],
            credit_notes: CreditNotes::Signed,
            columns: pair("amount", "Net \"Amount\""),
            defaults: pair("currency", "INR"),
            values: BTreeMap::from([("doc_type".to_owned(), pair("Tax Invoice", "invoice"))]),
            numbers_restart: Some(4),
            ..plain.clone()
        };
        let latin = Layout { encoding: Encoding::Windows1252, ..plain.clone() };
        for (layout, kind) in [(plain, Kind::Sales), (other, Kind::Fx), (latin, Kind::Deposits)] {
            let text = layout_text(kind, &layout);
            assert_eq!((layout_of_text(&text).unwrap(), kind_of_text(&text)), (layout, Some(kind)));
        }
        assert!(layout_of_text("{}").is_err());
        assert_eq!(kind_of_text("{}"), None);
    }
}

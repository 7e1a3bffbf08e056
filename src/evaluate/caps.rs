//! What one invoice, or one SKU, may earn at most: evaluation.md 3, step 7.
//!
//! Only what is above the cap is cut: an invoice that takes points back (its returns outweigh it) is left as it is.

use super::walk::Counted;
use crate::domain::frac::Frac;
use crate::domain::word::folded;
use crate::facts::identity::DocumentNo;
use crate::facts::row::DocType;
use crate::facts::settle::{Line, Reference};
use crate::scheme::CapWithin;
use std::borrow::Cow;

/// What the points of several lines are counted together by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group<'g> {
    Document(DocumentNo<'g>, DocType, Option<i32>),
    Sku(Cow<'g, str>),
}

/// Cuts `points` (of the counting lines) to the cap, the lines of each group in proportion; gives what was cut.
pub(super) fn within(cap: CapWithin, lines: &[Line<'_>], counted: &[Counted], points: &mut [Frac]) -> Frac {
    let most = match cap {
        CapWithin::Invoice(most) | CapWithin::Sku(most) => Frac::from(most),
    };
    let mut groups: Vec<(Group<'_>, usize)> = counted
        .iter()
        .enumerate()
        .filter_map(|(index, line)| group(cap, lines, line.line).map(|group| (group, index)))
        .collect();
    groups.sort();
    let mut cut = Frac::ZERO;
    for members in groups.chunk_by(|a, b| a.0 == b.0) {
        let sum: Frac = members.iter().map(|(_, index)| &points[*index]).sum();
        if sum <= most {
            continue;
        }
        let kept = most.over(&sum).map_or(Frac::ZERO, Frac::reduced);
        for (_, index) in members {
            points[*index] = &points[*index] * &kept;
        }
        cut += &(&sum - &most);
    }
    cut
}

fn group<'g>(cap: CapWithin, lines: &'g [Line<'_>], index: usize) -> Option<Group<'g>> {
    let line = &lines[index];
    match cap {
        CapWithin::Sku(_) if line.row.sku.is_empty() => None,
        CapWithin::Sku(_) => Some(Group::Sku(folded(line.row.sku))),
        CapWithin::Invoice(_) => Some(document(sale_of(lines, line))),
    }
}

/// The invoice that a credit note has found, else the line itself.
fn sale_of<'g, 'a>(lines: &'g [Line<'a>], line: &'g Line<'a>) -> &'g Line<'a> {
    match &line.reference {
        Reference::Found(returned) => returned.iter().find_map(|index| lines.get(*index)).unwrap_or(line),
        Reference::None | Reference::Unknown | Reference::Cancelled => line,
    }
}

fn document<'g>(line: &'g Line<'_>) -> Group<'g> {
    let row = &line.row;
    Group::Document(DocumentNo::of(line.space, line.scope, row), row.doc_type, row.number_year)
}

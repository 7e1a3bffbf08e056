//! The canonical columns of each kind of feed, as interfaces.md 3 lists them.

use super::Kind;

/// A kind of feed as the file may name it, those of later versions included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AnyKind {
    /// works in this version
    Now(Kind),
    /// known, not yet supported; with its canonical columns, so that the rest of the feed can be checked
    Later(&'static [&'static str]),
}

impl AnyKind {
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            AnyKind::Now(Kind::Sales) => &SALES,
            AnyKind::Now(Kind::Partners) => &PARTNERS,
            AnyKind::Now(Kind::Items) => &ITEMS,
            AnyKind::Now(Kind::Fx) => &FX,
            AnyKind::Now(Kind::Payments) => &PAYMENTS,
            AnyKind::Now(Kind::Deposits) => &DEPOSITS,
            AnyKind::Later(columns) => columns,
        }
    }
}

impl AnyKind {
    /// Whether its rows name documents, so that a document space means something.
    pub fn speaks_of_documents(self) -> bool {
        match self {
            AnyKind::Now(Kind::Sales | Kind::Payments | Kind::Deposits) | AnyKind::Later(_) => true,
            AnyKind::Now(Kind::Partners | Kind::Items | Kind::Fx) => false,
        }
    }
}

const fn now(kind: Kind) -> (&'static str, AnyKind) {
    (kind.word(), AnyKind::Now(kind))
}

/// `kind = "..."`
pub(super) const KINDS: [(&str, AnyKind); 8] = [
    now(Kind::Sales),
    now(Kind::Partners),
    now(Kind::Items),
    now(Kind::Payments),
    now(Kind::Deposits),
    now(Kind::Fx),
    (
        "redemptions",
        AnyKind::Later(&["ref", "action", "scheme", "partner_code", "points", "at", "invoice_no", "reason"]),
    ),
    (
        "adjustments",
        AnyKind::Later(&[
            "ref",
            "scheme",
            "partner_code",
            "points",
            "reason",
            "requested_by",
            "approved_by",
            "kind",
            "expires_on",
        ]),
    ),
];

const SALES: [&str; 20] = [
    "invoice_no",
    "line_no",
    "doc_type",
    "invoice_date",
    "partner_code",
    "partner_name",
    "distributor_code",
    "distributor_name",
    "channel",
    "sku",
    "category",
    "quantity",
    "amount",
    "currency",
    "status",
    "payment_method",
    "invoice_total",
    "ref_invoice_no",
    "ref_line_no",
    "updated_at",
];

const PARTNERS: [&str; 13] = [
    "partner_code",
    "name",
    "class",
    "channel",
    "email",
    "phone",
    "joined_on",
    "active",
    "tracked",
    "referred_by",
    "effective_from",
    "distributor_code",
    "local_code",
];

const PAYMENTS: [&str; 8] = [
    "payment_ref",
    "invoice_no",
    "distributor_code",
    "paid_on",
    "amount",
    "currency",
    "method",
    "deposit_ref",
];

const DEPOSITS: [&str; 4] = ["deposit_ref", "date", "amount", "currency"];

const ITEMS: [&str; 6] = ["sku", "name", "category", "earns_points", "launched_on", "effective_from"];

const FX: [&str; 4] = ["date", "from", "to", "rate"];

/// The words that a canonical column may hold, where they are few.
pub(super) fn words(column: &str) -> Option<&'static [&'static str]> {
    match column {
        "doc_type" => Some(&["invoice", "credit_note", "cancellation"]),
        "active" | "tracked" | "earns_points" => Some(&["yes", "no", "y", "n", "true", "false", "1", "0"]),
        _ => None,
    }
}

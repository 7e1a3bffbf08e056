//! Helps for keys that a section does not have: the nearest known one, or the section where it lives.

use crate::fault::nearest;

/// Where each key of interfaces.md 4 lives. Only for helps: what is known is what the reading code asks for.
const HOMES: [(&str, &[&str]); 14] = [
    ("[scheme]", &["id", "name", "company", "currency", "timezone", "starts", "ends"]),
    (
        "[cycle]",
        &[
            "length",
            "year_starts",
            "day_closes_at",
            "post",
            "grace_days",
            "wait_for_files",
            "lock_after_days",
        ],
    ),
    (
        "[earn]",
        &[
            "on",
            "measure",
            "payment_tolerance",
            "statuses",
            "return_statuses",
            "partner_classes",
            "payment_methods",
            "currencies",
            "exclude_skus",
            "exclude_categories",
            "only_skus",
            "only_categories",
            "unlisted_skus",
            "unlisted_partners",
            "returns",
        ],
    ),
    ("[slabs]", &["mode"]),
    ("[[slab]]", &["rate", "cap"]),
    ("[multipliers]", &["stacking"]),
    ("[[multiplier]]", &["skus", "categories", "tiers", "factor"]),
    ("[[tier_bonus]]", &["percent"]),
    ("[tier]", &["measured_over", "applies"]),
    ("[cap]", &["per_cycle", "per_invoice", "per_sku"]),
    ("[limits]", &["accrual", "adjustment"]),
    ("[referral]", &["min_spend", "within_days"]),
    ("[points]", &["rounding", "round_at", "decimals", "value", "expire_after_months"]),
    ("[[example]]", &["sales", "expect"]),
];

/// What to do about a key that `title` does not have.
pub(super) fn help_for_unknown(key: &str, title: &str, known: &[&'static str]) -> String {
    if let Some((home, _)) = HOMES.iter().find(|(home, keys)| *home != title && keys.contains(&key)) {
        return format!("`{key}` belongs in {home}");
    }
    match nearest(key, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "remove it".to_owned(),
        None => format!("known here: {}", known.join(", ")),
    }
}

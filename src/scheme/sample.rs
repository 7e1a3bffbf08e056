//! Scheme texts for the tests of this room.

use super::{Scheme, parse};

/// Two slabs, nothing else that has a default.
pub(super) const SMALL: &str = r#"
[scheme]
id = "lamps"
currency = "INR"
timezone = "Asia/Kolkata"
starts = 2026-04-01

[cycle]
length = "quarter"

[slabs]
mode = "whole"

[[slab]]
from = "5 lakh"
rate = "0.2%"
tier = "Silver"

[[slab]]
from = "8 lakh"
rate = "0.3%"
tier = "Gold"
"#;

/// Every key of interfaces.md 4 that works now, none at its default.
pub(super) const FULL: &str = r#"
[scheme]
id = "lighting-retail"
name = "Lighting Retailer Club"
company = "Example Lighting Ltd"
currency = "inr"
timezone = "Asia/Kolkata"
starts = 2026-04-01
ends = 2027-03-31

[cycle]
length = "half-year"
year_starts = "april"
day_closes_at = "02:00"
post = "continuous"
grace_days = 5
wait_for_files = false
lock_after_days = 180

[earn]
on = "invoice"
measure = "quantity"
payment_tolerance = "0"
statuses = ["approved", "posted"]
return_statuses = ["Returned"]
channels = ["retail"]
partner_classes = ["A", "B"]
payment_methods = ["upi"]
currencies = ["INR", "USD"]
exclude_skus = ["GIFT-*"]
exclude_categories = ["Gifts"]
only_skus = ["L*"]
only_categories = ["Lamps"]
unlisted_skus = "hold"
unlisted_partners = "exclude"
returns = "return-cycle"

[slabs]
mode = "marginal"

[[slab]]
from = "5 lakh"
to = "8 lakh"
rate = "5 per 10"
points = 100

[[slab]]
from = "8 lakh"
rate = "5 per full 10"
cap = "15,000"

[multipliers]
stacking = "product"

[[multiplier]]
name = "LED push"
skus = ["LED-*"]
categories = ["Lamps"]
channels = ["retail"]
tiers = ["Gold"]
from = 2026-10-01
to = 2026-10-31
factor = "1.5"

[[multiplier]]
name = "Diwali"
factor = 2

[[tier_bonus]]
tier = "Gold"
percent = "20%"

[[tier_level]]
name = "Platinum"
from = "1 crore"

[[tier_level]]
name = "Gold"
from = "30 lakh"

[tier]
measured_over = "year-to-date"
applies = "next-cycle"

[cap]
per_cycle = 50000
per_sku = "250"

[limits]
accrual = "1 lakh"

[points]
rounding = "half-even"
round_at = "line"
decimals = 2
value = "0.25"

[[example]]
name = "a Gold half-year"
sales = [{ date = 2026-05-02, sku = "LED-9", quantity = 3, amount = "9 lakh" }]
expect = { points = "2700.5", tier = "Gold" }
cycle = "FY2026-27-H1"
"#;

/// The scheme of a text that has no fault.
pub(super) fn scheme(text: &str) -> Scheme {
    match parse("schemes/sample.toml", text) {
        Ok((scheme, _)) => scheme,
        Err(faults) => panic!("{}", faults.render(false)),
    }
}

/// `text` with one change; the change must change something.
pub(super) fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in the sample");
    text.replacen(from, to, 1)
}

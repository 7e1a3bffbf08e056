//! Statement: entries and positions -> the bytes of each published file (interfaces.md 5).
//!
//! Pure: every renderer appends to a `Vec<u8>` and knows no path. The same values give the same bytes, always.
//!
//! | file | module |
//! | --- | --- |
//! | `summary.csv`, `transactions.csv` | [`papers`], [`transactions`] |
//! | `statement/statement.csv`, `statement/partners/CODE.csv` | [`account`] |
//! | `MANIFEST.csv` | [`manifest`] |
//! | `rejects/FEED/NAME.SHA8.csv` | [`rejects`] |
//! | `balances/INSTANT.csv` | [`balances`] |
//!
//! **How numbers are shown** (plain digits, never grouped, no exponent, no sign on zero):
//! - amounts and quantities that a file said: every digit that counts, amounts with at least two decimals. `100`, `100.0` and
//!   `100.00` are equal as content, so they are shown alike; which of two equal versions came first is not to be seen.
//! - sums and converted amounts: likewise, but what has more than six decimals is shown rounded half-even at six,
//!   with all six.
//! - points of the ledger and of lines: at the scheme's decimals; more only where the value has more.
//! - the steps between (base, multiplier, bonus, capped points): at least the scheme's decimals, exact up to six, else
//!   likewise rounded. They are shown rounded, never used so: `accrued explain` has the exact fractions.
//!
//! Does not: decide an order (callers give partners, entries and lines in order), hash, or write to a disk.

pub mod account;
pub mod balances;
pub mod cell;
pub mod manifest;
pub mod name;
pub mod number;
pub mod papers;
pub mod reading;
pub mod rejects;
pub mod transactions;

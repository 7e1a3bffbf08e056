//! Points as the ledger holds them.

/// Points in millionths: exact for every scheme's `decimals` (0 to 6), summed as integers.
/// Range: about plus or minus 9.2 million million points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Points(pub i64);

impl Points {
    /// no points
    pub const ZERO: Points = Points(0);
    /// how many units make one point
    pub const UNIT: i64 = 1_000_000;
}

//! A small seeded generator, so that a seed alone replays a history on every machine.

/// splitmix64.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).expect("below n")
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for i in (1..list.len()).rev() {
            list.swap(i, self.below(i + 1));
        }
    }
}

/// Whether what is seldom is to be played often (`ACCRUED_OFTEN` is set).
#[allow(dead_code, reason = "each test program uses its own part")]
pub fn raised() -> bool {
    static RAISED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *RAISED.get_or_init(|| std::env::var_os("ACCRUED_OFTEN").is_some())
}

/// How often something is to happen: as usual, or where what is seldom is to be played often.
#[allow(dead_code, reason = "each test program uses its own part")]
pub fn often(usual: usize, often: usize) -> usize {
    if raised() { often } else { usual }
}

//! What feeds do over time, through the binary: files that replace one another, come again, are expected, bring control
//! totals, come packed. One module a subject, in tests/feeds/.

#[path = "feeds/expected.rs"]
mod expected;
#[path = "feeds/freed.rs"]
mod freed;
#[path = "feeds/moved.rs"]
mod moved;
#[path = "feeds/packed.rs"]
mod packed;
#[path = "feeds/redropped.rs"]
mod redropped;
#[path = "feeds/replaced.rs"]
mod replaced;
#[path = "feeds/rig.rs"]
mod rig;
#[path = "feeds/totals.rs"]
mod totals;
#[path = "feeds/waiting.rs"]
mod waiting;

mod support {
    #[allow(dead_code, reason = "each test program uses its own part")]
    pub mod program;
}

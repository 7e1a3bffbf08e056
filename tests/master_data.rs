//! Master data and exchange rates through the binary: which record applies on a day, what waits for one, and that
//! nothing but what they concern moves. One module a subject, in tests/masters/.

#[path = "masters/again.rs"]
mod again;
#[path = "masters/dated.rs"]
mod dated;
#[path = "masters/fx.rs"]
mod fx;
#[path = "masters/local_codes.rs"]
mod local_codes;
#[path = "masters/orders.rs"]
mod orders;
#[path = "support/random.rs"]
mod random;
#[path = "masters/rig.rs"]
mod rig;

mod support {
    #[allow(dead_code, reason = "each test program uses its own part")]
    pub mod program;
}

//! The commands that ops and finance use, through the binary: what they print, where, and how they end. One module a
//! subject, in tests/cli/.

#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/ends.rs"]
mod ends;
#[path = "cli/held.rs"]
mod held;
#[path = "cli/laid_out.rs"]
mod laid_out;
#[path = "cli/layers.rs"]
mod layers;
#[path = "cli/ran.rs"]
mod ran;
#[path = "cli/rig.rs"]
mod rig;
#[path = "cli/standing.rs"]
mod standing;
#[path = "cli/verified.rs"]
mod verified;

mod support {
    pub mod golden;
    #[allow(dead_code, reason = "each test program uses its own part")]
    pub mod program;
}

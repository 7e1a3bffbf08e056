//! `accrued serve` as its users meet it: the real program, a real store, signals and a socket that listens as systemd does.

mod support {
    #[allow(dead_code, reason = "each test program uses its own part")]
    pub mod program;
    #[allow(dead_code, reason = "each test program uses its own part")]
    pub mod random;
    pub mod servers;
    pub mod sshd;
}

mod serve {
    mod ended;
    mod flat;
    mod notified;
    mod rig;
    mod scheduled;
    mod signalled;
    mod wire;
}

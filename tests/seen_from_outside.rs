//! What is seen of runs from outside: metrics, hooks and logs, through the binary. One module a subject, in tests/outside/.

#[path = "outside/hooks.rs"]
mod hooks;
#[path = "outside/logs.rs"]
mod logs;
#[path = "outside/metrics.rs"]
mod metrics;
#[path = "outside/prometheus.rs"]
mod prometheus;
#[path = "cli/rig.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod rig;
#[path = "outside/summary.rs"]
mod summary;

mod support {
    #[allow(dead_code, reason = "each test program uses its own part")]
    pub mod program;
    #[allow(dead_code, reason = "each test program uses its own part")]
    pub mod random;
}

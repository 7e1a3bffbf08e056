//! The naive evaluator judged by hand: the worked cases of evaluation.md 5 and the sentences behind them.

#[path = "mod.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod naive;

mod bench;
mod cases;
mod sentences;

//! Log lines: only when asked for with `-v` or `-vv`, only from our own crates, always on stderr.

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, filter};

use crate::env::Env;

/// Starts logging if `-v` was given: once shows what happens (debug), twice every message (trace).
pub fn install(env: &Env) {
    let level = match env.verbose() {
        0 => return,
        1 => Level::DEBUG,
        _ => Level::TRACE,
    };
    let ours = filter::filter_fn(|metadata| metadata.target().starts_with("swarmlab"));
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(env.err_style().is_on())
        .with_timer(fmt::time::uptime())
        .with_filter(LevelFilter::from_level(level))
        .with_filter(ours);
    // Only fails when a logger is installed already, as in a test that runs a second command.
    let _ = tracing_subscriber::registry().with(lines).try_init();
}

//! Named behaviours of clients: what the engine does, and what a client does beside it with its sockets.

use std::time::Duration;

use swarmlab_protocol::Config;
use swarmlab_protocol::preset::by_name;
pub(crate) use swarmlab_protocol::preset::{NAMES, description};

use super::client::Client;

/// Send buffer where nothing else is said: what Linux gives a connection with a few blocks in flight.
const SEND_BUFFER: u32 = 64 << 10;

/// How long a client takes to start where nothing else is said: sixteen started at one time by a program, on two processors,
/// were all there after 53 ms.
const START_UP: Duration = Duration::from_millis(50);

/// The client of a preset; `None` if there is none of this name.
pub(crate) fn client(name: &str) -> Option<Client> {
    let preset = NAMES.iter().find(|known| **known == name)?;
    let base = Client { config: by_name(name)?, ..unknown(preset) };
    Some(match name.starts_with("transmission") {
        true => transmission(base),
        false => base,
    })
}

/// A client of which nothing is known.
pub(crate) fn unknown(preset: &'static str) -> Client {
    Client {
        preset,
        config: Config::default(),
        send_buffer: SEND_BUFFER,
        send_ahead: 0,
        pulse: Duration::ZERO,
        start_up: START_UP,
    }
}

/// Transmission fills a buffer of its own with 15 s of its rate (`getDesiredOutputBufferSize` in `peer-io.c`), which is more
/// than the 10 s a remote asks for: so with all that is asked. From there its sockets get 3,000 bytes at a time in turn
/// (`tr_bandwidthAllocate`), so that blocks leave one by one, each on another connection. It looks after its connections every
/// 500 ms (`BANDWIDTH_PERIOD_MSEC` in `peer-mgr.c`).
fn transmission(base: Client) -> Client {
    Client { send_buffer: 16 << 10, send_ahead: 64 << 20, pulse: Duration::from_millis(500), ..base }
}

//! One page that watches a run: what it is sent over its WebSocket, and what it may ask. Binary messages are frames of the
//! trace, text messages are JSON: the state of the run to the page, wishes about its pace from the page.

use std::fs::File;
use std::io;
use std::sync::Arc;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::feed::{Feed, Next, Place, next, read};
use crate::pace::{Do, Pace, Speed, Told};

/// Longest message of a page in bytes; its wishes have about thirty.
const LONGEST_WISH: usize = 1024;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Serves a page until it leaves.
pub(crate) async fn serve(io: Upgraded, feed: Arc<Feed>, pace: Option<Arc<Pace>>) {
    let config =
        WebSocketConfig::default().max_message_size(Some(LONGEST_WISH)).max_frame_size(Some(LONGEST_WISH));
    let socket = Socket::from_raw_socket(TokioIo::new(io), Role::Server, Some(config)).await;
    let (sink, stream) = socket.split();
    let _attendance = pace.as_ref().map(Pace::attend);
    let told = pace.as_ref().map(|pace| pace.told());
    // Whichever ends first has lost the page. An error says no more than that.
    tokio::select! {
        _ = listen(stream, pace.as_deref()) => {}
        _ = send(sink, &feed, told) => {}
    }
}

/// Takes the wishes of a page until it leaves. What is no wish, or cannot be granted, is passed over.
async fn listen(mut stream: SplitStream<Socket>, pace: Option<&Pace>) -> Result<(), Error> {
    while let Some(message) = stream.next().await {
        if let (Message::Text(text), Some(pace)) = (message?, pace)
            && let Some(wish) = wish(&text)
        {
            pace.ask(wish);
        }
    }
    Ok(())
}

/// Sends frames and states until the page leaves or has everything.
async fn send(
    mut sink: SplitSink<Socket, Message>,
    feed: &Feed,
    mut told: Option<watch::Receiver<Told>>,
) -> Result<(), Error> {
    let file = Arc::new(File::open(feed.path())?);
    let mut written = feed.written();
    let mut at = Place::default();
    let mut state = State::default();
    let mut shown = None;
    loop {
        let now = *written.borrow_and_update();
        let step = next(at, &now);
        state.set(told.as_mut().map(|told| *told.borrow_and_update()), now.ended && step == Next::Wait);
        match step {
            Next::Part(from, to) => {
                let file = file.clone();
                let part =
                    spawn_blocking(move || read(&file, from, to)).await.map_err(io::Error::other)??;
                at = Place { offset: at.offset + part.bytes.len() as u64, frames: at.frames + part.frames };
                state.at_us = part.at.unwrap_or(state.at_us);
                sink.send(Message::binary(part.bytes)).await?;
            }
            Next::Skip(place) => {
                state.dropped += place.frames - at.frames;
                at = place;
                // Before the keyframe, so that the page can tell the gap from a keyframe that follows on.
                sink.send(Message::text(state.json())).await?;
            }
            Next::Wait => {
                // Where a page is, it knows: that alone is not worth a message.
                let news = State { at_us: 0, ..state };
                if shown != Some(news) {
                    shown = Some(news);
                    sink.send(Message::text(state.json())).await?;
                }
                if now.ended {
                    return sink.close().await;
                }
                let paced = async {
                    match &mut told {
                        Some(told) => _ = told.changed().await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    changed = written.changed() => changed.map_err(io::Error::other)?,
                    () = paced => {}
                }
            }
        }
    }
}

/// What a page is told of the run it watches.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
struct State {
    state: &'static str,
    /// Times as fast as time passes; 0 is as fast as it goes.
    speed: f64,
    /// Where the page is, in microseconds of the run.
    at_us: u64,
    /// How many frames it was not sent because it was too far behind.
    dropped: u64,
}

impl Default for State {
    fn default() -> State {
        State { state: "running", speed: 1.0, at_us: 0, dropped: 0 }
    }
}

impl State {
    fn set(&mut self, told: Option<Told>, ended: bool) {
        self.state = match told {
            _ if ended => "ended",
            Some(told) if told.paused => "paused",
            _ => "running",
        };
        self.speed = told.map_or(self.speed, |told| told.speed.times());
    }

    fn json(self) -> String {
        serde_json::to_string(&self).unwrap_or_default()
    }
}

/// What a page sends.
#[derive(Deserialize)]
struct Wish {
    #[serde(rename = "do")]
    what: String,
    value: Option<f64>,
}

/// What a page asks for, if it can be granted.
fn wish(text: &str) -> Option<Do> {
    let wish: Wish = serde_json::from_str(text).ok()?;
    Some(match (wish.what.as_str(), wish.value) {
        ("pause", _) => Do::Pause,
        ("play", _) => Do::Play,
        ("step", _) => Do::Step,
        ("speed", Some(times)) => Do::Speed(Speed::from_times(times)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read() {
        let table = [
            (r#"{"do":"pause"}"#, Some(Do::Pause)),
            (r#"{"do":"play","more":1}"#, Some(Do::Play)),
            (r#"{"do":"step"}"#, Some(Do::Step)),
            (r#"{"do":"speed","value":2.5}"#, Some(Do::Speed(Speed(2_500)))),
            (r#"{"do":"speed","value":0}"#, Some(Do::Speed(Speed::FULL))),
            (r#"{"do":"speed","value":-1}"#, None),
            (r#"{"do":"speed"}"#, None),
            (r#"{"do":"leave"}"#, None),
            ("pause", None),
        ];
        for (text, expected) in table {
            assert_eq!(wish(text), expected, "{text}");
        }
    }

    #[test]
    fn a_state_is_as_pages_expect_it() {
        let mut state = State::default();
        state.set(Some(Told { paused: true, speed: Speed(500) }), false);
        assert_eq!(state.json(), r#"{"state":"paused","speed":0.5,"at_us":0,"dropped":0}"#);
        state.set(None, true);
        assert_eq!(state.state, "ended");
    }
}

//! The numbers of the format for reasons and the like, with the names that `swarmlab replay` prints.

use swarmlab_protocol::{
    AnnounceEvent, ChokeReason, CloseReason, Direction, Misbehaviour, PickReason, UnchokeReason,
};

use crate::encode::kind;
use crate::{Closing, Departure, FaultKind, Level, Outcome, Phase};

/// The values of a field: number, value, name.
#[derive(Debug)]
pub struct Table<T: 'static>(&'static [(u8, T, &'static str)]);

impl<T: Copy + PartialEq> Table<T> {
    /// The number of a value; every value is in its table.
    pub fn number(&self, value: T) -> u8 {
        self.row(value).map_or(u8::MAX, |row| row.0)
    }

    /// The value of a number, if it has one.
    pub fn value(&self, number: u8) -> Option<T> {
        self.0.iter().find(|row| row.0 == number).map(|row| row.1)
    }

    /// The name of a value.
    pub fn name(&self, value: T) -> &'static str {
        self.row(value).map_or("", |row| row.2)
    }

    fn row(&self, value: T) -> Option<&'static (u8, T, &'static str)> {
        self.0.iter().find(|row| row.1 == value)
    }
}

/// Tables with a row for each value: where one is missing this does not compile.
macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident: $type:ty = [$($number:literal [$($value:tt)+] $word:literal),* $(,)?];)*) => {
        $(
            $(#[$doc])*
            pub const $name: Table<$type> = Table(&[$(($number, $($value)+, $word)),*]);
            const _: fn($type) = |value| match value {
                $($($value)+ => (),)*
            };
        )*
    };
}

tables! {
    /// How much of a node is recorded.
    LEVELS: Level = [
        0 [Level::Seen] "seen",
        1 [Level::Life] "life",
        2 [Level::Pieces] "pieces",
        3 [Level::Messages] "messages",
    ];

    /// Why a node has gone.
    DEPARTURES: Departure = [
        0 [Departure::Done] "done",
        1 [Departure::Crashed] "crashed",
        2 [Departure::GaveUp] "gave up",
        3 [Departure::Lost] "lost from sight",
    ];

    /// Who opened a link.
    DIRECTIONS: Direction = [0 [Direction::Incoming] "incoming", 1 [Direction::Outgoing] "outgoing"];

    /// Why a link is no more.
    CLOSINGS: Closing = [
        0 [Closing::Remote] "the remote closed it or it broke",
        1 [Closing::By(CloseReason::Banned)] "bad piece",
        2 [Closing::By(CloseReason::Duplicate)] "duplicate",
        3 [Closing::By(CloseReason::Full)] "full",
        4 [Closing::By(CloseReason::Idle)] "idle",
        5 [Closing::By(CloseReason::BothSeeds)] "both seeds",
        6 [Closing::By(CloseReason::Useless)] "useless",
        7 [Closing::By(CloseReason::Disk)] "disk",
        8 [Closing::By(CloseReason::Stopping)] "leaving",
        9 [Closing::Gone] "this node is gone",
        16 [Closing::By(CloseReason::Misbehaved(Misbehaviour::PieceOutOfRange))] "piece out of range",
        17 [Closing::By(CloseReason::Misbehaved(Misbehaviour::ShrunkenBitfield))] "shrunken bitfield",
        18 [Closing::By(CloseReason::Misbehaved(Misbehaviour::MalformedBitfield))] "malformed bitfield",
        19 [Closing::By(CloseReason::Misbehaved(Misbehaviour::BadRequest))] "bad request",
        20 [Closing::By(CloseReason::Misbehaved(Misbehaviour::UnagreedExtension))] "unagreed extension",
        21 [Closing::By(CloseReason::Misbehaved(Misbehaviour::UnrequestedData))] "unrequested data",
        22 [Closing::By(CloseReason::Misbehaved(Misbehaviour::Flood))] "flood",
    ];

    /// Why a remote was unchoked.
    UNCHOKES: UnchokeReason = [
        0 [UnchokeReason::Regular] "regular",
        1 [UnchokeReason::Optimistic] "optimistic",
        2 [UnchokeReason::FastUninterested] "fast but not interested",
    ];

    /// Why a remote was choked.
    CHOKES: ChokeReason = [
        0 [ChokeReason::Outranked] "outranked",
        1 [ChokeReason::Snubbed] "snubbed",
        2 [ChokeReason::NotInterested] "not interested",
    ];

    /// Why a piece was begun.
    PICKS: PickReason = [
        0 [PickReason::RandomFirst] "random first",
        1 [PickReason::RarestFirst] "rarest first",
        2 [PickReason::Random] "random",
        3 [PickReason::Sequential] "sequential",
        4 [PickReason::Edge] "first or last",
    ];

    /// What an announce says.
    EVENTS: AnnounceEvent = [
        0 [AnnounceEvent::None] "none",
        1 [AnnounceEvent::Started] "started",
        2 [AnnounceEvent::Completed] "completed",
        3 [AnnounceEvent::Stopped] "stopped",
    ];

    /// What came of an announce.
    OUTCOMES: Outcome = [
        0 [Outcome::Answered] "answered",
        1 [Outcome::Unreachable] "unreachable",
        2 [Outcome::Refused] "refused",
    ];

    /// What can be made to go wrong.
    FAULTS: FaultKind = [
        0 [FaultKind::TrackerDown] "tracker down",
        1 [FaultKind::Partition] "partition",
        2 [FaultKind::Reset] "reset",
        3 [FaultKind::Crash] "crash",
        4 [FaultKind::DiskSlow] "disk slow",
        5 [FaultKind::DiskFull] "disk full",
    ];

    /// Whether a fault begins or ends.
    PHASES: Phase = [0 [Phase::Begins] "begins", 1 [Phase::Ends] "ends", 2 [Phase::AtOnce] "at once"];
}

/// Kinds of records.
pub const RECORDS: Table<u8> = Table(&[
    (kind::JOIN, kind::JOIN, "join"),
    (kind::LEAVE, kind::LEAVE, "leave"),
    (kind::DIAL, kind::DIAL, "dial"),
    (kind::DIAL_FAILED, kind::DIAL_FAILED, "dial failed"),
    (kind::OPENED, kind::OPENED, "opened"),
    (kind::CLOSED, kind::CLOSED, "closed"),
    (kind::SENT, kind::SENT, "sent"),
    (kind::RECEIVED, kind::RECEIVED, "received"),
    (kind::UNCHOKED, kind::UNCHOKED, "unchoked"),
    (kind::CHOKED, kind::CHOKED, "choked"),
    (kind::PICKED, kind::PICKED, "picked"),
    (kind::SNUBBED, kind::SNUBBED, "snubbed"),
    (kind::BANNED, kind::BANNED, "banned"),
    (kind::ENDGAME, kind::ENDGAME, "endgame"),
    (kind::VERIFIED, kind::VERIFIED, "verified"),
    (kind::COMPLETED, kind::COMPLETED, "completed"),
    (kind::ANNOUNCE, kind::ANNOUNCE, "announce"),
    (kind::REPLY, kind::REPLY, "reply"),
    (kind::FAULT, kind::FAULT, "fault"),
    (kind::SAMPLE, kind::SAMPLE, "sample"),
    (kind::LOST, kind::LOST, "lost"),
]);

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::*;

    #[test]
    fn numbers_and_values_go_there_and_back() {
        fn check<T: Copy + PartialEq + Debug>(table: &Table<T>) {
            for &(number, value, name) in table.0 {
                assert_eq!((table.number(value), table.value(number)), (number, Some(value)));
                assert_eq!(table.name(value), name);
            }
            assert_eq!(table.value(u8::MAX), None);
        }
        check(&LEVELS);
        check(&DEPARTURES);
        check(&DIRECTIONS);
        check(&CLOSINGS);
        check(&UNCHOKES);
        check(&CHOKES);
        check(&PICKS);
        check(&EVENTS);
        check(&OUTCOMES);
        check(&FAULTS);
        check(&PHASES);
        check(&RECORDS);
    }
}

//! Exit statuses: the fixed numbers that scripts test for.

use std::process::ExitCode;

use crate::stop::Signal;

/// How a command ended, when it ended without an error to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: failed while working.
    Failed,
    /// 2: wrong usage, or an invalid scenario or torrent.
    Usage,
    /// 3: data did not verify.
    Unverified,
    /// 4: ended unfinished.
    Unfinished,
    /// 5: an expectation written in the scenario was not met.
    Unmet,
    /// 130 or 143: interrupted by a signal.
    Interrupted(Signal),
}

impl Exit {
    /// Every status with what it means, in order: the table in the man page and in the long help.
    pub const TABLE: [(u8, &'static str); 8] = [
        (0, "done"),
        (1, "failed while working"),
        (2, "wrong usage, or an invalid scenario, torrent or input"),
        (3, "data did not verify"),
        (4, "ended unfinished"),
        (5, "an expectation written in the scenario was not met"),
        (130, "interrupted by Ctrl-C (SIGINT)"),
        (143, "interrupted by SIGTERM"),
    ];

    /// The number the process exits with.
    pub const fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Unverified => 3,
            Exit::Unfinished => 4,
            Exit::Unmet => 5,
            Exit::Interrupted(signal) => signal.exit_code(),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_in_the_table_once() {
        let all = [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::Unverified,
            Exit::Unfinished,
            Exit::Unmet,
            Exit::Interrupted(Signal::Interrupt),
            Exit::Interrupted(Signal::Terminate),
        ];
        assert_eq!(all.map(Exit::code), Exit::TABLE.map(|(code, _)| code));
    }
}

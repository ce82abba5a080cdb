//! The commands. To add one: write `commands/NAME.rs` with a `clap::Args` struct that has
//! `run(self, env: &Env) -> Result<Exit, Error>`, then name it twice below. Its help comes from the struct's doc comment.

mod compare;
mod completions;
mod create;
mod decode;
mod demo;
mod download;
mod fuzz;
mod lesson;
mod man;
mod replay;
mod report;
mod scenario;
mod seed;
mod share;
mod show;
mod sim;
mod swarm;
mod testbed;
mod tracker;
mod verify;
mod watch;

use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;

macro_rules! commands {
    ($($name:ident($arguments:ty)),* $(,)?) => {
        /// What to do, with its flags.
        #[derive(Debug, clap::Subcommand)]
        #[allow(missing_docs)] // each is explained at its struct
        pub enum Command {
            $($name($arguments),)*
        }

        impl Command {
            /// Does it.
            ///
            /// # Errors
            /// Whatever keeps the command from its result, ready to be shown to the user.
            pub fn run(self, env: &Env) -> Result<Exit, Error> {
                match self {
                    $(Command::$name(command) => command.run(env),)*
                }
            }
        }
    };
}

// In the order of the help.
commands! {
    Demo(demo::Demo),
    Create(create::Create),
    Show(show::Show),
    Verify(verify::Verify),
    Tracker(tracker::Tracker),
    Seed(seed::Seed),
    Download(download::Download),
    Share(share::Share),
    Swarm(swarm::Swarm),
    Sim(sim::Sim),
    Watch(watch::Watch),
    Replay(replay::Replay),
    Report(report::Report),
    Testbed(testbed::Testbed),
    Compare(compare::Compare),
    Lesson(lesson::LessonCommand),
    Scenario(scenario::ScenarioCommand),
    Fuzz(fuzz::Fuzz),
    Decode(decode::Decode),
    Completions(completions::Completions),
    Man(man::Man),
}

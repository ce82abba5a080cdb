//! `swarmlab completions`: the script that completes our commands in a shell.

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::args::Cli;
use crate::env::Env;
use crate::error::Error;
use crate::exit::Exit;

/// Print the completion script of a shell
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  swarmlab completions bash > /etc/bash_completion.d/swarmlab
  swarmlab completions zsh > ~/.zfunc/_swarmlab
  swarmlab completions fish > ~/.config/fish/completions/swarmlab.fish")]
pub struct Completions {
    /// Which shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, env: &Env) -> Result<Exit, Error> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "swarmlab", &mut script);
        env.print(&script)?;
        Ok(Exit::Done)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::run;

    #[test]
    fn scripts_know_the_commands() {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let outcome = run(&["completions", shell]);
            assert_eq!(outcome.status, 0);
            assert!(outcome.stdout.contains("completions"), "{shell}");
        }
    }
}

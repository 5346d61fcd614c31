//! The command line.

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    commands::{
        ask, balance, governance, key, market, miner, model, module, network, session, space, stake, task, tools,
        validator,
    },
    context::{Context, Options},
    error::Error,
    output::Output,
};

/// The client of Ensemble, a network on which people and machines offer models, train them together and ask them.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "ensemble",
    version,
    max_term_width = 110,
    after_help = "Example: ensemble --key //Alice stake add gpt-of-alice 100TUNE\n\
                  Each option is also read from the environment: ENSEMBLE_URL, ENSEMBLE_KEY, and so on."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Group,

    /// How to do it.
    #[command(flatten)]
    pub options: Options,
}

/// The groups of commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Group {
    /// Keys on this machine: make, import, list, export, remove
    #[command(subcommand, after_help = "Example: ensemble key create miner --password-file ~/.password")]
    Key(key::Command),

    /// TUNE of accounts: show and send
    #[command(
        subcommand,
        after_help = "Example: ensemble balance transfer 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty 1.5TUNE"
    )]
    Balance(balance::Command),

    /// Stake on modules: add, remove, move, rewards
    #[command(subcommand, after_help = "Example: ensemble stake add gpt-of-alice 100TUNE --key miner")]
    Stake(stake::Command),

    /// The registry of modules: register, find, update, transfer
    #[command(
        subcommand,
        after_help = "Example: ensemble module register gpt-of-alice --endpoint https://alice.example/v1 --key miner"
    )]
    Module(module::Command),

    /// Serve a model, answer tasks: join, run, status, scores
    #[command(subcommand, after_help = "Example: ensemble miner join gpt-of-alice --key miner")]
    Miner(miner::Command),

    /// Score miners: join, leave, status, scores
    #[command(subcommand, after_help = "Example: ensemble validator join judge-of-bob --types chat --key judge")]
    Validator(validator::Command),

    /// Agree on tensors and bytes: create, commit, reveal, fetch
    #[command(subcommand, after_help = "Example: ensemble task commit 7 embeddings.npy --key miner")]
    Task(task::Command),

    /// Tables of many people made one: list, show, create
    #[command(subcommand, after_help = "Example: ensemble space nearest 0 king --count 3")]
    Space(space::Command),

    /// Models that the network serves: import, register, list, show
    #[command(subcommand, after_help = "Example: ensemble model import SmolLM2-135M-Instruct.Q4_1.gguf --out smollm2")]
    Model(model::Command),

    /// Ask a model, and print the answer as it comes
    #[command(after_help = "Example: ensemble ask 0 \"What is a blockchain?\" --tokens 60 --key wallet")]
    Ask(ask::Ask),

    /// Questions that are being answered, and what they cost
    #[command(subcommand, after_help = "Example: ensemble session quote 0 --tokens 200")]
    Session(session::Command),

    /// Calls of modules and access to contributions: find, sell, buy, use
    #[command(subcommand, after_help = "Example: ensemble market buy gpt-of-alice 10 --with tune --key wallet")]
    Market(market::Command),

    /// Referenda: what is decided, vote, delegate
    #[command(subcommand, after_help = "Example: ensemble governance vote 3 aye 100TUNE --conviction 2 --key wallet")]
    Governance(governance::Command),

    /// The network: status, epoch, supply, APR, parameters
    #[command(subcommand, after_help = "Example: ensemble network status --url ws://127.0.0.1:9944")]
    Network(network::Command),

    /// Print a script that completes commands in a shell
    #[command(after_help = "Example: ensemble completion bash > ~/.local/share/bash-completion/completions/ensemble")]
    Completion(tools::Completion),

    /// Write a manual page for each command
    #[command(after_help = "Example: ensemble man ~/.local/share/man/man1")]
    Man(tools::Man),

    /// Write the shapes of all answers as JSON schemas
    #[command(hide = true, after_help = "Example: ensemble schemas client/schemas")]
    Schemas(tools::Schemas),
}

impl Group {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// If something goes wrong; the error says what to do about it.
    pub async fn run(self, context: &Context) -> Result<Output, Error> {
        match self {
            Self::Key(command) => command.run(context),
            Self::Balance(command) => command.run(context).await,
            Self::Stake(command) => command.run(context).await,
            Self::Module(command) => command.run(context).await,
            Self::Miner(command) => command.run(context).await,
            Self::Validator(command) => command.run(context).await,
            Self::Task(command) => command.run(context).await,
            Self::Space(command) => command.run(context).await,
            Self::Model(command) => command.run(context).await,
            Self::Ask(command) => command.run(context).await,
            Self::Session(command) => command.run(context).await,
            Self::Market(command) => command.run(context).await,
            Self::Governance(command) => command.run(context).await,
            Self::Network(command) => command.run(context).await,
            Self::Completion(command) => command.run(&mut Cli::command()),
            Self::Man(command) => command.run(&Cli::command()),
            Self::Schemas(command) => command.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of a screen.
    const SCREEN: usize = 50;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn each_help_fits_a_screen_and_has_one_example() {
        let mut root = Cli::command();
        root.build();
        let groups: Vec<_> = root.get_subcommands().filter(|group| group.get_name() != "help").cloned().collect();
        for mut command in [root].into_iter().chain(groups) {
            let name = command.get_name().to_owned();
            let help = command.render_help().to_string();
            let lines = help.lines().count();
            assert!(lines <= SCREEN, "the help of {name} has {lines} lines:\n{help}");
            assert_eq!(help.matches("Example: ").count(), 1, "the help of {name}:\n{help}");
        }
    }

    #[test]
    fn examples_are_understood() {
        let mut root = Cli::command();
        root.build();
        let helps = std::iter::once(&root).chain(root.get_subcommands()).filter_map(|command| command.get_after_help());
        let mut seen = 0;
        for help in helps {
            let help = help.to_string();
            let example = help.lines().find_map(|line| line.strip_prefix("Example: ")).expect("has one");
            Cli::try_parse_from(words(example.split(" > ").next().unwrap_or_default()))
                .unwrap_or_else(|error| panic!("{example}: {error}"));
            seen += 1;
        }
        assert!(seen > 10, "{seen} examples");
    }

    /// The words of a command line, of which some stand in quotation marks.
    fn words(line: &str) -> Vec<String> {
        let mut words = Vec::new();
        for (place, piece) in line.split('"').enumerate() {
            match place % 2 {
                0 => words.extend(piece.split_whitespace().map(str::to_owned)),
                _ => words.push(piece.to_owned()),
            }
        }
        words
    }

    #[test]
    fn no_option_shows_a_password() {
        let mut root = Cli::command();
        root.build();
        for group in root.get_subcommands() {
            for command in group.get_subcommands() {
                let mut names = command.get_arguments().filter_map(|argument| argument.get_long());
                assert!(names.all(|name| name != "password" && name != "phrase"), "{}", command.get_name());
            }
        }
    }
}

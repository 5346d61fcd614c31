//! What all commands share: options, the connection, keys, and asking whether to go on.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
};

use clap::builder::FalseyValueParser;

use crate::{
    chain::{AccountId32, H256},
    commitments::Commitments,
    connection::Connection,
    error::Error,
    keys::{self, Key, Password, Scheme, Store},
};

/// Options of every command.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Options {
    /// The node to talk to
    #[arg(long, global = true, env = "ENSEMBLE_URL", hide_env = true, default_value = crate::connection::DEFAULT_URL)]
    pub url: String,

    /// The key to sign with: a name of `key list`, or //Alice on a development chain
    #[arg(long, global = true, env = "ENSEMBLE_KEY", hide_env = true, value_name = "NAME")]
    pub key: Option<String>,

    /// A file whose first line is the key's password, which is asked for otherwise
    #[arg(long, global = true, env = "ENSEMBLE_PASSWORD_FILE", hide_env = true, value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    /// The folder of keys, ~/.config/ensemble/keys if not given
    #[arg(long, global = true, env = "ENSEMBLE_KEYS", hide_env = true, value_name = "FOLDER")]
    pub keys: Option<PathBuf>,

    /// The folder of salts of commitments, ~/.local/state/ensemble if not given
    #[arg(long, global = true, env = "ENSEMBLE_STATE", hide_env = true, value_name = "FOLDER")]
    pub state: Option<PathBuf>,

    /// Refuse a node whose chain begins with another block
    #[arg(long, global = true, env = "ENSEMBLE_GENESIS", hide_env = true, value_name = "HASH", value_parser = hash)]
    pub genesis: Option<H256>,

    /// Print JSON, of the shapes in client/schemas
    #[arg(long, global = true, env = "ENSEMBLE_JSON", hide_env = true, value_parser = FalseyValueParser::new())]
    pub json: bool,

    /// Send without asking
    #[arg(long, short, global = true, env = "ENSEMBLE_YES", hide_env = true, value_parser = FalseyValueParser::new())]
    pub yes: bool,
}

/// What all commands share.
#[derive(Clone, Debug)]
pub struct Context {
    /// What the command line says.
    pub options: Options,
}

/// Reads `0x` and 64 hexadecimal digits.
///
/// # Errors
///
/// If it is anything else.
pub fn hash(text: &str) -> Result<H256, String> {
    let mut hash = H256::zero();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode_to_slice(digits, hash.as_bytes_mut())
        .map_err(|_| "expected 0x and 64 hexadecimal digits".to_owned())?;
    Ok(hash)
}

impl Context {
    /// Connects to the node.
    ///
    /// # Errors
    ///
    /// If none answers, or one of another network.
    pub async fn connect(&self) -> Result<Connection, Error> {
        Connection::open(&self.options.url, self.options.genesis).await
    }

    /// The folder of keys.
    pub fn store(&self) -> Store {
        Store::new(self.options.keys.clone().unwrap_or_else(Store::default_folder))
    }

    /// The folder of what programs must not forget.
    pub fn state_folder(&self) -> PathBuf {
        self.options.state.clone().unwrap_or_else(Commitments::default_folder)
    }

    /// The folder of openings of commitments.
    pub fn commitments(&self) -> Commitments {
        Commitments::new(self.state_folder())
    }

    /// Where passwords come from.
    pub fn password(&self) -> Password {
        Password { file: self.options.password_file.clone() }
    }

    /// The key to sign with, opened.
    ///
    /// # Errors
    ///
    /// If none is named, its password is wrong, or everybody knows it and the chain is no development chain.
    pub fn signer(&self, connection: &Connection) -> Result<Key, Error> {
        let name = self.options.key.as_deref().ok_or(Error::NoKey)?;
        if keys::is_development(name) {
            if !connection.identity().is_development {
                return Err(Error::WrongNetwork {
                    message: format!(
                        "everybody knows the key {name}, and `{}` is no development chain",
                        connection.identity().chain
                    ),
                    remedy: "use a key of your own; `ensemble key create NAME` makes one",
                });
            }
            return Key::from_uri(Scheme::Sr25519, &keys::parse_uri(name)?);
        }
        let store = self.store();
        let file = store.get(name)?;
        check_chain(name, file.meta.genesis_hash.as_deref(), connection)?;
        store.open(name, &self.password().of(name)?)
    }

    /// The account that somebody means: an address, the name of a key, `//Alice`; without any, that of `--key`.
    ///
    /// # Errors
    ///
    /// If it is none of these.
    pub fn account(&self, named: Option<&str>) -> Result<AccountId32, Error> {
        let name = named.or(self.options.key.as_deref()).ok_or_else(|| Error::Usage {
            message: "the command needs an account".into(),
            remedy: "give an address or the name of a key, or --key".into(),
        })?;
        if keys::is_development(name) {
            return Ok(Key::from_uri(Scheme::Sr25519, &keys::parse_uri(name)?)?.account());
        }
        if let Ok(account) = name.parse() {
            return Ok(account);
        }
        self.store().get(name)?.account()
    }

    /// Shows what is about to happen, and asks whether to go on unless `--yes` was given.
    ///
    /// # Errors
    ///
    /// If the answer is no, or nobody can be asked.
    pub fn confirm(&self, plan: &[String]) -> Result<(), Error> {
        if self.options.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            return Err(Error::NotConfirmed("there is no terminal to ask on"));
        }
        for line in plan {
            eprintln!("{line}");
        }
        eprint!("Go ahead? [y/N] ");
        // What cannot be shown is answered with no.
        let _ = io::stderr().flush();
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        match answer.trim() {
            "y" | "Y" | "yes" if read.is_ok() => Ok(()),
            _ => Err(Error::NotConfirmed("you said no")),
        }
    }
}

/// Refuses a key that its owner made for another chain.
fn check_chain(name: &str, genesis: Option<&str>, connection: &Connection) -> Result<(), Error> {
    let meant = genesis.filter(|genesis| !genesis.is_empty()).and_then(|genesis| hash(genesis).ok());
    match meant {
        Some(meant) if meant != connection.identity().genesis => Err(Error::WrongNetwork {
            message: format!("the key `{name}` is for another chain than `{}`", connection.identity().chain),
            remedy: "use another key, or name a node of that chain with --url",
        }),
        _ => Ok(()),
    }
}

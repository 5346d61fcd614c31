//! `ensemble key`: keys on this machine. None of these commands needs a node.

use std::{
    fs,
    io::{self, IsTerminal, Read},
    path::PathBuf,
};

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    context::Context,
    error::Error,
    keys::{self, Key, KeyFile, Scheme},
    output::Output,
    views::hex_text,
};

/// What can be done with keys.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Make a key, and show its phrase once
    Create {
        /// What it is to be called here
        name: String,
        /// How it signs
        #[arg(long, value_enum, default_value_t)]
        scheme: Scheme,
        /// Write the phrase to a new file instead of showing it
        #[arg(long, value_name = "FILE")]
        phrase_file: Option<PathBuf>,
    },

    /// Take over a key: its phrase, asked for or from standard input, or a file of polkadot.js
    Import {
        /// What it is to be called here
        name: String,
        /// How it signs; a file of polkadot.js says so itself
        #[arg(long, value_enum, default_value_t)]
        scheme: Scheme,
        /// The JSON file that polkadot.js exported; its password stays
        #[arg(long, value_name = "FILE")]
        json_file: Option<PathBuf>,
    },

    /// Name all keys
    List,

    /// Show the account and the public key of a key
    Show {
        /// Its name
        name: String,
    },

    /// Write a key, still encrypted, to a file that polkadot.js imports
    Export {
        /// Its name
        name: String,
        /// The new file
        file: PathBuf,
    },

    /// Remove a key from this machine, for good
    Remove {
        /// Its name
        name: String,
    },
}

/// A key.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyView {
    /// What it is called here.
    pub name: String,
    /// The address of its account.
    pub address: String,
    /// Its public key.
    pub public_key: String,
    /// How it signs.
    pub scheme: Scheme,
}

/// A key that was exported or removed.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct KeyDone {
    /// The key.
    pub name: String,
    /// What became of it.
    pub done: String,
    /// The file that was written.
    pub file: Option<String>,
}

impl KeyView {
    fn new(name: &str, file: &KeyFile) -> Result<Self, Error> {
        let account = file.account()?;
        Ok(Self {
            name: name.into(),
            address: account.to_string(),
            public_key: hex_text(&account.0),
            scheme: file.scheme()?,
        })
    }
}

impl Command {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// If a key is not there or there already, or a password is wrong.
    pub fn run(self, context: &Context) -> Result<Output, Error> {
        let store = context.store();
        match self {
            Self::Create { name, scheme, phrase_file } => create(context, &name, scheme, phrase_file),
            Self::Import { name, scheme, json_file: None } => import_phrase(context, &name, scheme),
            Self::Import { name, json_file: Some(path), .. } => import_file(context, &name, path),
            Self::List => {
                let keys = store.list()?;
                let views: Vec<KeyView> =
                    keys.iter().map(|(name, file)| KeyView::new(name, file)).collect::<Result<_, _>>()?;
                Output::of(&views)
            },
            Self::Show { name } => Output::of(&KeyView::new(&name, &store.get(&name)?)?),
            Self::Export { name, file } => {
                keys::write_new(&file, &store.get(&name)?)?;
                done(name, "exported", Some(file))
            },
            Self::Remove { name } => {
                let address = store.get(&name)?.account()?;
                let warning = format!("removes the key of {address}; without its phrase or a copy it is lost");
                context.confirm(&[format!("effect   {warning}")])?;
                store.remove(&name)?;
                done(name, "removed", None)
            },
        }
    }
}

fn done(name: String, done: &str, file: Option<PathBuf>) -> Result<Output, Error> {
    Output::of(&KeyDone { name, done: done.into(), file: file.map(|file| file.display().to_string()) })
}

fn create(context: &Context, name: &str, scheme: Scheme, phrase_file: Option<PathBuf>) -> Result<Output, Error> {
    context.store().check_free(name)?;
    let phrase = keys::generate_phrase()?;
    // Before the key is kept: a phrase that nobody saw is a key that nobody can bring back.
    match phrase_file {
        Some(path) => write_phrase(&path, &phrase)?,
        None => show_phrase(name, &phrase)?,
    }
    keep(context, name, scheme, &phrase)
}

/// Shows a new phrase on the terminal alone, so that it gets into no file or pipe by mistake.
fn show_phrase(name: &str, phrase: &SecretString) -> Result<(), Error> {
    if !io::stderr().is_terminal() {
        return Err(Error::Usage {
            message: "there is no terminal to show the phrase on".into(),
            remedy: "give --phrase-file".into(),
        });
    }
    eprintln!("The phrase of {name}, which brings the key back. Write it down, and show it to nobody:");
    eprintln!("\n    {}\n", phrase.expose_secret());
    Ok(())
}

fn write_phrase(path: &PathBuf, phrase: &SecretString) -> Result<(), Error> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};

    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(Error::write(path))?;
    writeln!(file, "{}", phrase.expose_secret()).map_err(Error::write(path))
}

fn import_phrase(context: &Context, name: &str, scheme: Scheme) -> Result<Output, Error> {
    context.store().check_free(name)?;
    let phrase = if io::stdin().is_terminal() {
        keys::ask("Phrase, or 0x and a seed: ")?
    } else {
        let mut text = Zeroizing::new(String::new());
        io::stdin().read_to_string(&mut text).map_err(Error::read("standard input"))?;
        SecretString::from(text.trim())
    };
    let text = phrase.expose_secret();
    if text.is_empty() || text.starts_with('/') {
        return Err(Error::BadKey {
            message: "there is no phrase before the path: everybody knows that key".into(),
            remedy: "give the phrase too; for a development chain, --key //Alice needs no import".into(),
        });
    }
    keep(context, name, scheme, &phrase)
}

fn import_file(context: &Context, name: &str, path: PathBuf) -> Result<Output, Error> {
    let store = context.store();
    store.check_free(name)?;
    let text = fs::read_to_string(&path).map_err(Error::read(&path))?;
    let mut file = KeyFile::parse(&text)?;
    // Opened once, so that nobody finds out later that the password is another.
    keys::decrypt(&file, name, &context.password().of(name)?)?;
    file.meta.name = name.into();
    store.add(name, &file)?;
    Output::of(&KeyView::new(name, &file)?)
}

fn keep(context: &Context, name: &str, scheme: Scheme, phrase: &SecretString) -> Result<Output, Error> {
    let key = Key::from_uri(scheme, &keys::parse_uri(phrase.expose_secret())?)?;
    let file = keys::encrypt(&key, name, &context.password().new_for(name)?)?;
    context.store().add(name, &file)?;
    Output::of(&KeyView::new(name, &file)?)
}

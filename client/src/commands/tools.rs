//! What shells and manuals need of the command line.

use std::{fs, path::PathBuf};

use clap_complete::Shell;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{error::Error, output::Output, schemas};

/// `ensemble completion`.
#[derive(Clone, Debug, clap::Args)]
pub struct Completion {
    /// The shell
    pub shell: Shell,
}

/// `ensemble man`.
#[derive(Clone, Debug, clap::Args)]
pub struct Man {
    /// The folder for the pages
    pub folder: PathBuf,
}

/// `ensemble schemas`.
#[derive(Clone, Debug, clap::Args)]
pub struct Schemas {
    /// The folder for the schemas
    pub folder: PathBuf,
}

/// Files that were written.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Written {
    /// Their number.
    pub files: usize,
    /// Where they are.
    pub folder: String,
}

/// A script for a shell.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Script {
    /// The shell.
    pub shell: String,
    /// The script.
    pub script: String,
}

impl Completion {
    /// Makes the script.
    ///
    /// # Errors
    ///
    /// None that is expected.
    pub fn run(self, command: &mut clap::Command) -> Result<Output, Error> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, "ensemble", &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        let answer = Script { shell: self.shell.to_string(), script };
        Ok(Output::of(&answer)?.with_text(answer.script))
    }
}

impl Man {
    /// Writes a page for each command, and one for the whole.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn run(self, command: &clap::Command) -> Result<Output, Error> {
        fs::create_dir_all(&self.folder).map_err(Error::write(&self.folder))?;
        let mut command = command.clone();
        command.build();
        let files = write_pages(&command, "ensemble", &self.folder)?;
        Output::of(&Written { files, folder: self.folder.display().to_string() })
    }
}

fn write_pages(command: &clap::Command, name: &str, folder: &std::path::Path) -> Result<usize, Error> {
    let path = folder.join(format!("{name}.1"));
    let mut page = Vec::new();
    let titled = command.clone().name(name.to_owned());
    clap_mangen::Man::new(titled).render(&mut page).map_err(Error::write(&path))?;
    fs::write(&path, page).map_err(Error::write(&path))?;
    let mut files = 1;
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help") {
        files += write_pages(inner, &format!("{name}-{}", inner.get_name()), folder)?;
    }
    Ok(files)
}

impl Schemas {
    /// Writes a schema for each answer.
    ///
    /// # Errors
    ///
    /// If a file cannot be written.
    pub fn run(self) -> Result<Output, Error> {
        fs::create_dir_all(&self.folder).map_err(Error::write(&self.folder))?;
        let all = schemas::all();
        for (name, schema) in &all {
            let path = self.folder.join(format!("{name}.json"));
            fs::write(&path, schema).map_err(Error::write(&path))?;
        }
        Output::of(&Written { files: all.len(), folder: self.folder.display().to_string() })
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn each_command_has_a_page() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        Man { folder: folder.path().into() }.run(&Cli::command()).expect("is written");
        let page = fs::read_to_string(folder.path().join("ensemble-stake-add.1")).expect("is there");
        assert!(page.contains("Stake TUNE on a module"), "{page}");
    }

    #[test]
    fn shells_complete_commands() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let output = Completion { shell }.run(&mut Cli::command()).expect("is made");
            assert!(format!("{output:?}").contains("validator"), "{shell}");
        }
    }
}

//! Where contributions come from.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{error::Error, plugin::Plugin, views::tasks::TaskView};

/// Where contributions come from.
#[derive(Clone, Debug)]
pub enum Answers {
    /// A command that gets the task as JSON, and prints the path of a file, or nothing to leave the task to others.
    Command(Plugin),
    /// A folder with files named by the numbers of tasks, with or without an ending.
    Folder(PathBuf),
}

/// What is contributed to a task.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// This file.
    File(PathBuf),
    /// Nothing yet.
    NotYet,
    /// Nothing, ever.
    Nothing,
}

impl Answers {
    /// The contribution to a task.
    ///
    /// # Errors
    ///
    /// If the command fails or prints more than a path, or the folder cannot be read.
    pub async fn to(&self, task: &TaskView) -> Result<Answer, Error> {
        match self {
            Self::Command(plugin) => {
                let printed = plugin.ask(task).await?;
                path_of(&printed).map_err(|message| plugin.failed(message))
            },
            Self::Folder(folder) => in_folder(folder, task.task),
        }
    }
}

/// The path that a command printed.
fn path_of(printed: &[u8]) -> Result<Answer, &'static str> {
    let text = std::str::from_utf8(printed).map_err(|_| "what it printed is no text")?.trim();
    match text.lines().count() {
        0 => Ok(Answer::Nothing),
        1 => Ok(Answer::File(text.into())),
        _ => Err("it printed more than the path of a file"),
    }
}

/// The first file that is named by a number.
fn in_folder(folder: &Path, task: u32) -> Result<Answer, Error> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(Error::read(folder))? {
        let path = entry.map_err(Error::read(folder))?.path();
        if path.file_stem().is_some_and(|stem| stem == task.to_string().as_str()) {
            found.push(path);
        }
    }
    Ok(found.into_iter().min().map_or(Answer::NotYet, Answer::File))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_prints_a_path_or_nothing() {
        assert_eq!(path_of(b"/tmp/a b.npy\n"), Ok(Answer::File("/tmp/a b.npy".into())));
        assert_eq!(path_of(b"\n"), Ok(Answer::Nothing));
        assert!(path_of(b"a\nb").is_err());
        assert!(path_of(b"\xff").is_err());
    }

    #[test]
    fn a_folder_has_files_by_their_tasks() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for name in ["7.npy", "70", "x7", "8"] {
            fs::write(folder.path().join(name), "").expect("is written");
        }
        assert_eq!(in_folder(folder.path(), 7).expect("is read"), Answer::File(folder.path().join("7.npy")));
        assert_eq!(in_folder(folder.path(), 8).expect("is read"), Answer::File(folder.path().join("8")));
        assert_eq!(in_folder(folder.path(), 9).expect("is read"), Answer::NotYet);
        assert!(in_folder(&folder.path().join("none"), 9).is_err());
    }
}

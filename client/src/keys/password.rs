//! Passwords: typed, or in a file.

use std::{
    fs,
    io::{self, IsTerminal},
    path::PathBuf,
};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::error::Error;

/// Where passwords come from.
#[derive(Clone, Debug, Default)]
pub struct Password {
    /// A file whose first line is the password; without it, it is asked for.
    pub file: Option<PathBuf>,
}

impl Password {
    /// The password of a key that there is.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or nobody can be asked.
    pub fn of(&self, name: &str) -> Result<SecretString, Error> {
        match &self.file {
            Some(_) => self.read(),
            None => ask(&format!("Password of {name}: ")),
        }
    }

    /// The password of a key that is to be, which is asked for twice.
    ///
    /// # Errors
    ///
    /// As [`Self::of`], and if it is empty, or typed differently the second time.
    pub fn new_for(&self, name: &str) -> Result<SecretString, Error> {
        let password = match &self.file {
            Some(_) => self.read()?,
            None => {
                let first = ask(&format!("New password of {name}: "))?;
                let second = ask("Again: ")?;
                if first.expose_secret() != second.expose_secret() {
                    return Err(usage("the passwords differ", "try again"));
                }
                first
            },
        };
        if password.expose_secret().is_empty() {
            return Err(usage("the password is empty", "choose one that is hard to guess"));
        }
        Ok(password)
    }

    fn read(&self) -> Result<SecretString, Error> {
        let path = self.file.clone().unwrap_or_default();
        let text = Zeroizing::new(fs::read_to_string(&path).map_err(Error::read(&path))?);
        Ok(SecretString::from(text.lines().next().unwrap_or_default()))
    }
}

/// Asks for something that is not shown while it is typed.
///
/// # Errors
///
/// If there is no terminal to ask on.
pub fn ask(prompt: &str) -> Result<SecretString, Error> {
    if !io::stdin().is_terminal() {
        return Err(usage("there is no terminal to ask for a password on", "give --password-file"));
    }
    let typed = rpassword::prompt_password(prompt).map_err(|error| Error::Other(error.to_string()))?;
    Ok(SecretString::from(typed))
}

fn usage(message: &str, remedy: &str) -> Error {
    Error::Usage { message: message.into(), remedy: remedy.into() }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn password(content: &str) -> (tempfile::NamedTempFile, Password) {
        let mut file = tempfile::NamedTempFile::new().expect("a file can be made");
        file.write_all(content.as_bytes()).expect("it can be written");
        let password = Password { file: Some(file.path().into()) };
        (file, password)
    }

    #[test]
    fn the_first_line_of_a_file_is_the_password() {
        let (_file, password) = password("correct horse\nsecond line\n");
        assert_eq!(password.of("key").expect("is read").expose_secret(), "correct horse");
    }

    #[test]
    fn an_empty_password_is_refused_for_new_keys() {
        let (_file, password) = password("\n");
        assert!(password.new_for("key").is_err());
    }

    #[test]
    fn a_file_that_is_not_there_is_an_error_with_its_name() {
        let password = Password { file: Some("/nowhere/password".into()) };
        let line = password.of("key").expect_err("is not there").line();
        assert!(line.contains("/nowhere/password"), "{line}");
    }
}

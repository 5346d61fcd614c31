//! Which token each row of a table stands for.

use ensemble_core::spaces::MAX_ROWS;

/// Tokens, one a line.
pub struct Vocabulary {
    text: Vec<u8>,
    /// Where each line ends, the line feed not counted.
    ends: Vec<u32>,
}

impl Vocabulary {
    /// Reads a vocabulary of less than 4 GiB. A line feed ends a line; one at the end of the text begins no further one.
    /// Lines for which no table has rows are left out.
    pub fn new(text: Vec<u8>) -> Self {
        let feeds = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
        let last = (!text.is_empty() && !text.ends_with(b"\n")).then_some(text.len());
        let ends = feeds.chain(last).filter_map(|end| u32::try_from(end).ok()).take(MAX_ROWS as usize).collect();
        Self { text, ends }
    }

    /// Bytes that it takes.
    pub fn bytes(&self) -> u64 {
        self.text.len() as u64 + 4 * self.ends.len() as u64
    }

    /// The token of a row. Bytes that are no UTF-8 show as U+FFFD.
    pub fn token(&self, row: u32) -> Option<String> {
        let line = self.line(usize::try_from(row).ok()?)?;
        Some(String::from_utf8_lossy(line).into_owned())
    }

    /// The first row with this token.
    pub fn row(&self, token: &str) -> Option<u32> {
        self.lines().position(|line| line == token.as_bytes()).and_then(|row| u32::try_from(row).ok())
    }

    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map(|line| self.line(line).unwrap_or_default())
    }

    fn line(&self, number: usize) -> Option<&[u8]> {
        let end = *self.ends.get(number)? as usize;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end as usize + 1);
        self.text.get(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &[u8]) -> Vec<String> {
        let vocabulary = Vocabulary::new(text.to_vec());
        (0..).map_while(|row| vocabulary.token(row)).collect()
    }

    #[test]
    fn each_line_is_a_token() {
        assert_eq!(tokens(b"a\n\nb c\n"), ["a", "", "b c"]);
        assert_eq!(tokens(b"a\nb"), ["a", "b"]);
        assert_eq!(tokens(b"\n"), [""]);
        assert_eq!(tokens(b"a\r\n\xff\n"), ["a\r", "\u{fffd}"]);
        assert!(tokens(b"").is_empty());
    }

    #[test]
    fn lines_without_rows_are_left_out() {
        let vocabulary = Vocabulary::new(vec![b'\n'; MAX_ROWS as usize + 7]);
        assert_eq!(vocabulary.token(MAX_ROWS - 1), Some(String::new()));
        assert_eq!(vocabulary.token(MAX_ROWS), None);
        assert_eq!(vocabulary.bytes(), u64::from(MAX_ROWS) * 5 + 7);
    }

    #[test]
    fn a_token_is_found_byte_by_byte_in_its_first_row() {
        let vocabulary = Vocabulary::new("x\nthe\nThe\nthe\n".into());
        assert_eq!((vocabulary.row("the"), vocabulary.row("The")), (Some(1), Some(2)));
        assert_eq!((vocabulary.row("th"), vocabulary.row("")), (None, None));
    }
}

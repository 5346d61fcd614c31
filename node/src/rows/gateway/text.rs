//! Text of tokens as they come.

use crate::rows::model::Model;

/// Tokens that are waited for to make a whole character.
const MAX_PENDING: usize = 8;

/// Tokens whose text is not whole yet.
#[derive(Default)]
pub struct Text(Vec<u32>);

impl Text {
    /// What a token adds to the text: nothing while it ends in the middle of a character that may still be completed.
    pub fn push(&mut self, model: &dyn Model, token: u32, is_last: bool) -> String {
        self.0.push(token);
        let text = model.text(&self.0);
        let is_cut = text.ends_with(char::REPLACEMENT_CHARACTER);
        if is_cut && !is_last && self.0.len() < MAX_PENDING {
            return String::new();
        }
        self.0.clear();
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::tests::tiny::{Tiny, HALVES};

    /// What each token adds.
    fn pieces(tokens: &[u32]) -> Vec<String> {
        let (model, mut text) = (Tiny::new(1), Text::default());
        let last = tokens.len() - 1;
        tokens.iter().enumerate().map(|(place, token)| text.push(&model, *token, place == last)).collect()
    }

    #[test]
    fn a_character_of_two_tokens_comes_whole() {
        let [first, second] = HALVES;
        assert_eq!(pieces(&[1, first, second, 2]), ["B", "", "é", "C"]);
    }

    #[test]
    fn what_is_no_character_is_replaced_in_the_end() {
        let [first, _] = HALVES;
        assert_eq!(pieces(&[1, first]), ["B", "\u{fffd}"]);
        assert_eq!(pieces(&[first, 1, 2]), ["", "\u{fffd}B", "C"]);
        let many = pieces(&[first; 10]);
        assert_eq!(many[7], "\u{fffd}".repeat(8));
        assert_eq!(many[9], "\u{fffd}".repeat(2));
    }
}

//! What is looked up.

use std::fmt;

use ensemble_core::spaces::MAX_COLS;
use serde::{
    de::{Error, SeqAccess, Visitor},
    Deserialize, Deserializer,
};

/// What is looked up: in JSON a number, a text, or a list of numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Query {
    /// The row with this number.
    Row(u32),
    /// The row of this token.
    Token(String),
    /// A vector, in any unit: only where it points matters.
    Vector(Vec<i16>),
}

impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Query;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the number of a row, the text of a token, or 1 to {MAX_COLS} integers from -32768 to 32767")
    }

    fn visit_u64<E: Error>(self, row: u64) -> Result<Query, E> {
        // A row that no table can have is refused as one that this table has not.
        Ok(Query::Row(u32::try_from(row).unwrap_or(u32::MAX)))
    }

    fn visit_str<E: Error>(self, token: &str) -> Result<Query, E> {
        Ok(Query::Token(token.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Query, A::Error> {
        let mut vector = Vec::new();
        // The reader's own errors do not say what would be right.
        let no_number = |_| A::Error::custom("a vector is made of integers from -32768 to 32767");
        while let Some(number) = numbers.next_element().map_err(no_number)? {
            if vector.len() >= MAX_COLS as usize {
                return Err(A::Error::invalid_length(vector.len() + 1, &self));
            }
            vector.push(number);
        }
        Ok(Query::Vector(vector))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn numbers_texts_and_lists_are_told_apart() {
        let read = |value| from_value::<Query>(value).unwrap();
        assert_eq!(read(json!(7)), Query::Row(7));
        assert_eq!(read(json!(u64::MAX)), Query::Row(u32::MAX));
        assert_eq!(read(json!("7")), Query::Token("7".into()));
        assert_eq!(read(json!([])), Query::Vector(Vec::new()));
        assert_eq!(read(json!([-32768, 0, 32767])), Query::Vector(vec![i16::MIN, 0, i16::MAX]));
        assert_eq!(read(json!(vec![1; 1024])), Query::Vector(vec![1; 1024]));
    }

    #[test]
    fn all_else_is_refused() {
        let fails = |value| from_value::<Query>(value).unwrap_err().to_string();
        for value in [json!(-1), json!(0.5), json!(null), json!({ "row": 1 }), json!(true)] {
            assert!(fails(value).contains("the number of a row, the text of a token, or 1 to 1024 integers"));
        }
        for value in [json!([32768]), json!([0.5]), json!(["1"])] {
            assert!(fails(value).contains("a vector is made of integers from -32768 to 32767"));
        }
        assert!(fails(json!(vec![1; 1025])).contains("invalid length 1025"));
    }
}

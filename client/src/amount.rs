//! Amounts of TUNE, as people write and read them.

use std::{fmt, str::FromStr};

use schemars::{json_schema, JsonSchema, Schema, SchemaGenerator};
use serde::{ser::SerializeStruct, Serialize, Serializer};

/// One TUNE, in planck.
pub const TUNE: u128 = 1_000_000_000_000;

/// Decimal places of a TUNE.
const PLACES: usize = 12;

/// Units that may stand after a number, with what one of each is in planck. Longer ones come before those that they end
/// in.
const UNITS: [(&str, u32); 5] = [("mTUNE", 9), ("uTUNE", 6), ("kTUNE", 15), ("TUNE", 12), ("planck", 0)];

/// An amount of TUNE.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct Amount {
    /// In planck; 10^12 planck are 1 TUNE.
    pub planck: u128,
}

impl Amount {
    /// So many planck.
    pub const fn planck(planck: u128) -> Self {
        Self { planck }
    }
}

/// Why a text is no amount.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AmountError {
    /// There is no number, or it has something else in it.
    #[error("`{0}` is no amount; write for example 1.5, 1.5TUNE, 10mTUNE or 250planck")]
    Malformed(String),
    /// It has parts of a planck.
    #[error("`{0}` has parts of a planck, of which 10^12 are a TUNE")]
    TooFine(String),
    /// There is not so much.
    #[error("`{0}` is more than there can be")]
    TooLarge(String),
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let malformed = || AmountError::Malformed(text.into());
        let trimmed = text.trim();
        let (number, exponent) = UNITS
            .iter()
            .find_map(|(unit, exponent)| Some((trimmed.strip_suffix(unit)?.trim_end(), *exponent)))
            .unwrap_or((trimmed, 12));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
        let has_point = number.contains('.');
        if whole.is_empty() || (has_point && fraction.is_empty()) || !is_number(whole) || !is_number(fraction) {
            return Err(malformed());
        }
        let fraction = fraction.trim_end_matches('0');
        let zeros = (exponent as usize).checked_sub(fraction.len()).ok_or_else(|| AmountError::TooFine(text.into()))?;
        let digits = format!("{whole}{fraction}{}", "0".repeat(zeros));
        let planck = digits.parse().map_err(|_| AmountError::TooLarge(text.into()))?;
        Ok(Self { planck })
    }
}

impl Amount {
    /// In TUNE, without the unit and without zeros at the end.
    fn tune(&self) -> String {
        let (whole, rest) = (self.planck / TUNE, self.planck % TUNE);
        let fraction = format!("{rest:0PLACES$}");
        match fraction.trim_end_matches('0') {
            "" => whole.to_string(),
            fraction => format!("{whole}.{fraction}"),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} TUNE", self.tune())
    }
}

/// In JSON, the planck for programs and the TUNE for people, both as texts: JSON's numbers are too small.
impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Amount", 2)?;
        fields.serialize_field("planck", &self.planck.to_string())?;
        fields.serialize_field("tune", &self.tune())?;
        fields.end()
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "An amount of TUNE; 10^12 planck are 1 TUNE.",
            "properties": {
                "planck": { "type": "string", "pattern": "^[0-9]+$" },
                "tune": { "type": "string", "pattern": "^[0-9]+([.][0-9]+)?$" }
            },
            "required": ["planck", "tune"],
            "additionalProperties": false
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn planck(text: &str) -> Result<u128, AmountError> {
        text.parse::<Amount>().map(|amount| amount.planck)
    }

    #[test]
    fn units_are_understood() {
        let cases = [
            ("1.5", 1_500_000_000_000),
            ("1.5TUNE", 1_500_000_000_000),
            ("1.5 TUNE", 1_500_000_000_000),
            ("10mTUNE", 10_000_000_000),
            ("2kTUNE", 2_000 * TUNE),
            ("3uTUNE", 3_000_000),
            ("250planck", 250),
            ("0.000000000001", 1),
            ("1.000000000000000", TUNE),
            ("0", 0),
        ];
        for (text, expected) in cases {
            assert_eq!(planck(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "TUNE", "1,5", "-1", "1.", ".5", "1e3", "0x10", "1.5DOT", "1.5tune", "1..5"] {
            assert_eq!(planck(text), Err(AmountError::Malformed(text.into())), "{text}");
        }
        for text in ["0.0000000000001", "1.5planck", "0.0000000001mTUNE"] {
            assert_eq!(planck(text), Err(AmountError::TooFine(text.into())), "{text}");
        }
        let most = format!("{}planck", u128::MAX);
        assert_eq!(planck(&most), Ok(u128::MAX));
        assert_eq!(planck(&format!("1{most}")), Err(AmountError::TooLarge(format!("1{most}"))));
        assert_eq!(
            planck("340282366920938463463374608"),
            Err(AmountError::TooLarge("340282366920938463463374608".into()))
        );
    }

    #[test]
    fn amounts_are_written_without_needless_zeros() {
        let cases = [(0, "0 TUNE"), (1, "0.000000000001 TUNE"), (TUNE, "1 TUNE"), (15 * TUNE / 10, "1.5 TUNE")];
        for (planck, text) in cases {
            assert_eq!(Amount::planck(planck).to_string(), text);
        }
        let json = serde_json::to_value(Amount::planck(15 * TUNE / 10)).expect("is JSON");
        assert_eq!(json, serde_json::json!({ "planck": "1500000000000", "tune": "1.5" }));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(planck: u128) {
            let amount = Amount::planck(planck);
            prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
        }
    }
}

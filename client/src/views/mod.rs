//! What commands answer: the chain's records with names for numbers, amounts in both units, hashes as texts. Their JSON
//! is of a stable shape, which `client/schemas` describes; what the chain adds is added, what it drops stays as `null`.

pub mod balances;
pub mod governance;
pub mod inference;
pub mod market;
pub mod modules;
pub mod network;
pub mod spaces;
pub mod stake;
pub mod subnet;
pub mod tasks;

/// A part counted in millionths, as a number from 0 to 1.
pub fn part(millionths: u32) -> f64 {
    f64::from(millionths) / 1e6
}

/// A number with 18 decimal places.
pub fn fixed(number: u128) -> f64 {
    number as f64 / 1e18
}

/// Bytes in hexadecimal.
pub fn hex_text(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

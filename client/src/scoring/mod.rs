//! Scoring: what `ensemble validator run` is made of.
//!
//! | module | what it holds |
//! |---|---|
//! | [`args`] | the command's options |
//! | [`cases`] | what miners are asked, from a file |
//! | [`address`], [`caller`] | calling endpoints of strangers safely |
//! | [`quality`] | how good an answer is, by comparing or by a plug-in |
//! | [`formula`] | one score of many measurements |
//! | [`measure`] | asking all miners, within bounds |
//! | [`sealed`] | scores sealed for the chain |
//! | [`clock`] | where an epoch stands |
//! | [`rounds`] | what is to be done in each block |
//! | [`run`] | the program |
//! | [`events`] | what it tells |

pub mod address;
pub mod args;
pub mod caller;
pub mod cases;
pub mod clock;
pub mod events;
pub mod formula;
pub mod measure;
pub mod quality;
pub mod rounds;
pub mod run;
pub mod sealed;

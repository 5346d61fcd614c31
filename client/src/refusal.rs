//! What the chain says when it refuses a transaction, with what to do about it.

use std::fmt;

use subxt::error::DispatchError;

use crate::error::Kind;

/// Why the chain refused a transaction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The pallet, or the sort of error if it is none of a pallet's own.
    pub pallet: String,
    /// The error's name.
    pub name: String,
    /// What it means, in the words of the chain's metadata.
    pub docs: String,
}

impl Refusal {
    /// What an error of the chain says.
    pub fn of(error: &DispatchError) -> Self {
        let plain = |pallet: &str, name: String| Self { pallet: pallet.into(), name, docs: error.to_string() };
        match error {
            DispatchError::Module(module) => match module.details() {
                Ok(details) => Self {
                    pallet: details.pallet.name().into(),
                    name: details.variant.name.clone(),
                    docs: details.variant.docs.join(" ").trim().into(),
                },
                Err(reason) => Self { pallet: "Unknown".into(), name: "Unknown".into(), docs: reason.to_string() },
            },
            DispatchError::Token(token) => plain("Token", format!("{token:?}")),
            DispatchError::Arithmetic(arithmetic) => plain("Arithmetic", format!("{arithmetic:?}")),
            other => plain("Runtime", format!("{other:?}")),
        }
    }

    /// Of which sort it is.
    pub fn kind(&self) -> Kind {
        let name = self.name.as_str();
        if POOR.contains(&name) {
            return Kind::NoFunds;
        }
        if name.starts_with("NotYour") || OTHERS.contains(&name) {
            return Kind::NotYours;
        }
        if name.starts_with("Unknown") {
            return Kind::NotFound;
        }
        Kind::Refused
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        let known = REMEDIES
            .iter()
            .find(|(pallet, name, _)| *name == self.name && (*pallet == self.pallet || pallet.is_empty()));
        if let Some((_, _, remedy)) = known {
            return (*remedy).into();
        }
        match self.kind() {
            Kind::NoFunds => "send the account more TUNE; `ensemble balance show` says what it has".into(),
            Kind::NotYours => "sign with the owner's key, by --key".into(),
            Kind::NotFound => "look the number up with the `list` command of the group".into(),
            _ => "change what the message names, and try again".into(),
        }
    }
}

/// Names of errors that say that an account cannot pay.
const POOR: [&str; 10] = [
    "CannotPay",
    "CannotBond",
    "InsufficientBalance",
    "InsufficientFunds",
    "FundsUnavailable",
    "TooFewCredits",
    "BalanceLow",
    "Expendability",
    "NotExpendable",
    "Frozen",
];

/// Names of errors that say that it is somebody else's.
const OTHERS: [&str; 7] =
    ["NotOwner", "NotParentOwner", "NotTruthOwner", "NotCreator", "NotRegistrant", "NotOffered", "NotInCommittee"];

/// What to do about errors of which more can be said: the pallet (any, if empty), the name, the remedy.
const REMEDIES: [(&str, &str, &str); 53] = [
    ("Stake", "BelowMinimum", "stake at least 0.1 TUNE, or take all of it away"),
    ("Stake", "MoreThanStaked", "`ensemble stake list` says what is staked"),
    ("Stake", "NothingStaked", "`ensemble stake list` says on which modules the account has staked"),
    ("Stake", "NothingDue", "`ensemble stake list` says when it can be withdrawn"),
    ("Stake", "StillLiable", "wait until the block that `ensemble stake list` names"),
    ("Stake", "TooManyUnbondings", "withdraw what is ready with `ensemble stake withdraw`"),
    ("Modules", "PriceAboveMax", "raise --max-price; `ensemble module price NAME` says what it costs"),
    ("Modules", "NameTaken", "choose another name; `ensemble module price NAME` says whether one is free"),
    ("Modules", "NameReserved", "wait until the block that `ensemble module price NAME` names, or choose another name"),
    ("Modules", "UnknownParent", "register the name before the last dot first"),
    ("Modules", "Offered", "end the offer with `ensemble module transfer MODULE --cancel`"),
    ("Modules", "HasChildren", "remove the modules in its namespace first; `ensemble module list` finds them"),
    ("Modules", "UnknownType", "`ensemble module types` names the types"),
    ("Matching", "HasMiners", "switch it off with `ensemble validator pause`, and wait until it has no miners"),
    ("Matching", "StillLeaving", "wait for a block and try again"),
    ("Tasks", "NotCommitting", "`ensemble task show` says in which phase the task is"),
    ("Tasks", "NotRevealing", "`ensemble task show` says in which phase the task is"),
    ("Tasks", "WrongBond", "`ensemble task show` says what the bond is"),
    ("Tasks", "WrongOpening", "reveal the file that was committed, with the salt of that time"),
    ("Scores", "NotCommitPhase", "wait for the next epoch; `ensemble network epoch` says when it begins"),
    ("Scores", "NotRevealPhase", "wait for the end of the epoch; `ensemble network epoch` says when it begins"),
    ("Inference", "ConsentExpired", "ask again"),
    ("Inference", "NotAGateway", "ask the node of a worker that agrees to be a gateway, with --url"),
    ("Inference", "AlreadyAWorker", "`ensemble model worker` says for which model; `ensemble model leave` ends it"),
    ("Inference", "NotAWorker", "become one with `ensemble miner run --model MODEL`"),
    ("Inference", "KeyTaken", "another account has announced this key: use an account of your own"),
    ("Inference", "NotYourKey", "sign with the account that the worker is to be, by --key"),
    ("Inference", "InvalidPeer", "use a node whose peer id is that of an Ed25519 key, with --url"),
    ("Inference", "BondTooLow", "raise --bond, or leave it away for the least that the chain takes"),
    ("Inference", "TooManyWorkers", "serve another model, or wait until a worker leaves"),
    ("Inference", "AlreadyLeaving", "`ensemble model worker` says when the bond can be withdrawn"),
    ("Inference", "NotLeaving", "leave first with `ensemble model leave`"),
    ("Inference", "TooEarly", "wait until the block that `ensemble model worker` names"),
    ("Inference", "InSessions", "wait until the sessions that `ensemble model worker` counts are over"),
    ("Market", "AlreadyListed", "change its terms with `ensemble market update`"),
    (
        "Market",
        "NotListed",
        "`ensemble market show` says whether it serves and how it was scored; others are in `market list`",
    ),
    ("Market", "WrongWay", "`ensemble market price` says how it can be paid; choose one with --with"),
    ("Market", "Underpaid", "the price has changed: try again"),
    ("Market", "TollAboveMax", "the toll has changed: try again"),
    ("Market", "NotForSale", "`ensemble market sale` says what the shareholders ask"),
    ("Market", "NotOffering", "offer shares with `ensemble market sell` first"),
    ("ConvictionVoting", "NotOngoing", "`ensemble governance list` names the referenda that are not over"),
    ("ConvictionVoting", "AlreadyDelegating", "vote oneself again with `ensemble governance undelegate`"),
    ("ConvictionVoting", "AlreadyVoting", "take the votes on the track back with `ensemble governance remove-vote`"),
    ("ConvictionVoting", "NotDelegating", "`ensemble governance votes` says to whom the account delegates"),
    ("ConvictionVoting", "NoPermissionYet", "`ensemble governance votes` says until which block it is held"),
    ("Validators", "NotValidator", "make it one with `ensemble validator join`"),
    (
        "Validators",
        "NoSessionKeys",
        "set some with `ensemble validator set-keys`, on the machine of the validator's node",
    ),
    ("Validators", "StakeTooLow", "stake more on it; `ensemble network validators` says how much is needed"),
    ("Validators", "StandsElsewhere", "`ensemble validator chill` the other module first"),
    ("Validators", "NotStanding", "`ensemble network validators` lists the modules that stand"),
    ("Session", "InvalidProof", "run `ensemble validator set-keys` with the key of the account that will stand"),
    ("", "BadOrigin", "sign with the key that has the right to do this"),
];

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let docs = self.docs.trim_end_matches('.');
        write!(f, "the chain refuses it, {}.{}: {docs}", self.pallet, self.name)
    }
}

#[cfg(test)]
mod tests {
    use subxt::error::TokenError;

    use super::*;

    fn refusal(pallet: &str, name: &str) -> Refusal {
        Refusal { pallet: pallet.into(), name: name.into(), docs: "Only the module's owner may do this.".into() }
    }

    #[test]
    fn kinds_follow_from_names() {
        let cases = [
            ("Modules", "NotOwner", Kind::NotYours),
            ("Inference", "NotYourKey", Kind::NotYours),
            ("Stake", "CannotPay", Kind::NoFunds),
            ("Token", "FundsUnavailable", Kind::NoFunds),
            ("Tasks", "UnknownTask", Kind::NotFound),
            ("Tasks", "TaskFull", Kind::Refused),
        ];
        for (pallet, name, kind) in cases {
            assert_eq!(refusal(pallet, name).kind(), kind, "{pallet}.{name}");
        }
    }

    #[test]
    fn remedies_are_of_errors_that_there_are() {
        let metadata = <subxt::Metadata as codec::Decode>::decode(&mut &*crate::chain::METADATA).expect("is metadata");
        for (pallet, name, _) in REMEDIES.iter().filter(|(pallet, _, _)| !pallet.is_empty()) {
            let errors = metadata.pallet_by_name(pallet).and_then(|pallet| pallet.error_variants());
            let is_there = errors.is_some_and(|errors| errors.iter().any(|error| error.name == *name));
            assert!(is_there, "{pallet}.{name} is no error of the chain");
        }
    }

    #[test]
    fn a_refusal_names_the_error_and_says_what_it_means() {
        let refusal = refusal("Modules", "NotOwner");
        assert_eq!(refusal.to_string(), "the chain refuses it, Modules.NotOwner: Only the module's owner may do this");
        assert_eq!(refusal.remedy(), "sign with the owner's key, by --key");
    }

    #[test]
    fn errors_of_the_runtime_have_a_name() {
        let refusal = Refusal::of(&DispatchError::Token(TokenError::FundsUnavailable));
        assert_eq!((refusal.pallet.as_str(), refusal.name.as_str()), ("Token", "FundsUnavailable"));
        assert_eq!(Refusal::of(&DispatchError::BadOrigin).remedy(), "sign with the key that has the right to do this");
    }
}

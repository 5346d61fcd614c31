//! What can go wrong: one line each, what to do about it, and an exit code for scripts.

use std::{io, path::PathBuf};

use subxt::{
    error::{
        BackendError, BlocksError, ConstantError, DispatchError, ExtrinsicError, OnlineClientAtBlockError,
        OnlineClientError, RpcError, RuntimeApiError, StorageError, TransactionEventsError, TransactionProgressError,
    },
    rpcs,
};

use crate::refusal::Refusal;

/// Sorts of errors. Each has a name for programs and an exit code, which never change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Anything that has no code of its own.
    Failed,
    /// The command line is not understood.
    Usage,
    /// No node answers, or the connection was lost.
    NoNode,
    /// The node belongs to another network.
    WrongNetwork,
    /// Client and node do not understand each other: one of them is older.
    OldMetadata,
    /// The password does not open the key.
    WrongPassword,
    /// There is no such key, or it cannot be used.
    Key,
    /// The account cannot pay.
    NoFunds,
    /// It belongs to somebody else.
    NotYours,
    /// There is nothing of that number or name.
    NotFound,
    /// The chain refused for another reason.
    Refused,
    /// A file cannot be read or written, or is not what it should be.
    File,
    /// Nobody agreed to go on.
    NotConfirmed,
    /// Nothing came of it in time.
    Timeout,
    /// The node refused a call.
    NodeRefused,
}

impl Kind {
    /// All of them, in the order of their exit codes.
    pub const ALL: [Self; 15] = [
        Self::Failed,
        Self::Usage,
        Self::NoNode,
        Self::WrongNetwork,
        Self::OldMetadata,
        Self::WrongPassword,
        Self::Key,
        Self::NoFunds,
        Self::NotYours,
        Self::NotFound,
        Self::Refused,
        Self::File,
        Self::NotConfirmed,
        Self::Timeout,
        Self::NodeRefused,
    ];

    /// What the process ends with.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NoNode => 3,
            Self::WrongNetwork => 4,
            Self::OldMetadata => 5,
            Self::WrongPassword => 6,
            Self::Key => 7,
            Self::NoFunds => 8,
            Self::NotYours => 9,
            Self::NotFound => 10,
            Self::Refused => 11,
            Self::File => 12,
            Self::NotConfirmed => 13,
            Self::Timeout => 14,
            Self::NodeRefused => 15,
        }
    }

    /// What programs know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NoNode => "no-node",
            Self::WrongNetwork => "wrong-network",
            Self::OldMetadata => "old-metadata",
            Self::WrongPassword => "wrong-password",
            Self::Key => "key",
            Self::NoFunds => "no-funds",
            Self::NotYours => "not-yours",
            Self::NotFound => "not-found",
            Self::Refused => "refused",
            Self::File => "file",
            Self::NotConfirmed => "not-confirmed",
            Self::Timeout => "timeout",
            Self::NodeRefused => "node-refused",
        }
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line asks for something that makes no sense.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// No node answers.
    #[error("no node answers at {url}: {reason}")]
    NoNode {
        /// Where it should be.
        url: String,
        /// What the system says.
        reason: String,
    },
    /// The connection was lost in the middle.
    #[error("the connection to the node was lost: {0}")]
    Disconnected(String),
    /// The node is not one of the network that is meant.
    #[error("{message}")]
    WrongNetwork {
        /// What is wrong.
        message: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Client and node differ.
    #[error("this client and the node's runtime differ in what the command needs ({0})")]
    OldMetadata(String),
    /// A password that does not open the key.
    #[error("the password does not open the key `{name}`")]
    WrongPassword {
        /// The key.
        name: String,
    },
    /// There is no such key.
    #[error("there is no key `{name}` in {}", folder.display())]
    NoSuchKey {
        /// The name.
        name: String,
        /// Where keys are.
        folder: PathBuf,
    },
    /// There is a key of this name.
    #[error("there is a key `{name}` already")]
    KeyExists {
        /// The name.
        name: String,
    },
    /// A key that cannot be used.
    #[error("{message}")]
    BadKey {
        /// What is wrong.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// No key was named.
    #[error("the command needs a key to sign with")]
    NoKey,
    /// The account cannot pay.
    #[error("{message}")]
    NoFunds {
        /// What is missing.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// It belongs to somebody else.
    #[error("{message}")]
    NotYours {
        /// Whose it is.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// There is nothing of that number or name.
    #[error("there is no {what}")]
    NotFound {
        /// What was looked for.
        what: String,
        /// What to do.
        remedy: String,
    },
    /// The chain refused a transaction.
    #[error("{0}")]
    Refused(Refusal),
    /// The transaction cannot be in a block.
    #[error("the node does not take the transaction: {0}")]
    NotTaken(String),
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {message}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
        /// What to do.
        remedy: String,
    },
    /// Nobody agreed.
    #[error("nothing was sent: {0}")]
    NotConfirmed(&'static str),
    /// It took too long.
    #[error("{what} did not happen within {seconds} s")]
    Timeout {
        /// What was waited for.
        what: String,
        /// How long.
        seconds: u64,
    },
    /// The node refused a call of its own.
    #[error("the node refuses {method}: {message} ({code})")]
    NodeRefused {
        /// The call.
        method: String,
        /// What the node says.
        message: String,
        /// The number of the error.
        code: i32,
    },
    /// A command of the user's did not do what it was run for.
    #[error("the command `{command}` failed: {message}")]
    Plugin {
        /// The command.
        command: String,
        /// What went wrong.
        message: String,
    },
    /// Standard output cannot be written, or something that should not happen did.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// Of which sort it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Usage { .. } => Kind::Usage,
            Self::NoNode { .. } | Self::Disconnected(_) => Kind::NoNode,
            Self::WrongNetwork { .. } => Kind::WrongNetwork,
            Self::OldMetadata(_) => Kind::OldMetadata,
            Self::WrongPassword { .. } => Kind::WrongPassword,
            Self::NoSuchKey { .. } | Self::KeyExists { .. } | Self::BadKey { .. } | Self::NoKey => Kind::Key,
            Self::NoFunds { .. } => Kind::NoFunds,
            Self::NotYours { .. } => Kind::NotYours,
            Self::NotFound { .. } => Kind::NotFound,
            Self::Refused(refusal) => refusal.kind(),
            Self::NotTaken(_) => Kind::Refused,
            Self::Read { .. } | Self::Write { .. } | Self::File { .. } => Kind::File,
            Self::NotConfirmed(_) => Kind::NotConfirmed,
            Self::Timeout { .. } => Kind::Timeout,
            Self::NodeRefused { .. } => Kind::NodeRefused,
            Self::Plugin { .. } | Self::Other(_) => Kind::Failed,
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> String {
        match self {
            Self::Usage { remedy, .. }
            | Self::BadKey { remedy, .. }
            | Self::NoFunds { remedy, .. }
            | Self::NotYours { remedy, .. }
            | Self::NotFound { remedy, .. }
            | Self::File { remedy, .. } => remedy.clone(),
            Self::NoNode { .. } => "start a node with scripts/run, or name another with --url".into(),
            Self::Disconnected(_) => "look whether the node still runs, and try again".into(),
            Self::WrongNetwork { remedy, .. } => (*remedy).into(),
            Self::OldMetadata(_) => "use the client of the node's release; `ensemble network status` names it".into(),
            Self::WrongPassword { .. } => "try again, or import the key anew from its phrase".into(),
            Self::NoSuchKey { .. } => {
                "`ensemble key list` names those there are, `ensemble key create` makes one".into()
            },
            Self::KeyExists { .. } => "choose another name, or remove it with `ensemble key remove`".into(),
            Self::NoKey => "name one with --key or ENSEMBLE_KEY; `ensemble key create NAME` makes one".into(),
            Self::Refused(refusal) => refusal.remedy(),
            Self::NotTaken(_) => "wait for a block and try again".into(),
            Self::Read { .. } | Self::Write { .. } => "check the path and its permissions".into(),
            Self::NotConfirmed(_) => "answer y, or give --yes".into(),
            Self::Timeout { .. } => "see with `ensemble network status` whether blocks are made, and try again".into(),
            Self::NodeRefused { .. } => "the message says what the node wants".into(),
            Self::Plugin { .. } => "run it by hand with the same JSON on standard input, and mend it".into(),
            Self::Other(_) => "report it with the command that you ran".into(),
        }
    }

    /// The one line that is printed.
    pub fn line(&self) -> String {
        let text = format!("{self}; {}", self.remedy());
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// A file cannot be read.
    pub fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Read { path, source }
    }

    /// A file cannot be written.
    pub fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Write { path, source }
    }

    /// There is no such thing.
    pub fn not_found(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::NotFound { what: what.into(), remedy: remedy.into() }
    }

    /// A call of the node failed.
    pub fn rpc(method: &str, error: rpcs::Error) -> Self {
        match error {
            rpcs::Error::User(user) => {
                Self::NodeRefused { method: method.into(), message: user.message, code: user.code }
            },
            rpcs::Error::Client(reason) => Self::Disconnected(reason.to_string()),
            rpcs::Error::DisconnectedWillReconnect(reason) => Self::Disconnected(reason),
            other => Self::Other(format!("{method}: {other}")),
        }
    }

    /// Something went wrong between this client and the chain.
    pub fn chain(error: impl Into<subxt::Error>) -> Self {
        match error.into() {
            subxt::Error::RuntimeApiError(error) => Self::runtime_api(error),
            subxt::Error::StorageError(error) => Self::storage(error),
            subxt::Error::ConstantError(error) => Self::constant(error),
            subxt::Error::ExtrinsicError(error) => Self::extrinsic(error),
            subxt::Error::OnlineClientError(OnlineClientError::RpcError(error)) => Self::rpc("connecting", error),
            subxt::Error::OnlineClientError(OnlineClientError::CannotGetGenesisHash(error)) => Self::backend(error),
            subxt::Error::OnlineClientAtBlockError(error) => Self::at_block(error),
            subxt::Error::BackendError(error) => Self::backend(error),
            subxt::Error::BlocksError(
                BlocksError::CannotGetBlockHeaderStream(error) | BlocksError::CannotGetBlockHeader(error),
            ) => Self::backend(error),
            subxt::Error::TransactionProgressError(TransactionProgressError::CannotGetNextProgressUpdate(error)) => {
                Self::backend(error)
            },
            subxt::Error::TransactionEventsError(TransactionEventsError::ExtrinsicFailed(error)) => {
                Self::dispatch(&error)
            },
            subxt::Error::OtherRpcClientError(error) => Self::rpc("the call", error),
            subxt::Error::StorageValueError(_) | subxt::Error::EventsError(_) => {
                Self::OldMetadata("an answer cannot be decoded".into())
            },
            other => Self::Other(other.to_string()),
        }
    }

    /// A transaction failed in its block, or would.
    pub fn dispatch(error: &DispatchError) -> Self {
        Self::Refused(Refusal::of(error))
    }

    fn runtime_api(error: RuntimeApiError) -> Self {
        match error {
            RuntimeApiError::CannotCallApi(error) => Self::backend(error),
            other => Self::OldMetadata(other.to_string()),
        }
    }

    fn storage(error: StorageError) -> Self {
        match error {
            StorageError::CannotFetchValue(error)
            | StorageError::CannotIterateValues(error)
            | StorageError::StreamFailure(error) => Self::backend(error),
            other => Self::OldMetadata(other.to_string()),
        }
    }

    fn constant(error: ConstantError) -> Self {
        Self::OldMetadata(error.to_string())
    }

    fn extrinsic(error: ExtrinsicError) -> Self {
        match error {
            ExtrinsicError::ErrorSubmittingTransaction(BackendError::Rpc(RpcError::ClientError(
                rpcs::Error::User(user),
            ))) => Self::pool(&user),
            ExtrinsicError::ErrorSubmittingTransaction(error)
            | ExtrinsicError::TransactionStatusStreamError(error)
            | ExtrinsicError::CannotGetFeeInfo(error)
            | ExtrinsicError::CannotGetValidationInfo(error)
            | ExtrinsicError::CannotGetBlockBody(error) => Self::backend(error),
            ExtrinsicError::TransactionStatusError(error) => Self::NotTaken(error.to_string()),
            ExtrinsicError::UnexpectedEndOfTransactionStatusStream => {
                Self::Disconnected("it ended while the transaction was on its way".into())
            },
            other => Self::OldMetadata(other.to_string()),
        }
    }

    /// The pool of transactions refused one.
    fn pool(error: &rpcs::UserError) -> Self {
        let detail = error.data.as_ref().map(|data| data.get().trim_matches('"').to_string()).unwrap_or_default();
        let text = if detail.is_empty() { error.message.clone() } else { format!("{}: {detail}", error.message) };
        if detail.contains("pay some fees") {
            return Self::cannot_pay_fee();
        }
        Self::NotTaken(text)
    }

    /// The account cannot even pay the fee.
    pub fn cannot_pay_fee() -> Self {
        Self::NoFunds {
            message: "the account cannot pay the transaction's fee".into(),
            remedy: "send it some TUNE first; `ensemble balance show` says what it has".into(),
        }
    }

    fn at_block(error: OnlineClientAtBlockError) -> Self {
        match error {
            OnlineClientAtBlockError::CannotGetCurrentBlock { reason }
            | OnlineClientAtBlockError::CannotGetBlockHash { reason, .. }
            | OnlineClientAtBlockError::CannotGetBlockHeader { reason, .. }
            | OnlineClientAtBlockError::CannotGetSpecVersion { reason, .. } => Self::backend(reason),
            other => Self::Other(other.to_string()),
        }
    }

    fn backend(error: BackendError) -> Self {
        match error {
            BackendError::Rpc(RpcError::ClientError(error)) => Self::rpc("the call", error),
            other => Self::Disconnected(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_kind_has_a_name_and_an_exit_code_of_its_own() {
        let codes: BTreeSet<u8> = Kind::ALL.iter().map(|kind| kind.exit_code()).collect();
        let names: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!((codes.len(), names.len()), (Kind::ALL.len(), Kind::ALL.len()));
        assert!(!codes.contains(&0), "0 means that all went well");
    }

    #[test]
    fn the_guide_lists_each_exit_code() {
        let guide = include_str!("../../docs/client.md");
        for kind in Kind::ALL {
            let row = format!("| {} | `{}` |", kind.exit_code(), kind.name());
            assert!(guide.contains(&row), "docs/client.md lacks a row that begins with {row}");
        }
    }

    #[test]
    fn an_error_is_one_line_with_a_remedy() {
        let error = Error::NoNode { url: "ws://127.0.0.1:9944".into(), reason: "refused\n  (os error 111)".into() };
        assert_eq!(
            error.line(),
            "no node answers at ws://127.0.0.1:9944: refused (os error 111); start a node with scripts/run, or name \
             another with --url"
        );
    }

    #[test]
    fn the_pool_s_answer_for_poor_accounts_is_told_as_such() {
        let data = serde_json::value::RawValue::from_string(
            "\"Inability to pay some fees , e.g. account balance too low\"".into(),
        );
        let user = rpcs::UserError { code: 1010, message: "Invalid Transaction".into(), data: data.ok() };
        assert_eq!(Error::pool(&user).kind(), Kind::NoFunds);
        let user = rpcs::UserError { code: 1014, message: "Priority is too low".into(), data: None };
        assert_eq!(Error::pool(&user).kind(), Kind::Refused);
    }
}

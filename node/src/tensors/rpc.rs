//! The RPC methods of the tensor store.
//!
//! | method | what it does | unsafe |
//! |---|---|---|
//! | `ensemble_putTensor` | takes a part of an upload | yes |
//! | `ensemble_getTensor` | returns a range of the canonical encoding | no |
//! | `ensemble_hasTensor` | says what the node has of a tensor | no |
//! | `ensemble_tensorProof` | proves one row against the id | no |
//! | `ensemble_challenge` | says what to sign for a restricted tensor | no |
//! | `ensemble_unlockTensor` | gives a token for a restricted tensor to whoever is entitled | no |
//! | `ensemble_received` | says what an account was granted, and what of it the node has | no |
//! | `ensemble_restrictTensor`, `ensemble_unrestrictTensor` | says to whom a tensor is served | yes |
//! | `ensemble_fetchTensor` | starts to fetch from peers | yes |
//! | `ensemble_pinTensor`, `ensemble_unpinTensor` | keeps a tensor, and its members, from being collected | yes |
//! | `ensemble_removeTensor` | ends a fetch, or removes a tensor | yes |
//! | `ensemble_storeInfo` | figures about the store | no |
//!
//! Unsafe methods are refused as `--rpc-methods` says. With `--tensor-rpc-writes` everybody may call
//! `ensemble_putTensor`, within limits of its own.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use base64::{engine::general_purpose::STANDARD, Engine};
use ensemble_core::{
    exchange::{Received, Title},
    TaskId,
};
use ensemble_runtime::{AccountId, BlockNumber};
use ensemble_tensor::{Hash, Header, RowProof, TensorId};
use jsonrpsee::{
    proc_macros::rpc,
    types::{ErrorObject, ErrorObjectOwned},
    Extensions, RpcModule,
};
use sc_rpc_api::check_if_safe;
use serde::Serialize;
use sp_core::{Bytes, H256};

use super::{
    exchange::{JobStatus, QueueFull, Terms},
    gate::{Admission, Challenge, Denied, Holder, Token, CHALLENGE_LIFETIME, SESSION},
    service::{reason, Found, TensorService},
    store::{Error as StoreError, Mark, Tensor, Uploader, Usage},
};
use crate::signature::signature_of;

/// Most bytes of a tensor in one call, before they are written in base64.
pub const MAX_PART_LEN: usize = 4 << 20;

/// The methods.
#[rpc(server, namespace = "ensemble")]
pub trait TensorApi {
    /// Takes a part of the canonical encoding of the tensor `id`, in base64, at most [`MAX_PART_LEN`] bytes of it.
    /// Parts come in order, the first at offset 0. With the last part the id is verified.
    #[method(name = "putTensor", blocking, with_extensions)]
    fn put_tensor(&self, id: TensorId, offset: u64, data: String) -> Result<PutReply, RpcError>;

    /// Returns `length` bytes of the canonical encoding from `offset` on, in base64. A restricted tensor wants a token
    /// of `unlockTensor`, for its id or that of a bundle that it belongs to.
    #[method(name = "getTensor", blocking)]
    fn get_tensor(&self, id: TensorId, offset: u64, length: u32, token: Option<H256>) -> Result<String, RpcError>;

    /// Says what the node has of a tensor, for a bundle with all members.
    #[method(name = "hasTensor", blocking, with_extensions)]
    fn has_tensor(&self, id: TensorId) -> Result<HasReply, RpcError>;

    /// Returns row `row` (4096 bytes of a tensor without rows) and the hashes that lead from it to the id.
    #[method(name = "tensorProof", blocking)]
    fn tensor_proof(&self, id: TensorId, row: u32, token: Option<H256>) -> Result<RowProof, RpcError>;

    /// Returns what an account has to sign to be served a restricted tensor by this node.
    #[method(name = "challenge", blocking)]
    fn challenge(&self, id: TensorId) -> Result<ChallengeReply, RpcError>;

    /// Returns a token with which a restricted tensor is served, to whoever shows the signature of an account that is
    /// entitled to it. The signature is of 64 bytes, made with an sr25519 key, or with the byte of its scheme in front.
    #[method(name = "unlockTensor", blocking)]
    fn unlock_tensor(
        &self,
        id: TensorId,
        account: AccountId,
        challenge: H256,
        signature: Bytes,
    ) -> Result<UnlockReply, RpcError>;

    /// Says what an account was granted of other winners' work and may still have, oldest first.
    #[method(name = "received", blocking)]
    fn received(&self, account: AccountId) -> Result<Vec<ReceivedReply>, RpcError>;

    /// Has a tensor, before it is uploaded, served to those alone whom the chain entitles to what won `task`. Of a
    /// bundle's member, `content` is the bundle.
    #[method(name = "restrictTensor", blocking, with_extensions)]
    fn restrict_tensor(&self, id: TensorId, task: TaskId, content: Option<TensorId>) -> Result<(), RpcError>;

    /// Has a tensor served to everybody.
    #[method(name = "unrestrictTensor", blocking, with_extensions)]
    fn unrestrict_tensor(&self, id: TensorId) -> Result<(), RpcError>;

    /// Starts to fetch a tensor from peers, of at most `max_bytes` of data, for a bundle with all members. What is
    /// restricted is fetched as what won `task`, with the keys in the node's keystore that are entitled to it.
    #[method(name = "fetchTensor", blocking, with_extensions)]
    fn fetch_tensor(&self, id: TensorId, max_bytes: Option<u64>, task: Option<TaskId>) -> Result<(), RpcError>;

    /// Keeps a held tensor from being collected, for a bundle with all members.
    #[method(name = "pinTensor", blocking, with_extensions)]
    fn pin_tensor(&self, id: TensorId) -> Result<(), RpcError>;

    /// Lets a tensor be collected again.
    #[method(name = "unpinTensor", blocking, with_extensions)]
    fn unpin_tensor(&self, id: TensorId) -> Result<(), RpcError>;

    /// Ends the fetch of a tensor, or removes the tensor. The members of a bundle stay.
    #[method(name = "removeTensor", blocking, with_extensions)]
    fn remove_tensor(&self, id: TensorId) -> Result<(), RpcError>;

    /// Returns figures about the store.
    #[method(name = "storeInfo", blocking)]
    fn store_info(&self) -> Result<InfoReply, RpcError>;
}

/// Answer of `putTensor`.
#[derive(Clone, Debug, Serialize)]
pub struct PutReply {
    /// Bytes that the store has; the offset of the next part.
    pub received: u64,
    /// Bytes in all.
    pub total: u64,
    /// Whether the tensor is held now.
    pub complete: bool,
}

/// Answer of `challenge`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChallengeReply {
    /// The challenge.
    pub challenge: H256,
    /// The text to sign, as it is or in the `<Bytes>` that wallets put around it. It names this node and the chain.
    pub message: String,
    /// Milliseconds for which it can be answered.
    pub expires_in: u64,
}

/// Answer of `unlockTensor`.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UnlockReply {
    /// What to show with every call.
    pub token: H256,
    /// Why the account is entitled.
    pub title: &'static str,
    /// The task whose content it is.
    pub task: TaskId,
    /// Milliseconds for which the token is good, if the account does not lose its title.
    pub expires_in: u64,
}

/// Answer of `hasTensor`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "status", rename_all = "camelCase")]
pub enum HasReply {
    /// Nothing is here, and nobody asked for it.
    Absent,
    /// It is being fetched.
    Fetching {
        /// Verified bytes of data so far.
        received: u64,
        /// Bytes of data in all, once they are known.
        total: Option<u64>,
    },
    /// It is all here.
    Held {
        /// Kind and shape.
        header: Header,
        /// The Merkle root, with the header what the id is made of.
        #[serde(serialize_with = "as_hex")]
        root: Hash,
        /// Bytes of data, for a bundle those of the manifest and all members.
        bytes: u64,
        /// Whether the bytes were checked since the node started.
        verified: bool,
        /// Whether it is kept from being collected.
        pinned: bool,
        /// For a restricted tensor, the tasks to whose content those are entitled who are served.
        #[serde(skip_serializing_if = "Option::is_none")]
        tasks: Option<Vec<TaskId>>,
    },
    /// It is here, for those who are entitled to what won the task.
    Restricted {
        /// The task.
        task: Option<TaskId>,
    },
    /// It could not be fetched.
    Failed {
        /// Why, and what to do about it.
        reason: &'static str,
    },
}

/// One of the answers of `received`.
#[derive(Clone, Debug, Serialize)]
pub struct ReceivedReply {
    /// The task that it won.
    pub task: TaskId,
    /// The content.
    pub content: TensorId,
    /// Block of the grant.
    pub since: BlockNumber,
    /// Last block of the grant.
    pub until: BlockNumber,
    /// Whether this node holds it.
    pub held: bool,
}

/// Answer of `storeInfo`.
#[derive(Clone, Debug, Serialize)]
pub struct InfoReply {
    /// Bytes on disk, or set aside for what is on its way.
    pub bytes: u64,
    /// Most bytes allowed.
    pub quota: u64,
    /// Tensors held whole.
    pub tensors: usize,
    /// Ids pinned.
    pub pinned: usize,
    /// Uploads under way.
    pub uploads: usize,
}

/// Why a call was refused.
#[derive(Debug, thiserror::Error)]
pub enum RpcError {
    /// The caller may not write.
    #[error(
        "writing to the tensor store is an unsafe call; send it to a port with --rpc-methods unsafe that only you \
         reach, or, for ensemble_putTensor alone, start the node with --tensor-rpc-writes"
    )]
    Denied,
    /// The data is not base64.
    #[error("the data is no base64 with padding: {0}")]
    NotBase64(#[from] base64::DecodeError),
    /// A part is too long.
    #[error("a part has at most {MAX_PART_LEN} bytes; send the tensor in several parts")]
    PartTooLong,
    /// The range asked for is too long.
    #[error("a call returns at most {MAX_PART_LEN} bytes; ask for several ranges")]
    RangeTooLong,
    /// The range does not lie in the tensor.
    #[error("the tensor has {total} bytes, header included; bytes {offset} to {end} are not all among them")]
    OutOfRange {
        /// Bytes in all.
        total: u64,
        /// First byte asked for.
        offset: u64,
        /// End of the bytes asked for.
        end: u64,
    },
    /// The tensor is served to those alone who are entitled.
    #[error("{}", restricted(.id, .task))]
    Restricted {
        /// The tensor.
        id: TensorId,
        /// The task for which it is restricted.
        task: Option<TaskId>,
    },
    /// Who asks is not served.
    #[error("{0}")]
    NotAdmitted(Denied),
    /// The tensor was to be fetched as restricted, and is here, or restricted by the operator, otherwise.
    #[error(
        "tensor {id} is here already, or was restricted with ensemble_restrictTensor, but not as what won task {task}; \
         if it is to be, call that for this task"
    )]
    HeldOtherwise {
        /// The tensor.
        id: TensorId,
        /// The task.
        task: TaskId,
    },
    /// Too many fetches wait.
    #[error(transparent)]
    QueueFull(#[from] QueueFull),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// First of the error codes of these methods.
const BASE_CODE: i32 = 20_000;

impl RpcError {
    fn code(&self) -> i32 {
        let number = match self {
            Self::Denied => 0,
            Self::NotBase64(_) => 1,
            Self::PartTooLong => 2,
            Self::RangeTooLong => 3,
            Self::OutOfRange { .. } => 4,
            Self::QueueFull(_) => 5,
            Self::Restricted { .. } => 6,
            Self::NotAdmitted(Denied::Refused(_) | Denied::NotRestricted | Denied::OtherTask) => 7,
            Self::NotAdmitted(Denied::Stale) => 8,
            Self::NotAdmitted(Denied::Replayed) => 9,
            Self::NotAdmitted(Denied::BadSignature) => 30,
            Self::NotAdmitted(Denied::Busy) => 31,
            Self::NotAdmitted(Denied::NoState) => 32,
            Self::HeldOtherwise { .. } => 33,
            Self::Store(StoreError::NotHeld(_)) => 10,
            Self::Store(StoreError::StoreFull { .. }) => 11,
            Self::Store(StoreError::DiskFull) => 12,
            Self::Store(StoreError::Damaged(_)) => 13,
            Self::Store(StoreError::Pinned(_)) => 14,
            Self::Store(StoreError::InUse(_)) => 15,
            Self::Store(StoreError::WrongOffset { .. }) => 16,
            Self::Store(StoreError::TooLong { .. }) => 17,
            Self::Store(StoreError::WrongId { .. }) => 18,
            Self::Store(StoreError::TooManyUploads(_)) => 19,
            Self::Store(StoreError::Invalid(_)) => 20,
            Self::Store(StoreError::Io(_)) => 21,
            Self::Store(StoreError::PinsFull { .. }) => 22,
            Self::Store(StoreError::UploadsFull(_)) => 23,
            Self::Store(StoreError::EmptyPart) => 24,
            Self::Store(StoreError::MarksFull(_)) => 25,
        };
        BASE_CODE + number
    }
}

impl From<RpcError> for ErrorObjectOwned {
    fn from(error: RpcError) -> Self {
        ErrorObject::owned(error.code(), error.to_string(), None::<()>)
    }
}

/// The methods over a node's tensors.
pub struct TensorRpc(Arc<TensorService>);

impl TensorRpc {
    /// The methods, to be merged into a node's.
    pub fn module(service: Arc<TensorService>) -> RpcModule<Self> {
        Self(service).into_rpc()
    }

    /// Opens a held tensor for whoever has this token, or none, and is entitled. It is asked before and after: somebody
    /// could else slip through just as the tensor arrives, since it is restricted before it is held, or as it goes.
    fn open(&self, id: &TensorId, token: Option<H256>) -> Result<Tensor, RpcError> {
        let before = self.check_admitted(id, token);
        let tensor = self.0.store.tensor(id)?;
        before.and_then(|()| self.check_admitted(id, token))?;
        Ok(tensor)
    }

    fn check_admitted(&self, id: &TensorId, token: Option<H256>) -> Result<(), RpcError> {
        let holder = token.map(|token| Holder::Token(Token::from(token)));
        self.0.gate.admits(holder, id).map_err(|task| RpcError::Restricted { id: *id, task })
    }

    fn uploader(&self, extensions: &Extensions) -> Result<Uploader, RpcError> {
        match check_may_write(extensions) {
            Ok(()) => Ok(Uploader::Operator),
            Err(_) if self.0.rpc_writes => Ok(Uploader::Anybody),
            Err(denied) => Err(denied),
        }
    }
}

/// How to be served a restricted tensor.
fn restricted(id: &TensorId, task: &Option<TaskId>) -> String {
    let Some(task) = task else { return format!("tensor {id} is served to nobody") };
    format!(
        "tensor {id} is served to those alone who are entitled to what won task {task}: owners of its shares, the asset \
         {{\"Shares\":{task}}}, those who bought access in the market, and winners of other tasks to whom it was granted; have \
         such an account sign what ensemble_challenge returns, and pass the token of ensemble_unlockTensor"
    )
}

fn check_may_write(extensions: &Extensions) -> Result<(), RpcError> {
    check_if_safe(extensions).map_err(|_| RpcError::Denied)
}

impl TensorApiServer for TensorRpc {
    fn put_tensor(
        &self,
        extensions: &Extensions,
        id: TensorId,
        offset: u64,
        data: String,
    ) -> Result<PutReply, RpcError> {
        let uploader = self.uploader(extensions)?;
        // Checked before decoding, so that nobody makes the node hold a longer part twice.
        if data.len() > MAX_PART_LEN.div_ceil(3) * 4 {
            return Err(RpcError::PartTooLong);
        }
        let part = STANDARD.decode(data)?;
        if part.len() > MAX_PART_LEN {
            return Err(RpcError::PartTooLong);
        }
        let received = self.0.store.upload(uploader, id, offset, &part)?;
        Ok(PutReply { received: received.received, total: received.total, complete: received.is_complete() })
    }

    fn get_tensor(&self, id: TensorId, offset: u64, length: u32, token: Option<H256>) -> Result<String, RpcError> {
        if usize::try_from(length).is_ok_and(|length| length > MAX_PART_LEN) {
            return Err(RpcError::RangeTooLong);
        }
        let tensor = self.open(&id, token)?;
        let (total, end) = (tensor.header().encoded_len(), offset.saturating_add(length.into()));
        if end > total {
            return Err(RpcError::OutOfRange { total, offset, end });
        }
        Ok(STANDARD.encode(self.0.store.read(&tensor, offset..end)?))
    }

    fn has_tensor(&self, extensions: &Extensions, id: TensorId) -> Result<HasReply, RpcError> {
        let found = self.0.look_up(&id);
        // Read when it is known whether it is held, as they are written before it is.
        let marks = self.0.store.marks(&id);
        if let Some(marks) = marks.as_ref().filter(|_| self.0.store.has(&id) && check_may_write(extensions).is_err()) {
            return Ok(HasReply::Restricted { task: marks.first().map(|mark| mark.task) });
        }
        let holding = match found {
            Found::Held(holding) => holding,
            Found::Job(JobStatus::None) => return Ok(HasReply::Absent),
            Found::Job(JobStatus::Active { received, total }) => return Ok(HasReply::Fetching { received, total }),
            Found::Job(JobStatus::Failed(error)) => return Ok(HasReply::Failed { reason: reason(error) }),
        };
        Ok(HasReply::Held {
            header: holding.header,
            root: self.0.store.outline(&id)?.root(),
            bytes: holding.bytes,
            verified: holding.is_verified(),
            pinned: holding.pinned,
            tasks: marks.map(|marks| marks.iter().map(|mark| mark.task).collect()),
        })
    }

    fn tensor_proof(&self, id: TensorId, row: u32, token: Option<H256>) -> Result<RowProof, RpcError> {
        self.open(&id, token)?;
        Ok(self.0.store.proof(&id, row)?)
    }

    fn challenge(&self, id: TensorId) -> Result<ChallengeReply, RpcError> {
        let gate = &self.0.gate;
        let challenge = gate.challenge(None, id);
        let message = gate.message(None, id, &challenge);
        Ok(ChallengeReply { challenge: challenge.into(), message, expires_in: millis(CHALLENGE_LIFETIME) })
    }

    fn unlock_tensor(
        &self,
        id: TensorId,
        account: AccountId,
        challenge: H256,
        signature: Bytes,
    ) -> Result<UnlockReply, RpcError> {
        let signature = signature_of(&signature).ok_or(RpcError::NotAdmitted(Denied::BadSignature))?;
        let challenge = Challenge::from(challenge);
        let admitted = self.0.gate.admit_account(id, &account, &challenge, &signature);
        let (token, Admission { title, task }) = admitted.map_err(RpcError::NotAdmitted)?;
        let title = match title {
            Title::Public => "public",
            Title::Shareholder => "shareholder",
            Title::Grantee { .. } => "grantee",
            Title::Attester => "attester",
            Title::Buyer { .. } => "buyer",
        };
        Ok(UnlockReply { token: token.into(), title, task, expires_in: millis(SESSION) })
    }

    fn received(&self, account: AccountId) -> Result<Vec<ReceivedReply>, RpcError> {
        let received = self.0.gate.received(&account).map_err(RpcError::NotAdmitted)?;
        let reply = |Received { task, content, since, until }| {
            let held = self.0.store.has(&content);
            ReceivedReply { task, content, since, until, held }
        };
        Ok(received.into_iter().map(reply).collect())
    }

    fn restrict_tensor(
        &self,
        extensions: &Extensions,
        id: TensorId,
        task: TaskId,
        content: Option<TensorId>,
    ) -> Result<(), RpcError> {
        check_may_write(extensions)?;
        let mark = Mark { task, content: content.unwrap_or(id) };
        Ok(self.0.store.restrict(&id, mark)?)
    }

    fn unrestrict_tensor(&self, extensions: &Extensions, id: TensorId) -> Result<(), RpcError> {
        check_may_write(extensions)?;
        Ok(self.0.store.unrestrict(&id)?)
    }

    fn fetch_tensor(
        &self,
        extensions: &Extensions,
        id: TensorId,
        max_bytes: Option<u64>,
        task: Option<TaskId>,
    ) -> Result<(), RpcError> {
        check_may_write(extensions)?;
        if let Some(task) = task.filter(|task| !self.0.store.order(&id, Mark { task: *task, content: id })) {
            return Err(RpcError::HeldOtherwise { id, task });
        }
        Ok(self.0.fetch(id, Terms::of_data(max_bytes.unwrap_or(u64::MAX)))?)
    }

    fn pin_tensor(&self, extensions: &Extensions, id: TensorId) -> Result<(), RpcError> {
        check_may_write(extensions)?;
        match self.0.store.pin(&id)? {
            true => Ok(()),
            false => Err(StoreError::NotHeld(id).into()),
        }
    }

    fn unpin_tensor(&self, extensions: &Extensions, id: TensorId) -> Result<(), RpcError> {
        check_may_write(extensions)?;
        Ok(self.0.store.unpin(&id)?)
    }

    fn remove_tensor(&self, extensions: &Extensions, id: TensorId) -> Result<(), RpcError> {
        check_may_write(extensions)?;
        Ok(self.0.remove(&id)?)
    }

    fn store_info(&self) -> Result<InfoReply, RpcError> {
        let Usage { bytes, quota, tensors, pinned, uploads } = self.0.store.usage();
        Ok(InfoReply { bytes, quota, tensors, pinned, uploads })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn as_hex<S: serde::Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("0x{}", hex::encode(hash)))
}

//! The RPC methods of paid access.
//!
//! | method | what it does | unsafe |
//! |---|---|---|
//! | `ensemble_ticketMessage` | says what the buyer of a ticket signs for a call | no |
//! | `ensemble_checkTicket` | says whether a ticket is good for a call, and how many are left | no |

use std::sync::Arc;

use ensemble_core::{
    market::{Receipt, TicketId},
    ModuleId,
};
use ensemble_runtime::{AccountId, BlockNumber};
use jsonrpsee::{
    proc_macros::rpc,
    types::{ErrorObject, ErrorObjectOwned},
    RpcModule,
};
use serde::Serialize;
use sp_core::{Bytes, H256};

use super::{
    chain::Tickets,
    check::{Call, Error},
};
use crate::signature::signature_of;

/// The methods.
#[rpc(server, namespace = "ensemble")]
pub trait TicketApi {
    /// What the buyer of a ticket signs to have `calls` of its calls used, all before included, where it was given this
    /// challenge.
    #[method(name = "ticketMessage")]
    fn ticket_message(&self, ticket: TicketId, calls: u32, challenge: Option<H256>) -> String;

    /// Whether a ticket is good for a call of `module` that makes it `calls` in all, after `served` were answered.
    #[method(name = "checkTicket", blocking)]
    fn check_ticket(
        &self,
        module: ModuleId,
        ticket: TicketId,
        calls: u32,
        signature: Bytes,
        challenge: Option<H256>,
        served: Option<u32>,
    ) -> Result<TicketReply, Error>;
}

/// Answer of `checkTicket`: the ticket is good for the call.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TicketReply {
    /// The ticket.
    pub ticket: TicketId,
    /// The module that it is for.
    pub module: ModuleId,
    /// Who bought it.
    pub buyer: AccountId,
    /// How many more calls it is good for after this one.
    pub left: u32,
    /// How many of its calls were redeemed.
    pub redeemed: u32,
    /// Last block in which it can be used.
    pub until: BlockNumber,
    /// Last block in which its calls, this one included, can be redeemed.
    pub redeemable_until: BlockNumber,
}

/// First of the error codes of these methods.
const BASE_CODE: i32 = 23_000;

impl Error {
    fn code(&self) -> i32 {
        let number = match self {
            Self::Chain(_) => 0,
            Self::UnknownTicket(_) => 1,
            Self::OtherModule { .. } => 2,
            Self::Expired { .. } => 3,
            Self::NoCalls => 4,
            Self::Exhausted { .. } => 5,
            Self::Redeemed { .. } => 6,
            Self::Replayed { .. } => 7,
            Self::BadSignature { .. } => 8,
        };
        BASE_CODE + number
    }
}

impl From<Error> for ErrorObjectOwned {
    fn from(error: Error) -> Self {
        ErrorObject::owned(error.code(), error.to_string(), None::<()>)
    }
}

/// The methods over the tickets of a chain.
pub struct TicketRpc(Arc<dyn Tickets>);

impl TicketRpc {
    /// The methods, to be merged into a node's.
    pub fn module(tickets: impl Tickets + 'static) -> RpcModule<Self> {
        Self(Arc::new(tickets)).into_rpc()
    }
}

impl TicketApiServer for TicketRpc {
    fn ticket_message(&self, ticket: TicketId, calls: u32, challenge: Option<H256>) -> String {
        let challenge = challenge.unwrap_or_default();
        Receipt { ticket, calls, challenge }.message(self.0.genesis())
    }

    fn check_ticket(
        &self,
        module: ModuleId,
        ticket: TicketId,
        calls: u32,
        signature: Bytes,
        challenge: Option<H256>,
        served: Option<u32>,
    ) -> Result<TicketReply, Error> {
        let receipt = Receipt { ticket, calls, challenge: challenge.unwrap_or_default() };
        let signature = signature_of(&signature);
        let call = Call { module, receipt, signature, served: served.unwrap_or_default() };
        let good = call.check(&*self.0)?;
        Ok(TicketReply {
            ticket: good.id,
            module: good.module,
            buyer: good.buyer,
            left: good.calls.saturating_sub(calls),
            redeemed: good.redeemed,
            until: good.until,
            redeemable_until: good.redeemable_until,
        })
    }
}

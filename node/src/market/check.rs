//! Whether a ticket is good for a call: what the chain says and what its buyer signed, numbers in, a verdict out.
//!
//! | what is checked, in this order | when it fails |
//! |---|---|
//! | that there is such a ticket | [`Error::UnknownTicket`] |
//! | that it is for the module | [`Error::OtherModule`] |
//! | that it can still be used | [`Error::Expired`] |
//! | that the receipt is for a call, and the ticket has so many | [`Error::NoCalls`], [`Error::Exhausted`] |
//! | that the call was not redeemed or answered before | [`Error::Redeemed`], [`Error::Replayed`] |
//! | the buyer's signature | [`Error::BadSignature`] |

use ensemble_core::{
    market::{Receipt, TicketId},
    ModuleId,
};
use ensemble_runtime::{AccountId, BlockNumber, Hash};
use sp_runtime::MultiSignature;

use super::chain::{Ticket, Tickets, Unavailable};

/// Why a call is not to be answered, and what to do about it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The chain cannot be asked.
    #[error("this node cannot read the chain's state ({0}); try again, or ask another node")]
    Chain(#[from] Unavailable),
    /// Nobody has bought a ticket with this number, or it was settled and is gone.
    #[error("there is no ticket {0} in the best block; wait until the purchase is in a block, or buy one: market.buy")]
    UnknownTicket(TicketId),
    /// It is for another module.
    #[error(
        "ticket {ticket} is for module {bought}, not for module {asked}; call that one, or buy a ticket for this one"
    )]
    OtherModule {
        /// The ticket.
        ticket: TicketId,
        /// The module that it was bought for.
        bought: ModuleId,
        /// The module that was called.
        asked: ModuleId,
    },
    /// Its time is over.
    #[error("ticket {ticket} could be used until block {until}, and this is block {now}; buy another one")]
    Expired {
        /// The ticket.
        ticket: TicketId,
        /// Last block in which it was good.
        until: BlockNumber,
        /// The best block.
        now: BlockNumber,
    },
    /// The receipt is for no call.
    #[error("a receipt for no calls pays for none; sign for one call more than the last one that was answered")]
    NoCalls,
    /// It has not so many calls.
    #[error("ticket {ticket} is good for {calls} calls, and the receipt is for {signed}; buy another one")]
    Exhausted {
        /// The ticket.
        ticket: TicketId,
        /// The calls it was bought for.
        calls: u32,
        /// The calls that were signed for.
        signed: u32,
    },
    /// The call was answered and redeemed.
    #[error(
        "{redeemed} calls of ticket {ticket} were redeemed already, and the receipt is for {signed}; sign for more"
    )]
    Redeemed {
        /// The ticket.
        ticket: TicketId,
        /// The calls that were redeemed.
        redeemed: u32,
        /// The calls that were signed for.
        signed: u32,
    },
    /// The call was answered.
    #[error("{served} calls of ticket {ticket} were answered already, and the receipt is for {signed}; sign for more")]
    Replayed {
        /// The ticket.
        ticket: TicketId,
        /// The calls that the endpoint answered.
        served: u32,
        /// The calls that were signed for.
        signed: u32,
    },
    /// Who bought the ticket did not sign this.
    #[error(
        "the signature is not that of {buyer}, who bought ticket {ticket}, over what ensemble_ticketMessage returns for \
         these calls and this challenge; sign that text with the buyer's key"
    )]
    BadSignature {
        /// The ticket.
        ticket: TicketId,
        /// Who bought it.
        buyer: AccountId,
    },
}

/// A call that a client wants to have answered.
#[derive(Clone, Debug)]
pub struct Call {
    /// The module that is called.
    pub module: ModuleId,
    /// What the client says to have signed.
    pub receipt: Receipt,
    /// Its signature; none if it was none at all.
    pub signature: Option<MultiSignature>,
    /// How many calls of the ticket were answered before.
    pub served: u32,
}

impl Call {
    /// The ticket, if it is good for the call.
    pub fn check(&self, tickets: &dyn Tickets) -> Result<Ticket, Error> {
        let id = self.receipt.ticket;
        let (ticket, now) = tickets.ticket(id)?;
        let ticket = ticket.ok_or(Error::UnknownTicket(id))?;
        self.check_ticket(&ticket, now)?;
        self.check_count(&ticket)?;
        // Last, as it takes longest.
        self.check_signature(&ticket, tickets.genesis())?;
        Ok(ticket)
    }

    fn check_ticket(&self, ticket: &Ticket, now: BlockNumber) -> Result<(), Error> {
        if ticket.module != self.module {
            return Err(Error::OtherModule { ticket: ticket.id, bought: ticket.module, asked: self.module });
        }
        if now > ticket.until {
            return Err(Error::Expired { ticket: ticket.id, until: ticket.until, now });
        }
        Ok(())
    }

    fn check_count(&self, ticket: &Ticket) -> Result<(), Error> {
        let (id, signed, served) = (ticket.id, self.receipt.calls, self.served);
        if signed == 0 {
            return Err(Error::NoCalls);
        }
        if signed > ticket.calls {
            return Err(Error::Exhausted { ticket: id, calls: ticket.calls, signed });
        }
        if signed <= ticket.redeemed {
            return Err(Error::Redeemed { ticket: id, redeemed: ticket.redeemed, signed });
        }
        if signed <= served {
            return Err(Error::Replayed { ticket: id, served, signed });
        }
        Ok(())
    }

    fn check_signature(&self, ticket: &Ticket, genesis: Hash) -> Result<(), Error> {
        let is_signed = |signature| self.receipt.is_signed(genesis, signature, &ticket.buyer);
        match self.signature.as_ref().is_some_and(is_signed) {
            true => Ok(()),
            false => Err(Error::BadSignature { ticket: ticket.id, buyer: ticket.buyer.clone() }),
        }
    }
}

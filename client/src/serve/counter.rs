//! A request from its body to its answer.
//!
//! ```text
//! body ── JSON? ── ticket ── the node's check ── rate ── its turn ── a free hand ── answer ── receipt on disk ──▶ 200
//!            └──── visit ─── time, validator, signature, nonce, rate ── a free hand ── answer ─────────────────▶ 200
//! ```
//!
//! What costs much comes last, and nothing is noted before a signature was found good, so that strangers can neither use
//! up somebody's rate nor keep his ticket busy.

use std::{collections::HashSet, sync::Arc, time::Instant};

use hyper::StatusCode;
use parking_lot::Mutex;
use serde_json::{json, Value};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    backend::Backend,
    chain::Chain,
    events::Event,
    rates::Rates,
    receipts::{Kept, Receipts},
    refusal::Refused,
    request::Request,
    visitors::Visitors,
};
use crate::{
    error::Error,
    events::Teller,
    tickets::Receipt,
    visit::{seconds_now, Asked, SignedVisit},
};

/// Where requests are answered.
pub struct Counter {
    /// The module.
    pub module: u32,
    /// What the chain says.
    pub chain: Chain,
    /// What answers.
    pub backend: Backend,
    /// What was served.
    pub receipts: Arc<Mutex<Receipts>>,
    /// How often tickets are used.
    pub rates: Mutex<Rates<u64>>,
    /// Who visits.
    pub visitors: Mutex<Visitors>,
    /// Tickets of which a call is being answered.
    pub busy: Mutex<HashSet<u64>>,
    /// Requests that can be answered at one time.
    pub hands: Semaphore,
    /// Tells what happens.
    pub teller: Teller,
}

impl Counter {
    /// Answers a request, with the header of a validator's visit if it has one.
    ///
    /// # Errors
    ///
    /// Why it is not answered.
    pub async fn answer(&self, visit: Option<&str>, body: &[u8]) -> Result<Value, Refused> {
        let request = Request::parse(body)?;
        match visit {
            Some(header) if !request.has_ticket() => self.answer_visit(header, body, &request).await,
            _ => self.answer_call(&request).await,
        }
    }

    async fn answer_call(&self, request: &Request) -> Result<Value, Refused> {
        let challenge = self.chain.challenge().await.map_err(|error| Refused::no_chain(&error))?;
        let signed = request.receipt(challenge)?;
        let Receipt { ticket, calls, .. } = signed.receipt;
        let served = self.receipts.lock().served(ticket);
        let good = self.chain.check(&signed, served).await.map_err(|error| Refused::ticket(&error))?;
        let next = served.max(good.redeemed).saturating_add(1);
        if calls != next {
            return Err(Refused::out_of_turn(format!("call {next} of ticket {ticket} comes before call {calls}")));
        }
        let rate = self.rates.lock().take(ticket, Instant::now());
        rate.map_err(|wait| Refused::too_many("ticket", wait))?;
        let _turn = Turn::take(&self.busy, ticket)?;
        // While the node was asked, the same call may have been answered.
        if self.receipts.lock().served(ticket) != served {
            return Err(Refused::out_of_turn(format!("another call of ticket {ticket} was answered meanwhile")));
        }
        let (output, milliseconds) = self.work(&request.input).await?;
        let kept = Kept { signed, redeemable_until: good.redeemable_until };
        // The lock goes before anything else is done.
        let written = self.receipts.lock().keep(kept);
        written.map_err(|error| self.cannot_keep(&error))?;
        self.tell(&Event::Served { ticket, calls, left: good.left, milliseconds });
        Ok(json!({ "output": output, "left": good.left }))
    }

    async fn answer_visit(&self, header: &str, body: &[u8], request: &Request) -> Result<Value, Refused> {
        let signed = SignedVisit::parse(header).map_err(Refused::no_visit)?;
        let visit = signed.visit;
        self.visitors.lock().check_time(&visit, seconds_now())?;
        let owner = self.chain.owner_of_visitor(visit.validator).await.map_err(|error| Refused::no_chain(&error))?;
        let Some(owner) = owner else {
            let message =
                format!("module {} is no validator that scores or checks module {}", visit.validator, self.module);
            return Err(Refused::new(StatusCode::FORBIDDEN, message, "buy a ticket, as everybody else"));
        };
        let genesis = self.chain.genesis();
        if !signed.is_signed(Asked { module: self.module, body, genesis: &genesis }, &owner) {
            return Err(Refused::no_visit(format!("the visit is not signed by {owner}, who owns that validator")));
        }
        self.visitors.lock().admit(&visit, seconds_now(), Instant::now())?;
        let (output, milliseconds) = self.work(&request.input).await?;
        self.tell(&Event::Visited { validator: visit.validator, milliseconds });
        Ok(json!({ "output": output }))
    }

    /// Has an input answered, if a hand is free, and says how long that took.
    async fn work(&self, input: &Value) -> Result<(Value, u64), Refused> {
        let _hand: SemaphorePermit<'_> = self.hands.try_acquire().map_err(|_| Refused::busy())?;
        let start = Instant::now();
        let output = self.backend.answer(input).await.map_err(|failure| {
            self.tell(&Event::Failed {
                during: "answering".into(),
                error: failure.message,
                remedy: "mend the command or service; the call does not count".into(),
            });
            let (status, message) = match failure.is_late {
                true => (StatusCode::GATEWAY_TIMEOUT, "the service takes too long"),
                false => (StatusCode::BAD_GATEWAY, "the service fails"),
            };
            Refused::new(status, message, "try again later; the call does not count")
        })?;
        let milliseconds = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok((output, milliseconds))
    }

    /// Whether the chain can be asked.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub async fn health(&self) -> Result<Value, Refused> {
        self.chain.challenge().await.map_err(|error| Refused::no_chain(&error))?;
        Ok(json!({ "status": "ok", "module": self.module }))
    }

    /// A receipt cannot be written, so that its call must not be answered.
    fn cannot_keep(&self, error: &Error) -> Refused {
        self.tell(&Event::failed("keeping a receipt", error));
        let message = "the endpoint cannot keep the receipt";
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, message, "try again later; the call does not count")
    }

    fn tell(&self, event: &Event) {
        // A log that cannot be written is no reason to serve nobody.
        let _ = self.teller.tell(event);
    }
}

/// The turn of one call of a ticket, until it is dropped.
struct Turn<'a> {
    busy: &'a Mutex<HashSet<u64>>,
    ticket: u64,
}

impl<'a> Turn<'a> {
    fn take(busy: &'a Mutex<HashSet<u64>>, ticket: u64) -> Result<Self, Refused> {
        if !busy.lock().insert(ticket) {
            return Err(Refused::out_of_turn(format!("a call of ticket {ticket} is being answered")));
        }
        Ok(Self { busy, ticket })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.busy.lock().remove(&self.ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_a_ticket_take_turns() {
        let busy = Mutex::default();
        let turn = Turn::take(&busy, 7).unwrap_or_else(|_| panic!("is free"));
        assert!(Turn::take(&busy, 8).is_ok());
        assert!(Turn::take(&busy, 7).is_err_and(|refused| refused.status.as_u16() == 409));
        drop(turn);
        assert!(Turn::take(&busy, 7).is_ok());
    }
}

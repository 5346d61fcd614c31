//! Redeeming: what was served is told the chain, in batches, so that it counts as the module's usage.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{
    events::{Event, Redeemed},
    receipts::{Kept, Receipts},
};
use crate::{
    chain::{
        ensemble,
        types::{bounded_collections::bounded_vec::BoundedVec, ensemble_core::market::TicketView},
        AccountId32, At,
    },
    connection::{ask, Connection},
    error::Error,
    events::Teller,
    keys::Key,
    link::Link,
    send::submit,
};

/// Redeems what was served.
pub struct Till {
    /// The node.
    pub link: Link,
    /// Pays the fees.
    pub key: Key,
    /// What was served.
    pub receipts: Arc<Mutex<Receipts>>,
    /// Tells what was redeemed.
    pub teller: Teller,
}

/// What is to be done with a receipt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    /// Some of its calls are not redeemed.
    Open,
    /// All are.
    Done,
    /// None can be any more.
    Over,
}

impl Till {
    /// Redeems all that was not redeemed yet, and forgets tickets that are over.
    ///
    /// # Errors
    ///
    /// If the node does not answer, or the chain refuses; what was not redeemed is kept.
    pub async fn redeem(&self) -> Result<(), Error> {
        match self.try_to_redeem().await {
            Ok(()) => Ok(()),
            Err(error) => Err(self.link.note(error).await),
        }
    }

    async fn try_to_redeem(&self) -> Result<(), Error> {
        let kept: Vec<Kept> = self.receipts.lock().all().cloned().collect();
        if kept.is_empty() {
            return Ok(());
        }
        let connection = self.link.get().await?;
        let best = connection.best().await?;
        let (mut open, mut over) = (Vec::new(), Vec::new());
        for kept in kept {
            match standing_of(&best, &kept).await? {
                Standing::Open => open.push(kept),
                Standing::Done => {},
                Standing::Over => over.push(kept.signed.receipt.ticket),
            }
        }
        self.receipts.lock().forget(&over)?;
        let most = ensemble::constants().market().max_receipts();
        let most = best.constants().entry(most).map_err(Error::chain)?;
        for batch in open.chunks(most.max(1) as usize) {
            self.redeem_batch(&connection, batch).await?;
        }
        Ok(())
    }

    async fn redeem_batch(&self, connection: &Connection, batch: &[Kept]) -> Result<(), Error> {
        let receipts = batch.iter().map(|kept| kept.signed.for_chain()).collect();
        let call = ensemble::transactions().market().redeem(BoundedVec(receipts));
        match submit(connection, &self.key, &call).await {
            Ok(sent) => {
                let redeemed = batch.iter().map(|kept| {
                    let receipt = &kept.signed.receipt;
                    Redeemed { ticket: receipt.ticket, calls: receipt.calls }
                });
                let receipts = redeemed.collect();
                self.teller.tell(&Event::Redeemed { receipts, block: sent.receipt.block })
            },
            // Somebody else was faster, or the same was on its way.
            Err(Error::Refused(refusal)) if refusal.name == "NothingNew" => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// What is to be done with a receipt, by what the chain says of its ticket.
async fn standing_of(best: &At, kept: &Kept) -> Result<Standing, Error> {
    let now = u32::try_from(best.block_number()).unwrap_or(u32::MAX);
    let ticket = ask(best, ensemble::runtime_apis().market_api().ticket(kept.signed.receipt.ticket)).await?;
    Ok(standing(kept, ticket.as_ref(), now))
}

fn standing(kept: &Kept, ticket: Option<&TicketView<AccountId32, u32>>, now: u32) -> Standing {
    // The next block is the first that can have a redemption.
    if now >= kept.redeemable_until {
        return Standing::Over;
    }
    match ticket {
        Some(ticket) if ticket.redeemed < kept.signed.receipt.calls => Standing::Open,
        // In a fork, the purchase may be missing for some blocks.
        _ => Standing::Done,
    }
}

#[cfg(test)]
mod tests {
    use subxt::utils::MultiSignature;

    use super::*;
    use crate::{
        chain::H256,
        tickets::{Receipt, SignedReceipt},
    };

    #[test]
    fn what_is_not_redeemed_is_open_until_it_is_over() {
        let receipt = Receipt { ticket: 7, calls: 3, challenge: H256::zero() };
        let signed = SignedReceipt { receipt, signature: MultiSignature::Sr25519([2; 64]) };
        let kept = Kept { signed, redeemable_until: 100 };
        let ticket = |redeemed| TicketView {
            id: 7,
            module: 1,
            buyer: AccountId32([1; 32]),
            calls: 5,
            redeemed,
            until: 50,
            redeemable_until: 100,
        };
        assert_eq!(standing(&kept, Some(&ticket(2)), 99), Standing::Open);
        assert_eq!(standing(&kept, Some(&ticket(3)), 99), Standing::Done);
        assert_eq!(standing(&kept, None, 99), Standing::Done);
        assert_eq!(standing(&kept, Some(&ticket(2)), 100), Standing::Over);
    }
}

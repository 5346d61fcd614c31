//! Referenda and their tracks.

use crate::{
    amount::Amount,
    chain::{ensemble, types::pallet_referenda::types::ReferendumInfo, At},
    context::Context,
    error::Error,
    output::Output,
    views::governance::{ReferendumLine, ReferendumView, StatusName, TallyView, TrackView},
};

use super::proposal::Proposal;

/// Most referenda that a list looks at, from the newest on: older ones are over long since.
const MAX_LOOKED_AT: u32 = 1_000;

/// The tracks of the chain.
pub struct Tracks(Vec<TrackView>);

impl Tracks {
    /// Those that the chain has.
    ///
    /// # Errors
    ///
    /// If client and node differ.
    pub fn of(at: &At) -> Result<Self, Error> {
        let tracks = at.constants().entry(ensemble::constants().referenda().tracks()).map_err(Error::chain)?;
        let view = |(track, details): (u16, _)| {
            let crate::chain::types::pallet_referenda::types::TrackDetails {
                name,
                max_deciding,
                decision_deposit,
                prepare_period,
                decision_period,
                confirm_period,
                min_enactment_period,
                ..
            } = details;
            let name: String = name;
            TrackView {
                track,
                name: name.trim_end_matches('\0').into(),
                max_deciding,
                decision_deposit: Amount::planck(decision_deposit),
                prepare_blocks: prepare_period,
                decision_blocks: decision_period,
                confirm_blocks: confirm_period,
                enactment_blocks: min_enactment_period,
            }
        };
        Ok(Self(tracks.into_iter().map(view).collect()))
    }

    /// All of them, in the order of their numbers.
    pub fn all(self) -> Vec<TrackView> {
        self.0
    }

    /// Their numbers.
    pub fn numbers(&self) -> impl Iterator<Item = u16> + '_ {
        self.0.iter().map(|track| track.track)
    }

    /// The name of a track.
    pub fn name(&self, number: u16) -> String {
        let found = self.0.iter().find(|track| track.track == number);
        found.map_or_else(|| number.to_string(), |track| track.name.clone())
    }

    /// The number of a track, given by number or name.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn number(&self, named: &str) -> Result<u16, Error> {
        let is_meant = |track: &&TrackView| track.name == named || track.track.to_string() == named;
        self.0.iter().find(is_meant).map(|track| track.track).ok_or_else(|| {
            let names: Vec<&str> = self.0.iter().map(|track| track.name.as_str()).collect();
            Error::not_found(format!("track `{named}`"), format!("choose among {}", names.join(", ")))
        })
    }
}

pub(super) async fn list(context: &Context, all: bool, limit: usize) -> Result<Output, Error> {
    let best = context.connect().await?.best().await?;
    let tracks = Tracks::of(&best)?;
    let count = best.storage().fetch(ensemble::storage().referenda().referendum_count(), ()).await;
    let count = count.map_err(Error::chain)?.decode().map_err(Error::chain)?;
    let mut lines: Vec<ReferendumLine> = Vec::new();
    for number in (count.saturating_sub(MAX_LOOKED_AT)..count).rev() {
        if lines.len() >= limit {
            break;
        }
        let view = view(&best, &tracks, number).await?;
        lines.extend(view.filter(|view| all || view.status.is_ongoing()).map(ReferendumLine::from));
    }
    Output::of(&lines)
}

pub(super) async fn show(context: &Context, referendum: u32) -> Result<Output, Error> {
    let best = context.connect().await?.best().await?;
    Output::of(&existing(&best, &Tracks::of(&best)?, referendum).await?)
}

/// A referendum, which must be there.
pub(super) async fn existing(at: &At, tracks: &Tracks, referendum: u32) -> Result<ReferendumView, Error> {
    let remedy = "`ensemble governance list --all` names those there were";
    view(at, tracks, referendum).await?.ok_or_else(|| Error::not_found(format!("referendum {referendum}"), remedy))
}

/// What the chain says of a referendum.
async fn view(at: &At, tracks: &Tracks, referendum: u32) -> Result<Option<ReferendumView>, Error> {
    let address = ensemble::storage().referenda().referendum_info_for();
    let Some(entry) = at.storage().try_fetch(address, (referendum,)).await.map_err(Error::chain)? else {
        return Ok(None);
    };
    let over = |status, block| ReferendumView { over: Some(block), ..ReferendumView::new(referendum, status) };
    let status = match entry.decode().map_err(Error::chain)? {
        ReferendumInfo::Ongoing(status) => status,
        ReferendumInfo::Approved(block, ..) => return Ok(Some(over(StatusName::Approved, block))),
        ReferendumInfo::Rejected(block, ..) => return Ok(Some(over(StatusName::Rejected, block))),
        ReferendumInfo::Cancelled(block, ..) => return Ok(Some(over(StatusName::Cancelled, block))),
        ReferendumInfo::TimedOut(block, ..) => return Ok(Some(over(StatusName::TimedOut, block))),
        ReferendumInfo::Killed(block) => return Ok(Some(over(StatusName::Killed, block))),
    };
    let deciding = status.deciding.as_ref();
    let name = match deciding {
        Some(deciding) if deciding.confirming.is_some() => StatusName::Confirming,
        Some(_) => StatusName::Deciding,
        None if status.in_queue => StatusName::Queued,
        None => StatusName::Preparing,
    };
    let proposal = Proposal::of(at, &status.proposal).await?;
    Ok(Some(ReferendumView {
        track: Some(tracks.name(status.track)),
        origin: Some(format!("{:?}", status.origin)),
        call: proposal.call,
        proposal: proposal.told,
        hash: Some(proposal.hash),
        submitter: Some(status.submission_deposit.who.to_string()),
        depositor: status.decision_deposit.as_ref().map(|deposit| deposit.who.to_string()),
        submitted: Some(status.submitted),
        deciding: deciding.map(|deciding| deciding.since),
        confirmed: deciding.and_then(|deciding| deciding.confirming),
        tally: Some(TallyView::from(&status.tally)),
        ..ReferendumView::new(referendum, name)
    }))
}

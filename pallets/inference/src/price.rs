//! Prices: numbers in, numbers out.
//!
//! Each replica of a session costs something for each position and something for each product. What it comes to is divided
//! by [`Split`]: workers get what the others leave, by the products of the rows that they served. Every division of what is
//! paid rounds down, so that what is paid never exceeds what was put aside; the remainder returns to the requester.

use ensemble_compute::inference::{ranges, Architecture};
use ensemble_core::inference::{Position, Quote, RangeIndex};
use frame_support::traits::Get;
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, Permill, Rounding};

use crate::{Balance, Config, CurrentParameters, Models, Pallet, Question, Rates, Split};

/// Bytes of a trace whose attestations are paid for together.
const ATTESTED_BYTES: u64 = 4 << 20;
/// Products that are paid for together.
const BILLION: u128 = 1_000_000_000;

/// `amount * ratio`, rounded down.
pub fn part(ratio: Permill, amount: Balance) -> Balance {
    share(amount, ratio.deconstruct().into(), Permill::one().deconstruct().into())
}

/// `amount * weight / of`, rounded down, and at most `amount`; nothing where nobody has any weight.
pub fn share(amount: Balance, weight: u128, of: u128) -> Balance {
    multiply_by_rational_with_rounding(amount, weight.min(of), of, Rounding::Down).unwrap_or(0)
}

impl Rates {
    /// What so many positions cost in all replicas, each of so many products; `None` if that is no amount.
    pub fn amount(&self, positions: Position, products: u64, replicas: u32) -> Option<Balance> {
        let products = u128::from(products).checked_mul(positions.into())?;
        let for_products = multiply_by_rational_with_rounding(self.billion, products, BILLION, Rounding::Up)?;
        let once = self.position.checked_mul(positions.into())?.checked_add(for_products)?;
        once.checked_mul(replicas.into())
    }
}

/// An amount, divided.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pieces {
    /// For workers.
    pub workers: Balance,
    /// For the gateway.
    pub gateway: Balance,
    /// For credits.
    pub credits: Balance,
    /// For nobody.
    pub burnt: Balance,
}

impl Split {
    /// Divides an amount without rest.
    pub fn divide(&self, amount: Balance) -> Pieces {
        let (gateway, credits, burnt) =
            (part(self.gateway, amount), part(self.credits, amount), part(self.burnt, amount));
        let workers = amount.saturating_sub(gateway).saturating_sub(credits).saturating_sub(burnt);
        Pieces { workers, gateway, credits, burnt }
    }
}

/// Bytes of a trace of so many positions; `None` if there is no such trace.
pub(crate) fn trace_bytes(architecture: &Architecture, positions: Position) -> Option<u64> {
    crate::closing::trace_header(architecture, positions).map(|header| header.data_len())
}

/// Bytes of a session's tokens, of its gateway's trace, and of those of all ranges; `None` if that is no number.
pub(crate) fn session_bytes(architecture: &Architecture, positions: Position, workers: u32) -> Option<u64> {
    let traces = trace_bytes(architecture, positions)?.checked_mul(u64::from(workers).checked_add(1)?)?;
    let tokens = u64::from(positions).checked_add(1)?.checked_mul(4)?;
    traces.checked_add(tokens)
}

/// Multiplications of a model for one position.
pub fn products(architecture: &Architecture) -> u64 {
    let Architecture::Llama(llama) = architecture;
    llama.products()
}

/// Multiplications of the rows of one range for one position. Those of all ranges add up to [`products`].
pub fn range_products(architecture: &Architecture, range: RangeIndex, count: u32) -> u64 {
    let Architecture::Llama(llama) = architecture;
    let of_stage = |number| {
        let shapes = llama.stage(number).map(|stage| llama.matrices(stage)).unwrap_or_default();
        let products = shapes.iter().map(|shape| {
            let rows = ranges::rows(shape.rows, range, count);
            u64::from(rows.end.saturating_sub(rows.start)).saturating_mul(shape.cols.into())
        });
        products.fold(0u64, u64::saturating_add)
    };
    // All layers are alike.
    let layer = (0..llama.head().min(4)).map(of_stage).fold(0u64, u64::saturating_add);
    layer.saturating_mul(llama.layers.into()).saturating_add(of_stage(llama.head()))
}

impl<T: Config> Pallet<T> {
    /// What the votes on traces of so many positions cost, in planck.
    pub(crate) fn vote_fee(architecture: &Architecture, positions: Position, workers: u32, replicas: u32) -> Balance {
        let parts = trace_bytes(architecture, positions).unwrap_or(u64::MAX).div_ceil(ATTESTED_BYTES);
        let attestations = T::AttestFee::get().saturating_mul(parts.into());
        let of_range = T::VoteFee::get().saturating_mul(replicas.into()).saturating_add(attestations);
        of_range.saturating_mul(workers.into())
    }

    /// The most that a session can cost, and what of that its votes do, in planck; `None` if that is no amount.
    pub(crate) fn price_of(
        architecture: &Architecture,
        question: &Question,
        rates: &Rates,
    ) -> Option<(Balance, Balance)> {
        let positions = question.most_positions();
        let amount = rates.amount(positions, products(architecture), question.replicas)?;
        let fee = Self::vote_fee(architecture, positions, question.workers, question.replicas);
        Some((amount.checked_add(fee)?, fee))
    }

    /// What a session of this shape would cost.
    pub fn quote(model: ensemble_core::ModelId, positions: u32, workers: u32, replicas: u32) -> Option<Quote<Balance>> {
        let model = Models::<T>::get(model)?;
        Self::check_shape(&model.architecture, positions, workers, replicas).ok()?;
        let parameters = CurrentParameters::<T>::get();
        let amount = parameters.rates.amount(positions, products(&model.architecture), replicas)?;
        let fee = Self::vote_fee(&model.architecture, positions, workers, replicas);
        let pieces = parameters.split.divide(amount);
        Some(Quote {
            price: amount.checked_add(fee)?,
            workers: pieces.workers,
            gateway: pieces.gateway,
            credits: pieces.credits,
            burnt: pieces.burnt.saturating_add(fee),
        })
    }
}

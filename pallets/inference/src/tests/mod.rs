//! By topic.

mod agenda;
mod attacks;
mod checked;
mod closing;
mod consents;
mod credits;
mod disputes;
mod draw;
mod integrity;
mod lives;
mod models;
mod offchain_worker;
mod paying;
mod pledges;
mod price;
mod sessions;
mod try_state;
mod view;
mod waiting;
mod workers;

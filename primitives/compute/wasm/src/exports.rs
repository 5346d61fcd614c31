//! What the module exports.

use alloc::{vec, vec::Vec};
use core::slice;

use codec::{Decode, Encode};
use ensemble_compute::Machine;

use crate::Job;

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Room for so many bytes, never given back.
#[no_mangle]
pub extern "C" fn reserve(len: usize) -> *mut u8 {
    vec![0; len].leak().as_mut_ptr()
}

/// Does an encoded job. Returns where its encoded answer lies, and in the upper 32 bits how long it is.
///
/// # Safety
/// `input` was reserved with this length.
#[no_mangle]
pub unsafe extern "C" fn run(input: *const u8, len: usize) -> u64 {
    // SAFETY: the caller says so.
    let mut input = unsafe { slice::from_raw_parts(input, len) };
    let answer: Vec<u8> = Job::decode(&mut input).map(|job| job.run(Machine::PORTABLE).encode()).unwrap_or_default();
    let answer = answer.leak();
    (answer.len() as u64) << 32 | answer.as_ptr() as u64
}

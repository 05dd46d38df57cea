#![doc = include_str!("../README.md")]

use std::ffi::CStr;
use std::ptr;

use ort::AsPointer;
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::Session;

/// Bytes that the session's arena on `device` has taken from the system, whether in use or kept for the next run; none
/// where the allocator does not count (no arena, an older library) or the session has none there.
#[must_use]
pub fn arena_bytes(session: &Session, device: AllocationDevice<'_>, device_id: i32) -> Option<u64> {
    // Where the arena is switched off the same request gives the bare allocator, which counts nothing.
    let place = MemoryInfo::new(device, device_id, AllocatorType::Arena, MemoryType::Default).ok()?;
    let allocator = Allocator::new(session, place).ok()?;
    count(&allocator, c"TotalAllocated")
}

/// One of the allocator's counters.
#[expect(unsafe_code, reason = "ort has no safe call for an allocator's statistics")]
fn count(allocator: &Allocator, name: &CStr) -> Option<u64> {
    let api = ort::api();
    let mut stats = ptr::null_mut();
    // SAFETY: the allocator lives as long as the borrow; `stats` is written to only on success, and then owned by us.
    let status = unsafe { (api.AllocatorGetStats)(allocator.ptr(), &raw mut stats) };
    if !status.0.is_null() {
        // SAFETY: a status that is not null is an error object that the caller has to release, once.
        unsafe { (api.ReleaseStatus)(status.0) };
        return None;
    }
    if stats.is_null() {
        return None;
    }
    // SAFETY: `stats` is a live list of pairs; the value, if there is one, is a C string that lives as long as the list.
    let value = unsafe {
        let value = (api.GetKeyValue)(stats, name.as_ptr());
        let text = if value.is_null() { None } else { CStr::from_ptr(value).to_str().ok() };
        text.and_then(|text| text.parse().ok())
    };
    // SAFETY: the list is ours and released once; nothing of it is used below.
    unsafe { (api.ReleaseKeyValuePairs)(stats) };
    value
}

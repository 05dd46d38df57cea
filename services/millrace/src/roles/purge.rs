//! Memory that is freed goes back to the system. The allocator keeps it for a second, so that the next picture needs no fresh
//! pages, and looks for what is due only when a page of its own is freed: after a load that ended, hundreds of megabytes
//! stayed for as long as nobody came. So one is freed every second.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

/// As long as the allocator keeps what is freed.
const EVERY: Duration = Duration::from_secs(1);
/// Too large for a page with others, so that its page is freed with it. Never written to: it takes no memory.
const ALONE_IN_ITS_PAGE_BYTES: usize = 4 << 20;

/// Has the allocator look, again and again.
pub(super) async fn give_memory_back() -> Result<(), Infallible> {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        drop(std::hint::black_box(Vec::<u8>::with_capacity(ALONE_IN_ITS_PAGE_BYTES)));
    }
}

//! Smoothing as OpenCV does it, borders included: the same kernels, the same rounding to within one level.

mod average;
mod bilateral;
mod border;
mod gaussian;
mod median;
mod networks;

use crate::Frame;

/// How a pixel follows from its neighbourhood of `kernel` × `kernel` pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Smoothing {
    /// Their mean (OpenCV `blur`).
    Average,
    /// Their mean weighted by a Gaussian (OpenCV `GaussianBlur` with a sigma of 0, that is, one that follows from the
    /// kernel's size: 0.3 · ((kernel − 1) / 2 − 1) + 0.8).
    Gaussian,
    /// The median of each channel (OpenCV `medianBlur`).
    Median,
    /// Their mean weighted by distance and by likeness, which keeps edges (OpenCV `bilateralFilter` with both sigmas 75).
    Bilateral,
}

/// The largest kernel, pixels: beyond it a smaller picture says as much.
pub const MAX_KERNEL: u32 = 255;

/// The smoothed picture. An even kernel counts as the next odd one; one of 1 changes nothing.
#[must_use]
pub fn smooth(frame: &Frame, how: Smoothing, kernel: u32) -> Frame {
    let radius = (kernel.min(MAX_KERNEL) / 2) as usize;
    if radius == 0 || frame.is_empty() {
        return frame.clone();
    }
    match how {
        Smoothing::Average => average::average(frame, radius),
        Smoothing::Gaussian => gaussian::gaussian(frame, radius),
        Smoothing::Median => median::median(frame, radius),
        Smoothing::Bilateral => bilateral::bilateral(frame, radius),
    }
}

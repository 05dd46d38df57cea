//! Pixels to the float tensors that graphs take: NCHW, one plane per channel, R before G before B.

use crate::Frame;

/// `(sample × scale − mean) ÷ std` per channel, in single precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalise {
    /// Usually 1/255.
    pub scale: f32,
    /// Per channel, after scaling.
    pub mean: [f32; 3],
    /// Per channel, after scaling.
    pub std: [f32; 3],
}

impl Normalise {
    /// 0 to 1, nothing else: `sample ÷ 255`, the Ultralytics convention.
    pub const UNIT: Self = Self { scale: 1.0 / 255.0, mean: [0.0; 3], std: [1.0; 3] };

    /// What each of the 256 samples becomes in channel `channel`.
    fn table(&self, channel: usize) -> [f32; 256] {
        let (mean, std) = (self.mean[channel], self.std[channel]);
        std::array::from_fn(|sample| {
            // Dividing by 255 and multiplying by its reciprocal differ in the last bit; references divide.
            let sample = sample as f32;
            let scaled = if self.scale == Self::UNIT.scale { sample / 255.0 } else { sample * self.scale };
            (scaled - mean) / std
        })
    }
}

/// The frame as 3 × height × width floats.
#[must_use]
pub fn nchw_from(frame: &Frame, normalise: &Normalise) -> Vec<f32> {
    let plane = frame.width() as usize * frame.height() as usize;
    let mut tensor = vec![0.0f32; plane * 3];
    let tables: [[f32; 256]; 3] = std::array::from_fn(|channel| normalise.table(channel));
    let (red, rest) = tensor.split_at_mut(plane);
    let (green, blue) = rest.split_at_mut(plane);
    let planes = red.iter_mut().zip(green).zip(blue);
    for (((red, green), blue), pixel) in planes.zip(frame.pixels().chunks_exact(3)) {
        *red = tables[0][usize::from(pixel[0])];
        *green = tables[1][usize::from(pixel[1])];
        *blue = tables[2][usize::from(pixel[2])];
    }
    tensor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_follow_each_other_and_samples_are_divided() {
        let frame = Frame::new(2, 1, vec![0, 51, 255, 102, 114, 1]).unwrap();
        let tensor = nchw_from(&frame, &Normalise::UNIT);
        assert_eq!(tensor, [0.0, 102.0 / 255.0, 51.0 / 255.0, 114.0 / 255.0, 1.0, 1.0 / 255.0]);
        let imagenet = Normalise { mean: [0.5; 3], std: [0.25; 3], ..Normalise::UNIT };
        assert_eq!(nchw_from(&frame, &imagenet)[0], -2.0);
        assert!(nchw_from(&Frame::filled(0, 4, [0; 3]), &Normalise::UNIT).is_empty());
    }
}

//! Where detections crowd, as colours over the picture. Stateless: of the points given.

use crate::{Frame, PixelBox, Rgb};

/// One point of interest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Pixels from the left.
    pub x: f32,
    /// Pixels from the top.
    pub y: f32,
    /// How much it counts.
    pub weight: f32,
}

/// Colours from cold to hot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Colormap {
    /// Google's Turbo.
    #[default]
    Turbo,
    /// Matplotlib's Viridis.
    Viridis,
    /// Matplotlib's Inferno.
    Inferno,
    /// Matplotlib's Magma.
    Magma,
    /// Matplotlib's Plasma.
    Plasma,
}

/// How a heat map looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heat {
    /// How far a spot reaches, pixels.
    pub radius: f32,
    /// Weight of the hottest colour over the picture, 0 to 1.
    pub opacity: f32,
    /// The colours.
    pub colormap: Colormap,
}

impl Spot {
    /// The pixels of a picture of this width and height that its heat may reach.
    #[must_use]
    pub fn reach(&self, radius: f32, size: (u32, u32)) -> PixelBox {
        let finite = self.x.is_finite() && self.y.is_finite() && self.weight.is_finite();
        if !finite || self.weight <= 0.0 || radius <= 0.0 {
            return PixelBox { x: 0, y: 0, width: 0, height: 0 };
        }
        let (first, last) =
            (|at: f32| f64::from((at - radius).floor()), |at: f32| f64::from((at + radius).ceil()));
        PixelBox::from_corners([first(self.x), first(self.y), last(self.x), last(self.y)], size)
    }
}

impl Colormap {
    /// 256 colours, cold first.
    #[must_use]
    pub fn colours(self) -> [Rgb; 256] {
        let gradient = match self {
            Self::Turbo => colorous::TURBO,
            Self::Viridis => colorous::VIRIDIS,
            Self::Inferno => colorous::INFERNO,
            Self::Magma => colorous::MAGMA,
            Self::Plasma => colorous::PLASMA,
        };
        std::array::from_fn(|at| gradient.eval_rational(at, 256).as_array())
    }
}

/// The picture with the heat of `spots` over it.
///
/// A spot's heat falls from its weight at the centre to 0 at `radius` (Epanechnikov's kernel, 1 − d²/r²); heats add up, and
/// the hottest pixel takes the hottest colour. The colour's weight rises with the heat, so that cold parts show the
/// picture as it is.
#[must_use]
pub fn heatmap(frame: &Frame, spots: &[Spot], heat: &Heat) -> Frame {
    let (width, height) = (frame.width(), frame.height());
    let mut heats = vec![0.0f32; width as usize * height as usize];
    spots.iter().for_each(|spot| add(&mut heats, (width, height), spot, heat.radius));
    let hottest = heats.iter().copied().fold(0.0, f32::max);
    if hottest <= 0.0 {
        return frame.clone();
    }
    let colours = heat.colormap.colours();
    let pixel = |(pixel, warmth): (&[u8], f32)| {
        let share = warmth / hottest;
        let colour = colours[(share * 255.0).round() as usize];
        // Full weight from a quarter of the heat on: below, the map fades into the picture.
        let weight = heat.opacity * (share * 4.0).min(1.0);
        [0, 1, 2].map(|channel: usize| {
            let own = f32::from(pixel[channel]);
            (own + (f32::from(colour[channel]) - own) * weight).round() as u8
        })
    };
    let pixels = frame.pixels().chunks_exact(3).zip(heats).flat_map(pixel).collect();
    Frame::new(frame.width(), frame.height(), pixels).expect("a heat for every pixel")
}

fn add(heats: &mut [f32], (width, height): (u32, u32), spot: &Spot, radius: f32) {
    let part = spot.reach(radius, (width, height));
    for y in part.y..part.y + part.height {
        let down = (y as f32 + 0.5 - spot.y).powi(2);
        for x in part.x..part.x + part.width {
            let share = 1.0 - ((x as f32 + 0.5 - spot.x).powi(2) + down) / (radius * radius);
            if share > 0.0 {
                heats[y as usize * width as usize + x as usize] += spot.weight * share;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spot_reaches_what_lies_on_the_picture() {
        let reach = |x, y, weight| Spot { x, y, weight }.reach(2.0, (10, 8));
        assert_eq!(reach(5.5, 4.0, 1.0), PixelBox { x: 3, y: 2, width: 5, height: 4 });
        assert_eq!(reach(0.0, 8.0, 1.0), PixelBox { x: 0, y: 6, width: 2, height: 2 });
        assert!(reach(-9.0, 4.0, 1.0).is_empty() && reach(5.0, 4.0, 0.0).is_empty());
        assert!(reach(f32::NAN, 4.0, 1.0).is_empty() && reach(f32::INFINITY, 4.0, 1.0).is_empty());
    }
}

//! Twenty colours that are easy to tell apart on photographs and from their neighbours in the list.

use super::Rgb;

const PALETTE: [Rgb; 20] = [
    [255, 64, 87],
    [0, 158, 235],
    [255, 176, 0],
    [24, 176, 88],
    [155, 81, 224],
    [255, 115, 38],
    [0, 186, 182],
    [233, 66, 190],
    [140, 190, 28],
    [72, 98, 240],
    [178, 92, 44],
    [252, 226, 5],
    [112, 214, 255],
    [196, 24, 54],
    [0, 118, 84],
    [255, 154, 178],
    [94, 60, 168],
    [182, 226, 122],
    [128, 128, 140],
    [20, 78, 148],
];

/// The colour of `key` in `own`, or in the built-in palette when that is empty; keys beyond the end begin anew.
pub(super) fn colour(own: &[Rgb], key: i64) -> Rgb {
    let colours = if own.is_empty() { &PALETTE[..] } else { own };
    colours[key.rem_euclid(colours.len() as i64) as usize]
}

/// Black or white, whichever reads better on `colour` (relative luminance, WCAG 2).
pub(super) fn ink_on(colour: Rgb) -> Rgb {
    let linear = |sample: u8| {
        let share = f32::from(sample) / 255.0;
        if share <= 0.040_45 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
    };
    let [red, green, blue] = colour.map(linear);
    let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    // Where the contrast to black and to white is equal; white gets a little more, as it looks bolder.
    if luminance > 0.28 { [0, 0, 0] } else { [255, 255, 255] }
}

//! Files that are pictures as far as their headers go.

/// The head of a PNG of this size.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    bytes
}

/// The head of a JPEG of this size, `padding` bytes of comments before it.
pub(crate) fn jpeg(width: u16, height: u16, padding: usize) -> Vec<u8> {
    let mut bytes = b"\xff\xd8".to_vec();
    for left in (0..padding).step_by(60_000) {
        let length = (padding - left).min(60_000);
        bytes.extend(b"\xff\xfe");
        bytes.extend((length as u16 + 2).to_be_bytes());
        bytes.extend(std::iter::repeat_n(b' ', length));
    }
    bytes.extend(b"\xff\xc0\0\x11\x08");
    bytes.extend(height.to_be_bytes());
    bytes.extend(width.to_be_bytes());
    bytes.extend([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
    bytes
}

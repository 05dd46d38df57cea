//! Protocol buffers, as much as ONNX needs: varints, fixed 32 bits, and bytes with a length.

/// A message that is being written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    /// An integer field. Zero is written too: a reader cannot tell it from a missing one.
    pub(crate) fn integer(&mut self, field: u32, value: i64) -> &mut Self {
        self.key(field, 0);
        // Negative numbers are ten bytes long, as protocol buffers want it.
        self.varint(value.cast_unsigned());
        self
    }

    /// A field of single precision.
    pub(crate) fn float(&mut self, field: u32, value: f32) -> &mut Self {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// A field of bytes or text.
    pub(crate) fn bytes(&mut self, field: u32, value: &[u8]) -> &mut Self {
        self.key(field, 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    /// A field that is a message itself.
    pub(crate) fn message(&mut self, field: u32, value: &Self) -> &mut Self {
        self.bytes(field, &value.0)
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn key(&mut self, field: u32, wire_type: u32) {
        self.varint(u64::from(field << 3 | wire_type));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_encoding_guide_shows_them() {
        let mut inner = Message::default();
        inner.integer(1, 150);
        let mut outer = Message::default();
        outer.message(3, &inner).bytes(2, b"testing").float(4, 1.0).integer(5, -1);
        let mut expected = vec![0x1a, 3, 0x08, 0x96, 0x01, 0x12, 7];
        expected.extend(b"testing\x25\0\0\x80\x3f\x28");
        expected.extend([0xff; 9]);
        expected.push(1);
        assert_eq!(outer.into_bytes(), expected);
    }
}

//! How large a value is as JSON, without writing it down.

use std::io::Write;

use serde::Serialize;

/// The length of the value as compact JSON, bytes; what cannot be JSON, a map whose keys are no text, counts as beyond any limit.
#[must_use]
pub fn json_bytes(value: &(impl Serialize + ?Sized)) -> usize {
    let mut count = Count(0);
    serde_json::to_writer(&mut count, value).map_or(usize::MAX, |()| count.0)
}

struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_the_length_of_what_would_be_written() {
        let value = json!({"a": [1, 2.5, null], "b\n": "ä\u{1}"});
        assert_eq!(json_bytes(&value), value.to_string().len());
    }
}

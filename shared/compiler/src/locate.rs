//! From a JSON pointer to the line and column of the text it points into, for people who edit the file.

use std::fmt;

/// A place in a text; both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// Where the value that `pointer` (RFC 6901) leads to begins in `text`. A pointer to something that is missing gives
/// the place of the innermost value around it that exists. None when the text is not JSON that far.
#[must_use]
pub fn locate(text: &str, pointer: &str) -> Option<Location> {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0 };
    scanner.space();
    let mut found = scanner.at;
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        match scanner.enter(&token)? {
            true => found = scanner.at,
            false => break,
        }
    }
    text.get(..found).map(location_of_end)
}

/// The place just behind a text.
fn location_of_end(before: &str) -> Location {
    let line = before.matches('\n').count() + 1;
    let last = before.rsplit('\n').next().unwrap_or_default();
    Location { line, column: last.chars().count() + 1 }
}

/// Walks over JSON without keeping any of it, and without recursion.
struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// From the start of a value to the start of its member `token`; false when it has no such member.
    fn enter(&mut self, token: &str) -> Option<bool> {
        match self.peek()? {
            b'{' => self.enter_object(token),
            b'[' => self.enter_array(token),
            _ => Some(false),
        }
    }

    fn enter_object(&mut self, name: &str) -> Option<bool> {
        self.at += 1;
        loop {
            self.space();
            if self.peek()? != b'"' {
                return Some(false);
            }
            let start = self.at;
            self.string()?;
            let key = std::str::from_utf8(&self.bytes[start..self.at]).ok()?;
            let key = serde_json::from_str::<String>(key).ok()?;
            self.space();
            self.expect(b':')?;
            self.space();
            if key == name {
                return Some(true);
            }
            if !self.next_member()? {
                return Some(false);
            }
        }
    }

    fn enter_array(&mut self, position: &str) -> Option<bool> {
        let Ok(position) = position.parse::<usize>() else { return Some(false) };
        self.at += 1;
        self.space();
        if self.peek()? == b']' {
            return Some(false);
        }
        for _ in 0..position {
            if !self.next_member()? {
                return Some(false);
            }
            self.space();
        }
        Some(true)
    }

    /// Over a value and the comma behind it; false when it was the last.
    fn next_member(&mut self) -> Option<bool> {
        self.skip_value()?;
        self.space();
        let more = self.peek()? == b',';
        self.at += usize::from(more);
        Some(more)
    }

    fn skip_value(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => self.string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' => self.at += 1,
                byte if byte.is_ascii_whitespace() => self.at += 1,
                _ => self.scalar(),
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn scalar(&mut self) {
        while self.peek().is_some_and(|byte| !byte.is_ascii_whitespace() && !b",]}".contains(&byte)) {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\n  \"näme\": \"a{[\\\"\",\n  \"nodes\": [\n    {\"id\": \"x\", \"config\": {\"a/b\": [1, [2], 3]}},\n    {\"ä\": 1, \"id\": 7}\n  ]\n}\n";

    #[test]
    fn pointers_lead_to_places() {
        for (pointer, place) in [
            ("", "1:1"),
            ("/näme", "2:11"),
            ("/nodes", "3:12"),
            ("/nodes/0", "4:5"),
            ("/nodes/0/config/a~1b/2", "4:44"),
            ("/nodes/1/id", "5:20"),
            // What is missing is shown by what is around it.
            ("/nodes/1/inputs/image", "5:5"),
            ("/nodes/9", "3:12"),
            ("/nodes/x", "3:12"),
        ] {
            assert_eq!(locate(TEXT, pointer).unwrap().to_string(), place, "{pointer}");
        }
        assert_eq!(locate("{\"a\": ", "/b"), None);
    }
}

//! Python literals (`{0: 'circle', 1: "it's"}`, `[640, 640]`, `True`) as JSON. A parser, not an evaluator: what is no
//! literal is an error. Depth and length are bounded, for the text comes out of a file that anybody may have made.

use serde_json::{Map, Number, Value};

const MOST_BYTES: usize = 4 * 1024 * 1024;
const MOST_DEPTH: usize = 16;

/// Why a text is no literal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub(crate) struct LiteralError {
    what: &'static str,
    at: usize,
}

/// Reads one literal. Keys of dicts become text, tuples become lists, `None` becomes null.
pub(crate) fn parse(text: &str) -> Result<Value, LiteralError> {
    let mut parser = Parser { text, at: 0 };
    if text.len() > MOST_BYTES {
        return Err(parser.fault("the text is too long"));
    }
    let value = parser.value(0)?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.fault("something follows the value"));
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, LiteralError> {
        if depth > MOST_DEPTH {
            return Err(self.fault("the value is nested too deeply"));
        }
        self.skip_space();
        match self.peek() {
            Some('{') => self.dict(depth),
            Some('[') => self.list(depth, ']'),
            Some('(') => self.list(depth, ')'),
            Some('\'' | '"') => self.string().map(Value::String),
            Some('-' | '+' | '.' | '0'..='9') => self.number(),
            Some(c) if c.is_ascii_alphabetic() => self.word(),
            _ => Err(self.fault("a value is missing")),
        }
    }

    fn dict(&mut self, depth: usize) -> Result<Value, LiteralError> {
        let mut fields = Map::new();
        self.at += 1;
        while !self.closes('}') {
            let key = match self.value(depth + 1)? {
                Value::String(text) => text,
                key @ (Value::Number(_) | Value::Bool(_) | Value::Null) => key.to_string(),
                _ => return Err(self.fault("a key must be text or a number")),
            };
            self.skip_space();
            if self.peek() != Some(':') {
                return Err(self.fault("a ':' is missing"));
            }
            self.at += 1;
            fields.insert(key, self.value(depth + 1)?);
            self.comma('}')?;
        }
        Ok(Value::Object(fields))
    }

    fn list(&mut self, depth: usize, end: char) -> Result<Value, LiteralError> {
        let mut items = Vec::new();
        self.at += 1;
        while !self.closes(end) {
            items.push(self.value(depth + 1)?);
            self.comma(end)?;
        }
        Ok(Value::Array(items))
    }

    /// Whether the collection ends here; the end is consumed.
    fn closes(&mut self, end: char) -> bool {
        self.skip_space();
        let closes = self.peek() == Some(end);
        self.at += usize::from(closes);
        closes
    }

    /// Consumes a comma, which only the end may stand in for.
    fn comma(&mut self, end: char) -> Result<(), LiteralError> {
        self.skip_space();
        match self.peek() {
            Some(',') => self.at += 1,
            Some(c) if c == end => {}
            _ => return Err(self.fault("a ',' or the end is missing")),
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, LiteralError> {
        let quote = self.next().ok_or(self.fault("a quote is missing"))?;
        let mut text = String::new();
        loop {
            match self.next().ok_or(self.fault("the text has no end"))? {
                c if c == quote => return Ok(text),
                '\\' => self.escape(&mut text)?,
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<(), LiteralError> {
        let character = match self.next().ok_or(self.fault("the text has no end"))? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            c @ ('\\' | '\'' | '"') => c,
            'x' => self.code(2)?,
            'u' => self.code(4)?,
            'U' => self.code(8)?,
            _ => return Err(self.fault("an unknown escape")),
        };
        text.push(character);
        Ok(())
    }

    /// The character with the code of so many hex digits.
    fn code(&mut self, digits: usize) -> Result<char, LiteralError> {
        let code =
            self.text.get(self.at..self.at + digits).and_then(|code| u32::from_str_radix(code, 16).ok());
        let character = code.and_then(char::from_u32).ok_or(self.fault("an escape that is no character"))?;
        self.at += digits;
        Ok(character)
    }

    fn number(&mut self) -> Result<Value, LiteralError> {
        let start = self.at;
        let part = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E' | '_');
        while self.peek().is_some_and(part) {
            self.at += 1;
        }
        let digits = self.text[start..self.at].replace('_', "");
        if let Ok(whole) = digits.parse::<i64>() {
            return Ok(whole.into());
        }
        let number = digits.parse::<f64>().ok().and_then(Number::from_f64);
        number.map(Value::Number).ok_or(LiteralError { what: "not a number", at: start })
    }

    fn word(&mut self) -> Result<Value, LiteralError> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_alphabetic()) {
            self.at += 1;
        }
        match &self.text[start..self.at] {
            "True" | "true" => Ok(true.into()),
            "False" | "false" => Ok(false.into()),
            "None" | "null" => Ok(Value::Null),
            _ => Err(LiteralError { what: "a name where a value is wanted", at: start }),
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    fn fault(&self, what: &'static str) -> LiteralError {
        LiteralError { what, at: self.at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn what_exporters_write_is_read() {
        let read = |text: &str| parse(text).unwrap();
        assert_eq!(read("{0: 'circle', 1: \"it's\"}"), json!({"0": "circle", "1": "it's"}));
        assert_eq!(read("[320, 320]"), json!([320, 320]));
        assert_eq!(
            read("{'batch': 1, 'half': False, 'nms': None}"),
            json!({"batch": 1, "half": false, "nms": null})
        );
        assert_eq!(read("(1, 2.5,)"), json!([1, 2.5]));
        assert_eq!(read(r"'caf\xe9 \u00fc\n\''"), json!("café ü\n'"));
        assert_eq!(read("-1e3"), json!(-1000.0));
        assert_eq!(read("{}"), json!({}));
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        for text in
            ["", "{", "[1", "{1 2}", "__import__('os')", "1 2", "'open", "nan", "{[]: 1}", "[1 2]", r"'\q'"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&"[".repeat(10_000)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r#"[\[\]{}(),:'"\\a-zA-Z0-9.+\-ux é]{0,40}"#) {
            drop(parse(&text));
        }
    }
}

//! Kinds: what a port carries. Checked when a definition is compiled.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::IdError;

/// The kind of a value on a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An image by blob reference.
    Image,
    /// A set of detections on one image.
    Detections,
    /// Ranked classes.
    Classification,
    /// A vector of floats.
    Embedding,
    /// A class map over an image.
    Mask,
    /// Instances as run-length masks.
    Segments,
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Float,
    /// True or false.
    Boolean,
    /// An RFC 3339 instant.
    Timestamp,
    /// A JSON object.
    Object,
    /// A multi-page document by blob reference.
    Document,
    /// One page of a document.
    Page,
    /// Anything.
    Any,
    /// A list of one kind.
    List(Box<Kind>),
}

const NAMES: [(&str, Kind); 15] = [
    ("image", Kind::Image),
    ("detections", Kind::Detections),
    ("classification", Kind::Classification),
    ("embedding", Kind::Embedding),
    ("mask", Kind::Mask),
    ("segments", Kind::Segments),
    ("string", Kind::String),
    ("integer", Kind::Integer),
    ("float", Kind::Float),
    ("boolean", Kind::Boolean),
    ("timestamp", Kind::Timestamp),
    ("object", Kind::Object),
    ("document", Kind::Document),
    ("page", Kind::Page),
    ("any", Kind::Any),
];

impl Kind {
    /// `list<inner>`.
    #[must_use]
    pub fn list(inner: Kind) -> Self {
        Self::List(Box::new(inner))
    }

    /// The kind of one element, if this is a list.
    #[must_use]
    pub fn element(&self) -> Option<&Kind> {
        match self {
            Self::List(inner) => Some(inner),
            _ => None,
        }
    }

    /// Whether a value of this kind may stand where `wanted` is asked for.
    #[must_use]
    pub fn fits(&self, wanted: &Kind) -> bool {
        match (self, wanted) {
            (_, Kind::Any) | (Kind::Any, _) | (Kind::Integer, Kind::Float) => true,
            (Kind::List(have), Kind::List(want)) => have.fits(want),
            (have, Kind::Object) => !matches!(
                have,
                Kind::List(_) | Kind::String | Kind::Integer | Kind::Float | Kind::Boolean | Kind::Timestamp
            ),
            (have, want) => have == want,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::List(inner) = self {
            return write!(f, "list<{inner}>");
        }
        let name = NAMES.iter().find(|(_, kind)| kind == self).map_or("any", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Kind {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(inner) = text.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>')) {
            return inner.parse().map(Kind::list);
        }
        let found = NAMES.iter().find(|(name, _)| *name == text);
        found
            .map(|(_, kind)| kind.clone())
            .ok_or_else(|| IdError { what: "kind", value: text.chars().take(80).collect() })
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_survive_their_text_form() {
        for text in ["image", "list<image>", "list<list<detections>>", "any"] {
            assert_eq!(text.parse::<Kind>().unwrap().to_string(), text);
        }
        assert!("list<pictures>".parse::<Kind>().is_err());
    }

    #[test]
    fn a_list_does_not_fit_an_item_nor_an_item_a_list() {
        assert!(!Kind::list(Kind::Image).fits(&Kind::Image));
        assert!(!Kind::Image.fits(&Kind::list(Kind::Image)));
        assert!(Kind::Integer.fits(&Kind::Float));
        assert!(!Kind::Float.fits(&Kind::Integer));
        assert!(Kind::Detections.fits(&Kind::Object));
        assert!(!Kind::list(Kind::Any).fits(&Kind::Object));
    }
}

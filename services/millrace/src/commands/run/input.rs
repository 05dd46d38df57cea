//! `--input name=value` and `--input name=@file`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_json::Value;

/// One input of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Input {
    pub(super) name: String,
    given: Given,
}

#[derive(Debug, Clone, PartialEq)]
enum Given {
    Value(Value),
    File(PathBuf),
}

impl Input {
    /// The value, unless it is a file.
    pub(super) fn value(&self) -> Option<&Value> {
        match &self.given {
            Given::Value(value) => Some(value),
            Given::File(_) => None,
        }
    }

    /// The file, if it is one.
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.given {
            Given::Value(_) => None,
            Given::File(path) => Some(path),
        }
    }
}

impl FromStr for Input {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, given) = text.split_once('=').ok_or("write name=value or name=@file")?;
        if name.is_empty() {
            return Err("the name before `=` is empty".to_owned());
        }
        let given = match given.strip_prefix('@') {
            Some(path) if Path::new(path).is_file() => Given::File(path.into()),
            Some(path) if Path::new(path).is_dir() => {
                return Err(format!("{path} is a folder; name a file in it"));
            }
            Some(path) => return Err(format!("there is no file {path}")),
            None => Given::Value(serde_json::from_str(given).unwrap_or_else(|_| given.into())),
        };
        Ok(Self { name: name.to_owned(), given })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_json_where_they_can_be() {
        let value = |text: &str| text.parse::<Input>().unwrap().value().cloned();
        assert_eq!(value("min=0.5"), Some(json!(0.5)));
        assert_eq!(value("name=cat"), Some(json!("cat")));
        assert_eq!(value("eq=a=b"), Some(json!("a=b")));
        assert_eq!(value("list=[1,2]"), Some(json!([1, 2])));
        assert!("novalue".parse::<Input>().is_err());
        assert!("=x".parse::<Input>().is_err());
        assert!("photo=@/nonexistent/x.jpg".parse::<Input>().unwrap_err().contains("no file"));
        assert!("photo=@/tmp".parse::<Input>().unwrap_err().contains("a folder"));
    }
}

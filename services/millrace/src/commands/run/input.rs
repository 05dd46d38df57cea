//! `--input name=value` and `--input name=@file`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::client::Problem;
use crate::exit::Misuse;

/// What the api says of a text that is no picture.
const NO_PICTURE: [&str; 2] = ["INVALID_IMAGE", "UNSUPPORTED_IMAGE"];

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
            Some(path) if Path::new(path).is_dir() => {
                return Err(format!("{path} is a folder; name a file in it"));
            }
            // Pipes too, such as those that `<(…)` of a shell makes.
            Some(path) if Path::new(path).exists() => Given::File(path.into()),
            Some(path) => return Err(format!("there is no file {path}")),
            None => Given::Value(serde_json::from_str(given).unwrap_or_else(|_| given.into())),
        };
        Ok(Self { name: name.to_owned(), given })
    }
}

/// The values by name. A name that is given once more would silently lose one of the two; files of one name make a list.
pub(super) fn values(inputs: &[Input]) -> Result<Map<String, Value>, Misuse> {
    let mut values = Map::new();
    for input in inputs {
        let Some(value) = input.value() else { continue };
        let name = &input.name;
        if inputs.iter().filter(|other| other.name == *name).count() > 1 {
            return Err(Misuse(format!("--input {name}: given twice; write a list as JSON: {name}=[…]")));
        }
        values.insert(name.clone(), value.clone());
    }
    Ok(values)
}

/// What the api answered, with a question where it takes an input for no picture whose text is the name of a file: an `@` may have
/// been forgotten.
pub(super) fn ask_for_forgotten(mut answer: anyhow::Error, inputs: &[Input]) -> anyhow::Error {
    let faults = answer.downcast_mut::<Problem>().map(|problem| problem.errors.iter_mut());
    for fault in faults.into_iter().flatten().filter(|fault| NO_PICTURE.contains(&fault.code.as_ref())) {
        let meant = inputs.iter().find(|input| fault.pointer == format!("/input/{}", input.name));
        let text = meant.and_then(Input::value).and_then(Value::as_str);
        if let Some((input, path)) = meant.zip(text)
            && Path::new(path).is_file()
        {
            fault.hint = Some(format!("did you mean {}=@{path}?", input.name));
        }
    }
    answer
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

    #[test]
    fn no_value_is_lost_to_another_of_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cat.jpg");
        std::fs::write(&path, "pixels").unwrap();
        let file = format!("photo=@{}", path.display());
        let read = |texts: &[&str]| {
            let inputs: Vec<Input> = texts.iter().map(|text| text.parse().unwrap()).collect();
            values(&inputs).map(Value::Object).map_err(|fault| fault.to_string())
        };
        assert_eq!(read(&["min=0.5", &file, &file]), Ok(json!({"min": 0.5})));
        for twice in [&["min=1", "min=2"][..], &["photo=https://example.com/cat.jpg", &file]] {
            assert!(read(twice).unwrap_err().contains("given twice"), "{twice:?}");
        }
    }

    #[test]
    fn a_forgotten_sign_is_asked_for_where_the_text_names_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cat.jpg");
        std::fs::write(&path, "pixels").unwrap();
        let inputs = [format!("photo={}", path.display()), "other=nowhere.jpg".to_owned()];
        let inputs = inputs.map(|text| text.parse::<Input>().unwrap());
        let fault = |name: &str| json!({"code": "INVALID_IMAGE", "pointer": format!("/input/{name}"), "message": "no picture", "hint": "send a blob id"});
        let body = json!({"status": 422, "title": "x", "errors": [fault("photo"), fault("other")]});
        let told = ask_for_forgotten(Problem::read(422, &body.to_string()).into(), &inputs).to_string();
        assert!(told.contains(&format!("did you mean photo=@{}?", path.display())), "{told}");
        assert_eq!(told.matches("send a blob id").count(), 1, "{told}");
    }
}

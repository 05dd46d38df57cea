//! What a request says of a model that is run as plain tensors: by its task, its family, and how it takes pictures.

use millrace_contracts::model::{ImageInput, RegisteredModel};
use millrace_contracts::{Fault, Faults};
use serde_json::Value;

/// The task, and the family that it stands for.
const TASK: &str = "tensor";
const FAMILY: &str = "raw";

/// How a picture becomes a tensor.
pub(super) fn read_image(value: Option<Value>, faults: &mut Faults) -> Option<ImageInput> {
    let read = serde_json::from_value::<ImageInput>(value?).map_err(|error| error.to_string());
    match read.and_then(|image| image.fault().map_or(Ok(image), Err)) {
        Ok(image) => Some(image),
        Err(why) => {
            let fault =
                Fault::new("INVALID_VALUE", "/image", format!("no picture is made in this way: {why}"));
            faults.push(fault.hint("write such as {\"size\": [640, 480], \"mean\": [0.5, 0.5, 0.5]}"));
            None
        }
    }
}

/// Refuses what can never be used: the two say what reads the model, and they say different things.
pub(super) fn check(model: &RegisteredModel, faults: &mut Faults) {
    let family = model.run_as();
    if model.task == TASK && family != Some(FAMILY) {
        let message = "models of another family take no plain tensors";
        faults
            .push(Fault::new("INVALID_VALUE", "/family", message).hint("leave it out, or name another task"));
    }
    if model.image.is_some() && family != Some(FAMILY) {
        let message = "`image` is for models that are run as plain tensors";
        let hint = "others are told by `preprocess`; for plain tensors the `task` is tensor";
        faults.push(Fault::new("INVALID_VALUE", "/image", message).hint(hint));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{read, record_of, registered};
    use super::*;

    fn parsed(more: &Value) -> Result<RegisteredModel, Vec<String>> {
        let mut model =
            json!({"id": "a", "task": "tensor", "checkpoint": format!("blob:{}", "0".repeat(64))});
        let fields = model.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        read(fields.clone())
            .map_err(|problem| problem.errors().iter().map(|fault| fault.pointer.clone()).collect())
    }

    #[test]
    fn a_model_of_plain_tensors_may_take_pictures_and_is_the_same_after_it_was_recorded() {
        let model =
            parsed(&json!({"image": {"size": [64, 48], "mean": [0.485, 0.456, 0.406], "channels": "bgr"}}))
                .unwrap();
        assert_eq!((model.run_as(), model.family.as_deref()), (Some("raw"), None));
        let record = record_of(&model);
        assert_eq!(record.metadata["image"]["mean"], json!([0.485, 0.456, 0.406]), "as it was written");
        assert_eq!(registered(&record), Some(model));
        assert_eq!(parsed(&json!({"family": "raw", "task": "detection"})).unwrap().run_as(), Some("raw"));
    }

    #[test]
    fn what_could_never_be_used_is_refused() {
        let image = json!({"size": [4, 4]});
        for (odd, place) in [
            (json!({"family": "ultralytics-detect"}), "/family"),
            (json!({"task": "detection", "image": image}), "/image"),
            (json!({"image": {"size": [4]}}), "/image"),
            (json!({"image": {"size": [4, 4], "std": [0, 1, 1]}}), "/image"),
            (json!({"image": [4, 4]}), "/image"),
        ] {
            assert_eq!(parsed(&odd).unwrap_err(), [place], "{odd}");
        }
    }
}

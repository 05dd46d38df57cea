//! What is told of a model without loading it.

use millrace_contracts::model::ModelDescription;
use millrace_inference::{InferenceError, Repository, SessionSettings};

use crate::{goldens_folder, loader_of, root};

#[tokio::test]
async fn a_description_says_what_loading_finds() {
    let mut described = 0;
    for folder in [root().join("models"), goldens_folder()] {
        let repository = Repository::new(&folder);
        let loader = loader_of(folder, SessionSettings::default());
        for id in repository.list() {
            let loaded = loader.load(&id).await;
            match (repository.describe(&id), loaded) {
                (Ok(description), Ok(model)) => {
                    let info = model.info();
                    assert_eq!(description.family, info.family, "{id}");
                    assert_eq!(
                        (description.task.as_str(), &description.labels),
                        (info.task, &info.labels),
                        "{id}"
                    );
                    assert_eq!(description.embedding_dimension, info.embedding_dimension, "{id}");
                    assert_eq!(
                        (description.input_size, description.file_bytes),
                        (info.input_size, Some(info.bytes)),
                        "{id}"
                    );
                    let (digest, told) = (Some(info.digest.clone()), info.description());
                    assert_eq!(told, ModelDescription { digest, ..description }, "{id}");
                    described += 1;
                }
                (Err(described), Err(loaded)) => assert_eq!(described.kind(), loaded.kind(), "{id}"),
                (described, loaded) => panic!("{id}: {described:?}, and {:?}", loaded.map(drop)),
            }
        }
    }
    assert!(described > 10, "{described}");
}

#[test]
fn what_is_no_model_is_not_described() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("m")).unwrap();
    std::fs::write(folder.path().join("m/model.onnx"), "this is no model").unwrap();
    let error = Repository::new(folder.path()).describe(&"m".into()).unwrap_err();
    assert!(matches!(&error, InferenceError::Load { .. }), "{error}");
    assert!(error.to_string().contains("no ONNX file"), "{error}");
}

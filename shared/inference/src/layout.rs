//! Which files make a model, by their names alone: the same rules for a folder on the disk and for a prefix of an object store.

use std::collections::BTreeSet;

use millrace_contracts::ModelId;
use millrace_contracts::model::is_model_name;
pub(crate) use millrace_contracts::model::is_weights;

use crate::folder::BESIDE;
use crate::{Overrides, Part};

/// Where the graph may be, in the order of looking.
pub const GRAPHS: [&str; 6] = [
    "model.onnx",
    "onnx/model.onnx",
    "vision_model.onnx",
    "onnx/vision_model.onnx",
    "text_model.onnx",
    "onnx/text_model.onnx",
];
/// Folders that hold the towers of a model for pictures and texts, each a graph of its own. Preferred to the graph that
/// does both: it runs the one for the sake of the other.
pub const TOWERS: [[&str; 2]; 2] =
    [["vision_model.onnx", "text_model.onnx"], ["onnx/vision_model.onnx", "onnx/text_model.onnx"]];

/// The graphs of the model whose files are `there`, relative to its folder: the main one, and its companions.
pub(crate) fn graphs(there: impl Fn(&str) -> bool) -> Option<(&'static str, Vec<(Part, &'static str)>)> {
    let towers = TOWERS.iter().find(|towers| towers.iter().all(|graph| there(graph)));
    if let Some([vision, text]) = towers {
        return Some((vision, vec![(Part::Text, text)]));
    }
    GRAPHS.iter().find(|graph| there(graph)).map(|graph| (*graph, Vec::new()))
}

/// The graph of a folder that has none of the usual names, by the names of the files right in it or in its `onnx`: the only one,
/// as exporters name it after the model (`yolo11n.onnx`, `model_quantized.onnx`). Of several the owner names one. What is called
/// `onnx` is a part of a model, and none itself.
pub(crate) fn lone_graph<'a>(folder: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if folder == "onnx" || folder.ends_with("/onnx") {
        return None;
    }
    let right_in = |name: &&str| {
        let name = name.strip_prefix("onnx/").unwrap_or(name);
        name.ends_with(".onnx") && !name.starts_with('.') && !name.contains('/')
    };
    let mut graphs = names.into_iter().filter(right_in);
    graphs.next().filter(|_| graphs.next().is_none())
}

/// The models among files, by the paths of all of them, relative to the repository. A folder that is a model has no further
/// ones in it, but if all that speaks for it is a graph of another name than the usual ones: that may lie there by chance. One with
/// a `millrace.toml`, which may name its graph, is a model if there is any graph below it.
#[must_use]
pub fn models_among(paths: &BTreeSet<String>) -> BTreeSet<ModelId> {
    let mut folders: BTreeSet<&str> = BTreeSet::new();
    for path in paths {
        let by_graph = GRAPHS.iter().filter_map(|graph| path.strip_suffix(graph)?.strip_suffix('/'));
        folders.extend(by_graph);
        if let Some(folder) = path.strip_suffix(Overrides::FILE).filter(|folder| folder.ends_with('/')) {
            let below = paths.range(folder.to_owned()..).take_while(|path| path.starts_with(folder));
            if below.into_iter().any(|path| path.ends_with(".onnx")) {
                folders.extend(folder.strip_suffix('/'));
            }
        }
    }
    let is_inside = |folder: &str| {
        let above = folder.match_indices('/').map(|(at, _)| &folder[..at]);
        above.into_iter().any(|above| folders.contains(above))
    };
    let lone = paths.iter().filter_map(|path| owner_of_lone(path, paths));
    let own =
        folders.iter().copied().chain(lone).filter(|folder| is_model_name(folder) && !is_inside(folder));
    own.map(ModelId::from).collect()
}

/// The folder whose only graph is at `path`, right in it or in its `onnx`.
fn owner_of_lone<'a>(path: &'a str, paths: &BTreeSet<String>) -> Option<&'a str> {
    let (folder, name) = path.rsplit_once('/')?;
    if !name.ends_with(".onnx") {
        return None;
    }
    let folder = folder.strip_suffix("/onnx").unwrap_or(folder);
    let prefix = format!("{folder}/");
    let below = paths.range(prefix.clone()..).map_while(|path| path.strip_prefix(&prefix));
    lone_graph(folder, below).map(|_| folder)
}

/// The files that have a say in what a model answers, among those of its folder: its graphs (`graph`, where its owner names
/// one), the weights beside them, and what families read. None where there is no graph.
#[must_use]
pub fn files_among(names: &BTreeSet<String>, graph: Option<&str>) -> Option<BTreeSet<String>> {
    let there = |name: &str| names.contains(name);
    let graphs: Vec<&str> = match graph {
        Some(graph) => vec![graph],
        None => match graphs(there) {
            Some((main, beside)) => {
                std::iter::once(main).chain(beside.into_iter().map(|(_, graph)| graph)).collect()
            }
            None => vec![lone_graph("", names.iter().map(String::as_str))?],
        },
    };
    if !graphs.iter().all(|graph| there(graph)) {
        return None;
    }
    let place = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let weights = names
        .iter()
        .filter(|name| is_weights(name) && graphs.iter().any(|graph| place(graph) == place(name)));
    let beside = BESIDE.iter().flat_map(|name| [(*name).to_owned(), format!("onnx/{name}")]);
    let mut files: BTreeSet<String> = graphs.iter().map(|graph| (*graph).to_owned()).collect();
    files.extend(weights.cloned());
    files.extend(beside.filter(|name| there(name)));
    Some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn models_are_found_by_names_as_they_are_in_folders() {
        let paths = names(&[
            "plain/model.onnx",
            "plain/README.md",
            "plain-2/onnx/text_model.onnx",
            "acme/hub/onnx/model.onnx",
            "acme/hub/onnx/deeper/model.onnx",
            "named/exports/best.onnx",
            "named/millrace.toml",
            "unnamed/best.onnx",
            "unnamed/onnx/best_int8.onnx",
            "empty/millrace.toml",
            "export/yolo11n.onnx",
            "export/notes/first.txt",
            "variant/onnx/model_quantized.onnx",
            "hidden/.best.onnx",
            "deep/runs/train/weights/best.onnx",
            "vendor/yolo11n.onnx",
            "vendor/clip/onnx/model.onnx",
            ".hidden/model.onnx",
            "a/b/c/d/e/model.onnx",
            "model.onnx",
        ]);
        let found: Vec<String> = models_among(&paths).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "acme/hub",
                "deep/runs/train/weights",
                "export",
                "named",
                "plain",
                "plain-2",
                "variant",
                "vendor",
                "vendor/clip"
            ]
        );
    }

    #[test]
    fn only_files_that_have_a_say_are_wanted() {
        let hub = names(&[
            "README.md",
            "config.json",
            "onnx/model.onnx",
            "onnx/model.onnx_data",
            "onnx/model_fp16.onnx",
            "onnx/tokenizer.json",
            "other/model.onnx_data",
            "pytorch_model.bin",
        ]);
        let wanted =
            names(&["config.json", "onnx/model.onnx", "onnx/model.onnx_data", "onnx/tokenizer.json"]);
        assert_eq!(files_among(&hub, None), Some(wanted));
        let chosen = files_among(&hub, Some("onnx/model_fp16.onnx")).unwrap();
        assert!(chosen.contains("onnx/model_fp16.onnx") && !chosen.contains("onnx/model.onnx"));
        assert_eq!(files_among(&hub, Some("missing.onnx")), None);
        let towers = names(&["text_model.onnx", "vision_model.onnx", "model.onnx"]);
        assert_eq!(files_among(&towers, None), Some(names(&["text_model.onnx", "vision_model.onnx"])));
        assert_eq!(files_among(&names(&["config.json"]), None), None);
        let lone = names(&["yolo11n.onnx", "yolo11n.onnx.data", "yolo11n.pt"]);
        assert_eq!(files_among(&lone, None), Some(names(&["yolo11n.onnx", "yolo11n.onnx.data"])));
        assert_eq!(files_among(&names(&["a.onnx", "onnx/b.onnx"]), None), None, "which of them is not said");
    }
}

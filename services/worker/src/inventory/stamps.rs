//! Which models changed, by how their files stood when they were looked at. Rule: what is still being written is left alone; a
//! change counts once two looks in a row found the same.

use std::collections::BTreeMap;

use millrace_contracts::ModelId;

/// How the files of models stood. `S` says it of one model.
#[derive(Debug)]
pub(super) struct Stamps<S>(BTreeMap<ModelId, Stood<S>>);

#[derive(Debug)]
struct Stood<S> {
    /// How they stood when it last counted.
    known: S,
    /// How they stood at the last look, if that was another way.
    next: Option<S>,
}

impl<S> Default for Stamps<S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<S: PartialEq> Stamps<S> {
    /// Takes what a look found, and answers the models that changed. Models that are gone are forgotten, but for those that are
    /// `kept`: their files may come back as others.
    pub(super) fn note(&mut self, found: Vec<(ModelId, S)>, kept: impl Fn(&ModelId) -> bool) -> Vec<ModelId> {
        let mut before = std::mem::take(&mut self.0);
        let mut changed = Vec::new();
        for (id, now) in found {
            let stood = match before.remove(&id) {
                None => Stood { known: now, next: None },
                Some(stood) if stood.known == now => Stood { next: None, ..stood },
                Some(stood) if stood.next.as_ref() == Some(&now) => {
                    changed.push(id.clone());
                    Stood { known: now, next: None }
                }
                Some(stood) => Stood { next: Some(now), ..stood },
            };
            self.0.insert(id, stood);
        }
        self.0.extend(before.into_iter().filter(|(id, _)| kept(id)));
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(stamps: &mut Stamps<u32>, found: &[(&str, u32)]) -> Vec<String> {
        let found = found.iter().map(|(id, stamp)| (ModelId::from(*id), *stamp)).collect();
        let changed = stamps.note(found, |id| id.as_str() == "loaded");
        changed.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_change_counts_once_it_has_come_to_rest() {
        let mut stamps = Stamps::default();
        assert!(look(&mut stamps, &[("a", 1), ("b", 1)]).is_empty(), "new ones have not changed");
        assert!(look(&mut stamps, &[("a", 2), ("b", 1)]).is_empty());
        assert!(look(&mut stamps, &[("a", 3), ("b", 1)]).is_empty(), "still being copied");
        assert_eq!(look(&mut stamps, &[("a", 3), ("b", 1)]), ["a"]);
        assert!(look(&mut stamps, &[("a", 3), ("b", 1)]).is_empty(), "told once");
        assert!(look(&mut stamps, &[("a", 4), ("b", 1)]).is_empty());
        assert!(look(&mut stamps, &[("a", 3), ("b", 1)]).is_empty(), "as it was");
        assert!(look(&mut stamps, &[("a", 4), ("b", 1)]).is_empty(), "not in a row");
    }

    #[test]
    fn what_is_loaded_is_remembered_while_its_files_are_away() {
        let mut stamps = Stamps::default();
        look(&mut stamps, &[("loaded", 1), ("other", 1)]);
        look(&mut stamps, &[]);
        assert!(look(&mut stamps, &[("loaded", 2), ("other", 2)]).is_empty());
        assert_eq!(look(&mut stamps, &[("loaded", 2), ("other", 2)]), ["loaded"]);
    }
}

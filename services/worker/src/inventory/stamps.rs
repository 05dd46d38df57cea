//! Which models changed, by how their files stood when they were looked at. Rule: what is still being written is left alone; a
//! change counts once two looks in a row found the same.

use std::collections::BTreeMap;

use millrace_contracts::ModelId;

/// How the files of models stood. `S` says it of one model.
#[derive(Debug)]
pub(super) struct Stamps<S>(BTreeMap<ModelId, Stood<S>>);

#[derive(Debug)]
struct Stood<S> {
    /// How they stood when it last counted; none where nobody knows what was made of them.
    known: Option<S>,
    /// How they stood at the last look, if that was another way.
    next: Option<S>,
}

impl<S> Default for Stamps<S> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<S: PartialEq> Stamps<S> {
    /// Takes what a look found, and answers the models that changed. Those that are `loaded` and are seen for the first time may
    /// have been loaded before, of other files: they count as changed. Of those that are gone they alone are remembered: their
    /// files may come back as others.
    pub(super) fn note(
        &mut self,
        found: Vec<(ModelId, S)>,
        loaded: impl Fn(&ModelId) -> bool,
    ) -> Vec<ModelId> {
        let mut before = std::mem::take(&mut self.0);
        let mut changed = Vec::new();
        for (id, now) in found {
            let stood = match before.remove(&id) {
                None if loaded(&id) => Stood { known: None, next: Some(now) },
                None => Stood { known: Some(now), next: None },
                Some(stood) if stood.known.as_ref() == Some(&now) => Stood { next: None, ..stood },
                Some(stood) if stood.next.as_ref() == Some(&now) => {
                    changed.push(id.clone());
                    Stood { known: Some(now), next: None }
                }
                Some(stood) => Stood { next: Some(now), ..stood },
            };
            self.0.insert(id, stood);
        }
        self.0.extend(before.into_iter().filter(|(id, _)| loaded(id)));
        changed
    }

    /// Has a change that nothing could be made of count once more.
    pub(super) fn again(&mut self, id: &ModelId) {
        if let Some(stood) = self.0.get_mut(id) {
            stood.next = stood.known.take();
        }
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
    fn a_change_that_nothing_could_be_made_of_counts_again() {
        let mut stamps = Stamps::default();
        look(&mut stamps, &[("a", 1)]);
        look(&mut stamps, &[("a", 2)]);
        for _ in 0..2 {
            assert_eq!(look(&mut stamps, &[("a", 2)]), ["a"]);
            stamps.again(&"a".into());
        }
        assert!(look(&mut stamps, &[("a", 1)]).is_empty(), "it has to come to rest as ever");
        assert_eq!(look(&mut stamps, &[("a", 1)]), ["a"], "nothing was made of what it was");
        assert!(look(&mut stamps, &[("a", 1)]).is_empty());
    }

    #[test]
    fn what_was_loaded_before_it_was_looked_at_may_have_changed() {
        let mut stamps = Stamps::default();
        assert!(look(&mut stamps, &[("loaded", 1)]).is_empty());
        assert_eq!(look(&mut stamps, &[("loaded", 1)]), ["loaded"]);
        assert!(look(&mut stamps, &[("loaded", 1)]).is_empty(), "told once");
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

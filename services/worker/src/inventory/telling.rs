//! What is still to be told of the models, and what has to be remembered for that. Rule: what a model is stands in its files and is
//! read again where it is needed; only what they do not say is kept.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use millrace_contracts::model::ModelDescription;
use millrace_contracts::{ModelDigest, ModelId};

/// How far one is with telling. It does not grow beyond the models that are listed.
#[derive(Debug, Default)]
pub(super) struct Telling {
    /// The models at the last look.
    listed: BTreeSet<ModelId>,
    /// Which copies they turned out to be when they were loaded: that stays true once they are unloaded, until their files change.
    digests: BTreeMap<ModelId, ModelDigest>,
    /// Those whose files do not say what they are, until they change.
    mute: BTreeSet<ModelId>,
    /// Those of which something else is to be told than before, whoever told it.
    news: BTreeSet<ModelId>,
    /// Those to tell of until the next look.
    waiting: VecDeque<ModelId>,
}

impl Telling {
    /// These are the models now; which of those before are gone.
    pub(super) fn list(&mut self, ids: impl IntoIterator<Item = ModelId>) -> Vec<ModelId> {
        let now: BTreeSet<ModelId> = ids.into_iter().collect();
        let gone = self.listed.difference(&now).cloned().collect();
        self.digests.retain(|id, _| now.contains(id));
        self.mute.retain(|id| now.contains(id));
        self.news.retain(|id| now.contains(id));
        self.listed = now;
        gone
    }

    /// Its files are others than before.
    pub(super) fn change(&mut self, id: &ModelId) {
        self.digests.remove(id);
        self.mute.remove(id);
        self.news.insert(id.clone());
    }

    /// Notes which copies the loaded ones are.
    pub(super) fn note_copies(&mut self, loaded: &[ModelDescription]) {
        for copy in loaded.iter().filter(|copy| self.listed.contains(&copy.id)) {
            let Some(digest) = &copy.digest else { continue };
            if self.digests.insert(copy.id.clone(), digest.clone()).as_ref() != Some(digest) {
                self.news.insert(copy.id.clone());
            }
        }
    }

    /// Nobody tells of these: they are told of, after what is news.
    pub(super) fn wait(&mut self, untold: Vec<ModelId>) {
        self.waiting = self.news.iter().cloned().collect();
        self.waiting.extend(untold.into_iter().filter(|id| !self.news.contains(id)));
        self.waiting.retain(|id| !self.mute.contains(id));
    }

    /// The next one to tell of.
    pub(super) fn next(&mut self) -> Option<ModelId> {
        self.waiting.pop_front()
    }

    /// Whether there are more.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Nothing more can be told before the next look.
    pub(super) fn give_up(&mut self) {
        self.waiting.clear();
    }

    /// Its files do not say what it is.
    pub(super) fn is_mute(&mut self, id: ModelId) {
        self.news.remove(&id);
        self.mute.insert(id);
    }

    /// This was told.
    pub(super) fn told(&mut self, id: &ModelId) {
        self.news.remove(id);
    }

    /// Which copy it turned out to be.
    pub(super) fn digest(&self, id: &ModelId) -> Option<ModelDigest> {
        self.digests.get(id).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> Vec<ModelId> {
        names.iter().map(|&name| name.into()).collect()
    }

    fn copy(id: &str, digest: &str) -> ModelDescription {
        ModelDescription {
            id: id.into(),
            family: "raw".into(),
            task: "tensor".into(),
            labels: Vec::new(),
            embedding_dimension: None,
            input_size: None,
            file_bytes: None,
            digest: Some(digest.into()),
        }
    }

    fn all(telling: &mut Telling) -> Vec<ModelId> {
        std::iter::from_fn(|| telling.next()).collect()
    }

    #[test]
    fn what_is_news_is_told_first_until_it_is_told() {
        let mut telling = Telling::default();
        assert!(telling.list(ids(&["a", "b", "c", "d"])).is_empty());
        telling.change(&"c".into());
        telling.wait(ids(&["a", "b", "c", "d"]));
        assert_eq!((telling.next(), telling.next()), (Some("c".into()), Some("a".into())));
        assert!(telling.is_waiting());
        telling.told(&"c".into());
        assert_eq!(all(&mut telling), ids(&["b", "d"]));
        assert!(!telling.is_waiting());
        telling.is_mute("b".into());
        telling.wait(ids(&["b", "d"]));
        assert_eq!(all(&mut telling), ids(&["d"]), "b has nothing to say");
        telling.change(&"b".into());
        telling.wait(vec![]);
        assert_eq!(all(&mut telling), ids(&["b"]), "but its files changed");
        telling.wait(vec![]);
        assert_eq!(all(&mut telling), ids(&["b"]), "which has not been told yet");
    }

    #[test]
    fn which_copy_it_is_is_news_once_and_stays_known_until_the_files_change() {
        let mut telling = Telling::default();
        telling.list(ids(&["a", "b"]));
        let news = |telling: &mut Telling| {
            telling.wait(vec![]);
            all(telling)
        };
        telling.note_copies(&[copy("a", "12"), copy("elsewhere", "12")]);
        assert_eq!(news(&mut telling), ids(&["a"]));
        telling.told(&"a".into());
        telling.note_copies(&[copy("a", "12")]);
        telling.note_copies(&[]);
        assert!(news(&mut telling).is_empty(), "it was told");
        assert_eq!(telling.digest(&"a".into()), Some("12".into()), "it was unloaded");
        telling.change(&"a".into());
        assert_eq!(telling.digest(&"a".into()), None);
        assert_eq!(telling.list(ids(&["b"])), ids(&["a"]));
        assert!(news(&mut telling).is_empty(), "it is gone");
    }
}

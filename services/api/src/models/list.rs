//! The list of models: the registered ones and those that workers name, together in the order of their names, a page at a time. Rule:
//! what is said of a model is asked for only where it is shown.

use std::collections::BTreeMap;

use millrace_contracts::ModelId;
use millrace_store::ModelRecord;
use serde_json::Value;

use super::{Fleet, Known, page};
use crate::patience::patiently;
use crate::problem::Problem;
use crate::state::App;

/// Which models are wanted.
pub(crate) struct Wanted<'a> {
    /// Those whose name contains this, in whatever case.
    pub(crate) name: Option<&'a str>,
    /// Those that come after this one.
    pub(crate) after: Option<ModelId>,
    /// So many at most.
    pub(crate) limit: u32,
}

/// A page of them.
pub(crate) struct Listed {
    pub(crate) models: Vec<Value>,
    /// The last one, where there are more.
    pub(crate) last: Option<ModelId>,
}

/// Lists models.
pub(crate) async fn list(app: &App, wanted: &Wanted<'_>) -> Result<Listed, Problem> {
    let mut fleet = Fleet::of(&patiently(app.bus.workers()).await?);
    for id in patiently(app.bus.model_names(fleet.further())).await? {
        fleet.note_in_repository(&id);
    }
    let limit = wanted.limit as usize;
    // One more, to know whether there are more.
    let records = app.store.models().list(wanted.name, wanted.after.as_ref(), wanted.limit + 1).await?;
    let mut found: BTreeMap<ModelId, Option<ModelRecord>> =
        fleet.ids().filter(|id| wanted.has(id)).map(|id| (id, None)).collect();
    found.extend(records.into_iter().map(|record| (record.id.clone(), Some(record))));
    let are_more = found.len() > limit;
    let found: Vec<(ModelId, Option<ModelRecord>)> = found.into_iter().take(limit).collect();
    let there: Vec<ModelId> =
        found.iter().map(|(id, _)| id).filter(|id| fleet.has_in_repository(id)).cloned().collect();
    let described = patiently(app.bus.descriptions(&there)).await?;
    let warm: Vec<_> = found.iter().filter_map(|(id, _)| fleet.warm_copy(id)).collect();
    let copies = patiently(app.bus.copies(&warm)).await?;
    let known = |id: &ModelId, record| {
        let copy = fleet.warm_copy(id).and_then(|digest| copies.get(&digest));
        Known { record, description: described.get(id), copy }
    };
    let models = found.iter().map(|(id, record)| page(id, known(id, record.as_ref()), &fleet)).collect();
    Ok(Listed { models, last: found.last().filter(|_| are_more).map(|(id, _)| id.clone()) })
}

impl Wanted<'_> {
    fn has(&self, id: &ModelId) -> bool {
        let comes_after = self.after.as_ref().is_none_or(|after| id > after);
        comes_after && self.name.is_none_or(|part| id.as_str().to_lowercase().contains(&part.to_lowercase()))
    }
}

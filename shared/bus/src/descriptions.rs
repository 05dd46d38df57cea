//! What workers say of models: too much for every sign of life. Of those in their repositories it stands in one hash, beside who said
//! it, and expires with the last worker that renews it; rules: it tells of models that a sign of life names, and of no others, and who
//! said it has the say for as long as it lives, so that workers that see different files under one name do not talk over each other.
//! Of a loaded copy it stands under its digest, for as long as somebody has it loaded: whoever says it says the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use millrace_contracts::model::ModelDescription;
use millrace_contracts::{ModelDigest, ModelId, WorkerId};
use redis::{Cmd, Value};

use crate::lease::milliseconds;
use crate::{Bus, BusError, reply};

/// A longer description is told without the names of the classes.
const MOST_BYTES: usize = 1 << 20;
/// Before a model's name: the field that says who described it. No model's name begins with it.
const SAYER: char = '?';
/// Fields asked for at once: Redis does nothing else meanwhile.
const MOST_FIELDS: usize = 1_000;

impl Bus {
    /// Says what these models are, in the name of `worker`, whatever was said of them before; without [`Bus::undescribed`] within
    /// `ttl` it is forgotten.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn describe_models(
        &self,
        worker: &WorkerId,
        models: &[ModelDescription],
        ttl: Duration,
    ) -> Result<(), BusError> {
        let key = self.keys().descriptions();
        let mut commands = Vec::with_capacity(models.len() + 1);
        for model in models {
            // Both in one command: nobody is held to have said what a loss took away.
            let mut set = redis::cmd("HSET");
            set.arg(&key).arg(model.id.as_str()).arg(written(model)?);
            set.arg(sayer(&model.id)).arg(worker.as_str());
            commands.push(set);
        }
        commands.push(self.renewal(ttl));
        self.send("describe models", commands).await.map(drop)
    }

    /// Those of `ids` of which no worker that is alive says what they are. What was said is kept for another `ttl`.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn undescribed(&self, ids: &[ModelId], ttl: Duration) -> Result<Vec<ModelId>, BusError> {
        let what = "look which models are described";
        self.send(what, vec![self.renewal(ttl)]).await?;
        let said = self.sayers(what, ids).await?;
        let alive = self.alive(what, said.iter().flatten().collect()).await?;
        let is_said = |who: &Option<WorkerId>| who.as_ref().is_some_and(|who| alive.contains(who));
        Ok(ids.iter().zip(&said).filter(|(_, who)| !is_said(who)).map(|(id, _)| id.clone()).collect())
    }

    /// Takes back what `worker` said of these; what another said since stays.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn take_descriptions_back(&self, worker: &WorkerId, ids: &[ModelId]) -> Result<(), BusError> {
        let what = "take descriptions of models back";
        let said = self.sayers(what, ids).await?;
        let own: Vec<&ModelId> =
            ids.iter().zip(&said).filter(|(_, who)| who.as_ref() == Some(worker)).map(|(id, _)| id).collect();
        let forget = |ids: &[&ModelId]| {
            let mut forget = redis::cmd("HDEL");
            forget.arg(self.keys().descriptions());
            ids.iter().for_each(|id| _ = forget.arg(id.as_str()).arg(sayer(id)));
            forget
        };
        self.send(what, own.chunks(MOST_FIELDS).map(forget).collect()).await.map(drop)
    }

    /// Who described each of `ids`.
    async fn sayers(&self, what: &'static str, ids: &[ModelId]) -> Result<Vec<Option<WorkerId>>, BusError> {
        let ask = |ids: &[ModelId]| {
            let mut ask = redis::cmd("HMGET");
            ask.arg(self.keys().descriptions());
            ids.iter().for_each(|id| _ = ask.arg(sayer(id)));
            ask
        };
        let mut sayers = Vec::with_capacity(ids.len());
        for found in self.send(what, ids.chunks(MOST_FIELDS).map(ask).collect()).await? {
            for who in reply::array(what, found)? {
                let name = if reply::is_nil(&who) { None } else { Some(reply::text(what, who)?) };
                sayers.push(name.map(WorkerId::from));
            }
        }
        Ok(sayers)
    }

    /// Those of these workers that gave a sign of life lately.
    async fn alive<'a>(
        &self,
        what: &'static str,
        workers: BTreeSet<&'a WorkerId>,
    ) -> Result<BTreeSet<&'a WorkerId>, BusError> {
        let exists = |worker: &&WorkerId| {
            let mut exists = redis::cmd("EXISTS");
            exists.arg(self.keys().worker(worker));
            exists
        };
        let asked = self.send(what, workers.iter().map(exists).collect()).await?;
        let mut alive = BTreeSet::new();
        for (worker, is_there) in workers.into_iter().zip(asked) {
            if reply::integer(what, is_there)? == 1 {
                alive.insert(worker);
            }
        }
        Ok(alive)
    }

    fn renewal(&self, ttl: Duration) -> Cmd {
        expire(self.keys().descriptions(), ttl)
    }

    /// What is said of those of `ids` that are described. What does not read is passed over: it is of another version.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn descriptions(
        &self,
        ids: &[ModelId],
    ) -> Result<BTreeMap<ModelId, ModelDescription>, BusError> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let what = "read the descriptions of models";
        let mut ask = redis::cmd("HMGET");
        ask.arg(self.keys().descriptions());
        ids.iter().for_each(|id| _ = ask.arg(id.as_str()));
        let found = self.send(what, vec![ask]).await?.pop().unwrap_or(Value::Nil);
        let mut described = BTreeMap::new();
        for text in reply::array(what, found)? {
            if let Some(model) = read(what, text)? {
                described.insert(model.id.clone(), model);
            }
        }
        Ok(described)
    }

    /// Says what these loaded copies are, or that it still holds; without another call within `ttl` it is forgotten. What has no
    /// digest is passed over.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn describe_copies(&self, copies: &[ModelDescription], ttl: Duration) -> Result<(), BusError> {
        let what = "describe loaded models";
        let key = |copy: &ModelDescription| Some(self.keys().model_copy(copy.digest.as_ref()?));
        let copies: Vec<(String, &ModelDescription)> =
            copies.iter().filter_map(|copy| Some((key(copy)?, copy))).collect();
        let renewals = copies.iter().map(|(key, _)| expire(key.clone(), ttl)).collect();
        let mut news = Vec::new();
        for ((key, copy), renewed) in copies.iter().zip(self.send(what, renewals).await?) {
            if reply::integer(what, renewed)? == 0 {
                let mut set = redis::cmd("SET");
                set.arg(key).arg(written(copy)?).arg("PX").arg(milliseconds(ttl));
                news.push(set);
            }
        }
        self.send(what, news).await.map(drop)
    }

    /// What is said of those of these copies that somebody has loaded. What does not read is passed over: it is of another version.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn copies(
        &self,
        digests: &[ModelDigest],
    ) -> Result<BTreeMap<ModelDigest, ModelDescription>, BusError> {
        let what = "read the descriptions of loaded models";
        let get = |digest: &ModelDigest| {
            let mut get = redis::cmd("GET");
            get.arg(self.keys().model_copy(digest));
            get
        };
        let mut described = BTreeMap::new();
        for (digest, text) in digests.iter().zip(self.send(what, digests.iter().map(get).collect()).await?) {
            described.extend(read(what, text)?.map(|copy| (digest.clone(), copy)));
        }
        Ok(described)
    }
}

/// The field that says who described a model.
fn sayer(id: &ModelId) -> String {
    format!("{SAYER}{id}")
}

fn expire(key: String, ttl: Duration) -> Cmd {
    let mut expire = redis::cmd("PEXPIRE");
    expire.arg(key).arg(milliseconds(ttl));
    expire
}

fn written(model: &ModelDescription) -> Result<String, BusError> {
    let json = |model| serde_json::to_string(model).map_err(BusError::encode("a model's description"));
    let text = json(model)?;
    if text.len() <= MOST_BYTES {
        return Ok(text);
    }
    json(&ModelDescription { labels: Vec::new(), ..model.clone() })
}

fn read(what: &'static str, text: Value) -> Result<Option<ModelDescription>, BusError> {
    if reply::is_nil(&text) {
        return Ok(None);
    }
    Ok(serde_json::from_str(&reply::text(what, text)?).ok())
}

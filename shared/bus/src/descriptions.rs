//! What workers say of models: too much for every sign of life. Of those in their repositories it stands in one hash, which expires
//! with the last worker that renews it; rule: it tells of models that a sign of life names, and of no others. Of a loaded copy it
//! stands under its digest, for as long as somebody has it loaded: whoever says it says the same.

use std::collections::BTreeMap;
use std::time::Duration;

use millrace_contracts::model::ModelDescription;
use millrace_contracts::{ModelDigest, ModelId};
use redis::{Cmd, Value};

use crate::lease::milliseconds;
use crate::{Bus, BusError, reply};

/// A longer description is told without the names of the classes.
const MOST_BYTES: usize = 1 << 20;

impl Bus {
    /// Says what these models are; without [`Bus::renew_descriptions`] within `ttl` it is forgotten.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn describe_models(&self, models: &[ModelDescription], ttl: Duration) -> Result<(), BusError> {
        let key = self.keys().descriptions();
        let mut commands = Vec::with_capacity(models.len() + 1);
        for model in models {
            let mut set = redis::cmd("HSET");
            set.arg(&key).arg(model.id.as_str()).arg(written(model)?);
            commands.push(set);
        }
        commands.push(self.renewal(ttl));
        self.send("describe models", commands).await.map(drop)
    }

    /// Keeps what was said for another `ttl`; whether it was still there.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn renew_descriptions(&self, ttl: Duration) -> Result<bool, BusError> {
        let what = "renew the descriptions of models";
        let renewed = self.send(what, vec![self.renewal(ttl)]).await?.pop().unwrap_or(Value::Int(0));
        Ok(reply::integer(what, renewed)? == 1)
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

//! What workers say of the models in their repositories: too much for every sign of life, so it stands in a hash of its own,
//! which expires with the last worker that renews it. Rule: it tells of models that a sign of life names, and of no others.

use std::collections::BTreeMap;
use std::time::Duration;

use millrace_contracts::ModelId;
use millrace_contracts::model::ModelDescription;
use redis::Value;

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
            let json =
                |model| serde_json::to_string(model).map_err(BusError::encode("a model's description"));
            let mut text = json(model)?;
            if text.len() > MOST_BYTES {
                text = json(&ModelDescription { labels: Vec::new(), ..model.clone() })?;
            }
            let mut set = redis::cmd("HSET");
            set.arg(&key).arg(model.id.as_str()).arg(text);
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

    fn renewal(&self, ttl: Duration) -> redis::Cmd {
        let mut renew = redis::cmd("PEXPIRE");
        renew.arg(self.keys().descriptions()).arg(milliseconds(ttl));
        renew
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
        for text in reply::array(what, found)?.into_iter().filter(|text| !reply::is_nil(text)) {
            if let Ok(model) = serde_json::from_str::<ModelDescription>(&reply::text(what, text)?) {
                described.insert(model.id.clone(), model);
            }
        }
        Ok(described)
    }
}

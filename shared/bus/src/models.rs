//! Registered models, as workers need them: a copy of the record in Postgres, made by the api. Rule: who does not find a
//! model here believes it only when the copy says that it is whole; after a loss of Redis it is not, until it is made anew.

use millrace_contracts::ModelId;
use millrace_contracts::model::{ModelWish, RegisteredModel};
use redis::Value;

use crate::{Bus, BusError, reply, scripts};

/// The field that says that all models are in the copy: no model has this name.
const WHOLE: &str = "";
/// The field that names the latest draft of the copy: no model has this name either.
const DRAFT: &str = "?";

/// A change of the copy that has begun. The copy is not whole until it has ended, and then only if no other began meanwhile, and
/// Redis lost nothing: whoever keeps the copy whole makes it anew otherwise.
#[derive(Debug)]
pub struct ModelsDraft {
    name: String,
    /// Whether the copy was whole when the change began.
    pub was_whole: bool,
}

/// What the copy says of a name.
#[derive(Debug, Clone, PartialEq)]
pub enum Registered {
    /// This model is registered under it.
    Known(Box<RegisteredModel>),
    /// None is.
    Unknown,
    /// The copy is not whole at the moment: ask again soon.
    Lost,
}

impl Bus {
    /// What is registered as `id`.
    ///
    /// # Errors
    /// Redis could not be reached, or the entry does not read.
    pub async fn registered_model(&self, id: &ModelId) -> Result<Registered, BusError> {
        let what = "look up a registered model";
        let mut ask = redis::cmd("HMGET");
        ask.arg(self.keys().models()).arg(id.as_str()).arg(WHOLE);
        let found = self.send(what, vec![ask]).await?.pop().unwrap_or(Value::Nil);
        let [model, whole] = reply::tuple(what, found)?;
        match (model, whole) {
            (Value::Nil, Value::Nil) => Ok(Registered::Lost),
            (Value::Nil, _) => Ok(Registered::Unknown),
            (model, _) => {
                let json = reply::text(what, model)?;
                let read = serde_json::from_str(&json).map(Registered::Known);
                read.map_err(|error| BusError::Decode {
                    what: "a registered model",
                    reason: error.to_string(),
                })
            }
        }
    }

    /// Whether all registered models are in the copy.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn has_all_models(&self) -> Result<bool, BusError> {
        let what = "ask for the registered models";
        let mut ask = redis::cmd("HEXISTS");
        ask.arg(self.keys().models()).arg(WHOLE);
        let found = self.send(what, vec![ask]).await?.pop();
        Ok(reply::integer(what, found.unwrap_or(Value::Int(0)))? == 1)
    }

    /// Says that the copy is about to be behind: should the caller die before it is mended, somebody makes it anew.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn draft_models(&self) -> Result<ModelsDraft, BusError> {
        let what = "doubt the registered models";
        let name = uuid::Uuid::new_v4().simple().to_string();
        let (mut doubt, mut draft) = (redis::cmd("HDEL"), redis::cmd("HSET"));
        doubt.arg(self.keys().models()).arg(WHOLE);
        draft.arg(self.keys().models()).arg(DRAFT).arg(&name);
        // The draft first: another that ends in between finds that it is not the latest.
        let doubted = self.send(what, vec![draft, doubt]).await?.into_iter().nth(1);
        let was_whole = reply::integer(what, doubted.unwrap_or(Value::Int(0)))? == 1;
        Ok(ModelsDraft { name, was_whole })
    }

    /// Ends a draft: all models are in the copy now. False where another draft was begun since, or Redis lost this one.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn models_are_whole(&self, draft: &ModelsDraft) -> Result<bool, BusError> {
        let mut whole = scripts::MODELS_WHOLE.on(&[&self.keys().models()], 64);
        whole.arg(WHOLE).arg(DRAFT).arg(&draft.name);
        self.flag("end a draft of the registered models", whole).await
    }

    /// Writes models into the copy, and then, if `whole`, that it has all of them.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn put_models(&self, models: &[RegisteredModel], whole: bool) -> Result<(), BusError> {
        let set = |field: &str, value: &str| {
            let mut set = redis::cmd("HSET");
            set.arg(self.keys().models()).arg(field).arg(value);
            set
        };
        let mut commands = Vec::with_capacity(models.len() + 1);
        for model in models {
            let json = serde_json::to_string(model).map_err(BusError::encode("a registered model"))?;
            commands.push(set(model.id.as_str(), &json));
        }
        commands.extend(whole.then(|| set(WHOLE, "1")));
        self.send("write registered models", commands).await.map(drop)
    }

    /// Takes a model out of the copy.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn remove_model(&self, id: &ModelId) -> Result<(), BusError> {
        let mut remove = redis::cmd("HDEL");
        remove.arg(self.keys().models()).arg(id.as_str());
        self.send("remove a registered model", vec![remove]).await.map(drop)
    }

    /// The channel on which wishes travel; subscribe to it with [`Bus::subscribe`].
    #[must_use]
    pub fn model_wishes_channel(&self) -> String {
        self.keys().model_wishes()
    }

    /// Asks the workers that listen.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn wish(&self, wish: &ModelWish) -> Result<(), BusError> {
        self.wish_all(std::slice::from_ref(wish)).await
    }

    /// The same with several wishes, in one round trip.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn wish_all(&self, wishes: &[ModelWish]) -> Result<(), BusError> {
        let publish = |wish: &ModelWish| {
            let json = serde_json::to_string(wish).map_err(BusError::encode("a wish"))?;
            let mut publish = redis::cmd("PUBLISH");
            publish.arg(self.keys().model_wishes()).arg(json);
            Ok(publish)
        };
        let commands = wishes.iter().map(publish).collect::<Result<_, _>>()?;
        self.send("ask workers about models", commands).await.map(drop)
    }
}

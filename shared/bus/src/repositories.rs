//! The names of models in the workers' repositories that are too many for every sign of life: sets of names, each under the digest of
//! all of its names, which a sign of life tells. Workers that see the same repository share one; one that changed is another.

use std::collections::BTreeSet;
use std::time::Duration;

use millrace_contracts::{BlobId, ModelId};
use redis::Value;

use crate::lease::milliseconds;
use crate::{Bus, BusError, reply};

impl Bus {
    /// Keeps these names, which are not none, for another `ttl`; under which digest one finds them. They are written where they are
    /// not there yet.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn keep_model_names(
        &self,
        names: &BTreeSet<ModelId>,
        ttl: Duration,
    ) -> Result<String, BusError> {
        let what = "keep the names of models";
        let lines: String = names.iter().map(|name| format!("{name}\n")).collect();
        let digest = BlobId::of(lines.as_bytes()).to_string();
        let key = self.keys().model_names(&digest);
        let mut renew = redis::cmd("PEXPIRE");
        renew.arg(&key).arg(milliseconds(ttl));
        let renewed = self.send(what, vec![renew.clone()]).await?.pop().unwrap_or(Value::Int(0));
        if reply::integer(what, renewed)? == 0 {
            // In one command: a set that is there is whole.
            let mut add = redis::cmd("SADD");
            add.arg(&key);
            names.iter().for_each(|name| _ = add.arg(name.as_str()));
            self.send(what, vec![add, renew]).await?;
        }
        Ok(digest)
    }

    /// All names that were kept under these digests.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn model_names(&self, digests: &BTreeSet<String>) -> Result<BTreeSet<ModelId>, BusError> {
        let what = "read the names of models";
        let list = |digest: &String| {
            let mut list = redis::cmd("SMEMBERS");
            list.arg(self.keys().model_names(digest));
            list
        };
        let mut names = BTreeSet::new();
        for members in self.send(what, digests.iter().map(list).collect()).await? {
            for name in reply::array(what, members)? {
                names.insert(reply::text(what, name)?.into());
            }
        }
        Ok(names)
    }

    /// Whether `name` is among them.
    ///
    /// # Errors
    /// Redis could not be reached.
    pub async fn has_model_name(&self, digests: &BTreeSet<String>, name: &ModelId) -> Result<bool, BusError> {
        let what = "look for the name of a model";
        let ask = |digest: &String| {
            let mut ask = redis::cmd("SISMEMBER");
            ask.arg(self.keys().model_names(digest)).arg(name.as_str());
            ask
        };
        for is_member in self.send(what, digests.iter().map(ask).collect()).await? {
            if reply::integer(what, is_member)? == 1 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

//! No api for others without a key. The api asks that too, when it starts; asked here, nothing is started in vain, and the answer
//! names the folder in whose database the first key is to be made.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::Path;

use millrace_store::Store;

/// What is refused, and the way to it.
#[derive(Debug, thiserror::Error)]
#[error(
    "the api refuses to serve {listen}: there are no api keys, so it serves this machine only; start it once on 127.0.0.1 or \
     [::1], make a key meanwhile (`millrace keys create NAME --scope admin --direct --data-dir {data_dir}`), and start it again"
)]
pub(crate) struct NoKey {
    listen: SocketAddr,
    /// As it was given, in quotes where a shell needs them.
    data_dir: String,
}

/// Whether others could reach the api, and so need a key.
pub(crate) struct FirstKey {
    refusal: Option<NoKey>,
}

impl FirstKey {
    /// That of an api at `listen`, whose data is kept in `data_dir`.
    pub(crate) fn new(listen: SocketAddr, data_dir: &Path) -> Self {
        let exposed = !listen.ip().is_loopback();
        let data_dir = data_dir.display().to_string();
        // Refused are paths with a zero in them, which no folder has.
        let quoted = shlex::try_quote(&data_dir).map_or_else(|_| data_dir.clone(), Cow::into_owned);
        Self { refusal: exposed.then_some(NoKey { listen, data_dir: quoted }) }
    }

    /// Refuses where there is no database yet, before one is made.
    pub(crate) fn before_servers(self, has_database: bool) -> Result<Self, NoKey> {
        match self.refusal {
            Some(refusal) if !has_database => Err(refusal),
            refusal => Ok(Self { refusal }),
        }
    }

    /// Refuses where the database holds no key, before any role is started.
    pub(crate) async fn before_roles(self, store: &Store) -> anyhow::Result<()> {
        match self.refusal {
            Some(refusal) if !store.api_keys().any().await? => Err(refusal.into()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_names_the_folder_so_that_a_shell_takes_it() {
        let refused = |listen: &str, folder: &str| {
            let first_key = FirstKey::new(listen.parse().unwrap(), Path::new(folder));
            first_key.before_servers(false).err().map(|refusal| refusal.to_string())
        };
        assert!(refused("0.0.0.0:1", "dd3").unwrap().contains("--direct --data-dir dd3`"));
        assert!(refused("[::]:1", "my data").unwrap().contains("--data-dir 'my data'`"));
        assert_eq!(refused("127.0.0.1:1", "dd3"), None);
        assert_eq!(refused("[::1]:1", "dd3"), None);
    }
}

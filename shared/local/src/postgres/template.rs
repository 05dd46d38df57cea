//! A data folder made once and copied by every test: a copy takes a tenth of what initdb takes.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::files::Files;
use super::init;
use crate::LocalError;
use crate::options::ServerOptions;
use crate::program::PostgresPrograms;
use crate::run_as::RunAs;

/// Part of the template's name; raised when what initdb is told changes.
const GENERATION: u32 = 1;

/// The template for this installation and user, made in the cache if it is not there. Its superuser's password is in
/// it: only for servers that live as long as a test.
///
/// # Errors
/// As [`super::PostgresServer::start`].
pub async fn template(options: &ServerOptions) -> Result<PathBuf, LocalError> {
    let programs = PostgresPrograms::find(&options.places)?;
    let run_as = RunAs::for_postgres()?;
    let cache = options.places.cache.join("postgres-templates");
    std::fs::create_dir_all(&cache).map_err(LocalError::io("create", &cache))?;
    let bin = programs.program("postgres").display().to_string().replace('/', "_");
    let name = format!("{bin}-{}-{GENERATION}", run_as.as_ref().map_or("self", |user| &user.name));
    let template = cache.join(&name);
    if template.exists() {
        return Ok(template);
    }
    // Tests start side by side: one makes it, the others wait for the lock and find it.
    let lock_path = cache.join(format!("{name}.lock"));
    let lock = File::create(&lock_path).map_err(LocalError::io("create", &lock_path))?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
    let _held = lock.expect("locking a file does not panic").map_err(LocalError::io("lock", &lock_path))?;
    if template.exists() {
        return Ok(template);
    }
    // Made where the server's user can get to, which root's cache may not be, then copied.
    let workshop = std::env::temp_dir().join(format!("millrace-template-{}", std::process::id()));
    std::fs::create_dir_all(&workshop).map_err(LocalError::io("create", &workshop))?;
    std::fs::set_permissions(&workshop, std::fs::Permissions::from_mode(0o711))
        .map_err(LocalError::io("change the mode of", &workshop))?;
    let files = Files { home: workshop.clone() };
    let made = init::ensure(&files, &programs, run_as.as_ref(), options).await;
    let unfinished = cache.join(format!("{name}.unfinished"));
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished).map_err(LocalError::io("remove", &unfinished))?;
    }
    let copied = match made {
        Ok(()) => init::copy(&workshop, &unfinished).await,
        Err(fault) => Err(fault),
    };
    std::fs::remove_dir_all(&workshop).map_err(LocalError::io("remove", &workshop))?;
    copied?;
    std::fs::rename(&unfinished, &template).map_err(LocalError::io("rename", &unfinished))?;
    Ok(template)
}

//! Makes a data folder: by initdb, or as a copy of a template.
//!
//! Rule: the folder gets its final name last, so that a folder of that name is always whole. Until then each attempt has a
//! workshop of its own: a helper of an attempt that was killed may still write to that one's.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use uuid::Uuid;

use super::files::Files;
use super::{DATABASE, USER};
use crate::launch::run_helper;
use crate::options::{Durability, ServerOptions};
use crate::program::PostgresPrograms;
use crate::run_as::RunAs;
use crate::{LocalError, password};

/// What the names of all workshops begin with.
const UNFINISHED: &str = "data.unfinished";

/// Makes the data folder unless it is there.
pub(super) async fn ensure(
    files: &Files,
    programs: &PostgresPrograms,
    run_as: Option<&RunAs>,
    options: &ServerOptions,
) -> Result<(), LocalError> {
    sweep(&files.home);
    if files.data().exists() {
        return Ok(());
    }
    let workshop = files.home.join(format!("{UNFINISHED}.{}", Uuid::new_v4().simple()));
    std::fs::create_dir(&workshop).map_err(LocalError::io("create", &workshop))?;
    // The server's user must be able to enter it.
    std::fs::set_permissions(&workshop, std::fs::Permissions::from_mode(0o711))
        .map_err(LocalError::io("change the mode of", &workshop))?;
    let data = workshop.join("data");
    match &options.template {
        Some(template) => {
            copy(&template.join("data"), &data).await?;
            copy(&template.join("password"), &files.password()).await?;
        }
        None => {
            let password = password::read_or_create(&files.password())?;
            create(&data, programs, run_as, &password, options.durability).await?;
        }
    }
    std::fs::rename(&data, files.data()).map_err(LocalError::io("rename", &data))?;
    sweep(&files.home);
    Ok(())
}

/// Removes the workshops of attempts that have ended. One that somebody still writes to stays until another time.
fn sweep(home: &Path) {
    let Ok(entries) = std::fs::read_dir(home) else { return };
    for entry in entries.flatten().filter(|entry| is_workshop(&entry.file_name())) {
        if let Err(error) = std::fs::remove_dir_all(entry.path()) {
            tracing::debug!(folder = %entry.path().display(), %error, "an unfinished data folder stays for now");
        }
    }
}

fn is_workshop(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(UNFINISHED.as_bytes())
}

async fn create(
    data: &Path,
    programs: &PostgresPrograms,
    run_as: Option<&RunAs>,
    password: &str,
    durability: Durability,
) -> Result<(), LocalError> {
    std::fs::create_dir_all(data).map_err(LocalError::io("create", data))?;
    std::fs::set_permissions(data, std::fs::Permissions::from_mode(0o700))
        .map_err(LocalError::io("change the mode of", data))?;
    // The server's user must be able to read the password once, so it is handed over in a file of that user's own.
    let handed = data.with_extension("password");
    password::write_private(&handed, password)?;
    if let Some(user) = run_as {
        user.own(data)?;
        user.own(&handed)?;
    }
    let mut arguments = vec!["-D".to_owned(), data.display().to_string()];
    arguments.extend(["-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"].map(str::to_owned));
    arguments.push(format!("--pwfile={}", handed.display()));
    if durability == Durability::FastUnsafe {
        // A small log makes a template that is quick to copy.
        arguments.extend(["--no-sync", "--wal-segsize=1"].map(str::to_owned));
    }
    let made = run_helper(&programs.program("initdb"), arguments, run_as, |_| {}).await;
    std::fs::remove_file(&handed).map_err(LocalError::io("remove", &handed))?;
    made?;
    create_database(data, programs, run_as).await
}

/// Makes our database before the first start, in single-user mode: no client is needed, and nobody can connect yet.
async fn create_database(
    data: &Path,
    programs: &PostgresPrograms,
    run_as: Option<&RunAs>,
) -> Result<(), LocalError> {
    let statement = data.with_extension("sql");
    std::fs::write(&statement, format!("create database {DATABASE};\n"))
        .map_err(LocalError::io("write", &statement))?;
    let input = std::fs::File::open(&statement).map_err(LocalError::io("open", &statement))?;
    let data_text = data.display().to_string();
    // Without the setting it goes on after a statement that failed, and ends well.
    let arguments = ["--single", "-D", &data_text, "-c", "exit_on_error=on", "postgres"];
    let made = run_helper(&programs.program("postgres"), arguments, run_as, |command| {
        command.stdin(Stdio::from(input));
    })
    .await;
    std::fs::remove_file(&statement).map_err(LocalError::io("remove", &statement))?;
    made
}

/// Copies with owners and modes; `cp` also shares blocks where the file system can.
pub(super) async fn copy(from: &Path, to: &Path) -> Result<(), LocalError> {
    run_helper(
        Path::new("cp"),
        ["-a".as_ref(), "--reflink=auto".as_ref(), from.as_os_str(), to.as_os_str()],
        None,
        |_| {},
    )
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use millrace_config::Places;

    use super::*;

    #[tokio::test]
    async fn a_database_that_cannot_be_made_is_a_fault() {
        let open = std::fs::Permissions::from_mode(0o711);
        let folder = tempfile::Builder::new().permissions(open).tempdir().unwrap();
        let (data, run_as) = (folder.path().join("data"), RunAs::for_postgres().unwrap());
        let programs = PostgresPrograms::find(&Places::from_process()).unwrap();
        create(&data, &programs, run_as.as_ref(), "secret", Durability::FastUnsafe).await.unwrap();
        // It is there already.
        let again = create_database(&data, &programs, run_as.as_ref()).await;
        assert!(again.is_err_and(|fault| fault.to_string().contains("already exists")));
    }

    #[tokio::test]
    async fn a_helper_that_outlived_its_owner_stands_in_nobodys_way() {
        let open = std::fs::Permissions::from_mode(0o711);
        let home = tempfile::Builder::new().permissions(open).tempdir().unwrap();
        let files = Files { home: home.path().to_owned() };
        let (programs, run_as) =
            (PostgresPrograms::find(&Places::from_process()).unwrap(), RunAs::for_postgres().unwrap());
        let options = ServerOptions::for_tests(Places::from_process());
        let (folder, has_ended) = (home.path().join(UNFINISHED), Arc::new(AtomicBool::new(false)));
        let is_over = Arc::clone(&has_ended);
        let orphan = std::thread::spawn(move || {
            let numbers = (0..).take_while(|_| !is_over.load(Ordering::Relaxed));
            // Its folder is taken away under it, again and again.
            numbers
                .filter(|number: &u32| {
                    std::fs::create_dir_all(&folder)
                        .and_then(|()| std::fs::write(folder.join(number.to_string()), ""))
                        .is_ok()
                })
                .count()
        });
        let made = ensure(&files, &programs, run_as.as_ref(), &options).await;
        has_ended.store(true, Ordering::Relaxed);
        assert!(orphan.join().unwrap() > 0);
        made.unwrap();
        assert!(files.data().join("PG_VERSION").is_file());
        ensure(&files, &programs, run_as.as_ref(), &options).await.unwrap();
        let left = std::fs::read_dir(home.path()).unwrap().flatten();
        assert_eq!(left.filter(|entry| is_workshop(&entry.file_name())).count(), 0);
    }
}

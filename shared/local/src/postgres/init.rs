//! Makes a data folder: by initdb, or as a copy of a template.
//!
//! Rule: the folder gets its final name last, so that a folder of that name is always whole.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use super::files::Files;
use super::{DATABASE, USER};
use crate::launch::run_helper;
use crate::options::{Durability, ServerOptions};
use crate::program::PostgresPrograms;
use crate::run_as::RunAs;
use crate::{LocalError, password};

/// Makes the data folder unless it is there.
pub(super) async fn ensure(
    files: &Files,
    programs: &PostgresPrograms,
    run_as: Option<&RunAs>,
    options: &ServerOptions,
) -> Result<(), LocalError> {
    if files.data().exists() {
        return Ok(());
    }
    let unfinished = files.home.join("data.unfinished");
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished).map_err(LocalError::io("remove", &unfinished))?;
    }
    match &options.template {
        Some(template) => {
            copy(&template.join("data"), &unfinished).await?;
            copy(&template.join("password"), &files.password()).await?;
        }
        None => {
            let password = password::read_or_create(&files.password())?;
            create(&unfinished, programs, run_as, &password, options.durability).await?;
        }
    }
    std::fs::rename(&unfinished, files.data()).map_err(LocalError::io("rename", &unfinished))
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
}

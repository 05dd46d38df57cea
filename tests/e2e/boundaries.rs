//! Invariant 8 is a fact of Cargo.toml: the control plane links neither models nor pixels, the worker no tables.

use std::process::Command;

use crate::support::stack::root;

/// Every crate that `package` depends on, directly or not.
fn dependencies(package: &str) -> anyhow::Result<Vec<String>> {
    let arguments = [
        "tree",
        "--offline",
        "--edges",
        "normal,build",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "-p",
        package,
    ];
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

#[test]
fn invariant_8_the_control_plane_links_no_models_and_no_pixels() -> anyhow::Result<()> {
    for package in ["millrace-api", "millrace-orchestrator", "millrace-writer"] {
        let found = dependencies(package)?;
        for banned in ["ort", "ort-sys", "image", "zune-jpeg", "millrace-vision", "millrace-inference"] {
            assert!(!found.iter().any(|name| name == banned), "{package} depends on {banned}");
        }
    }
    Ok(())
}

#[test]
fn invariant_8_the_worker_knows_no_tables() -> anyhow::Result<()> {
    let found = dependencies("millrace-worker")?;
    for banned in ["sqlx", "millrace-store"] {
        assert!(!found.iter().any(|name| name == banned), "the worker depends on {banned}");
    }
    assert!(found.iter().any(|name| name == "ort"), "the worker is where models run");
    Ok(())
}

//! What the deployment files must agree on with the program: read as text, for what they are made of is not ours.

const DOCKERFILE: &str = include_str!("../../../Dockerfile");
const COMPOSE: &str = include_str!("../../../docker-compose.yml");
const KUSTOMIZATION: &str = include_str!("../../../k8s/kustomization.yaml");
const BLOBS: &str = "/var/lib/millrace/blobs";

/// Role, its file, and whether it uses the tables.
const ROLES: [(&str, &str, bool); 4] = [
    ("api", include_str!("../../../k8s/api.yaml"), true),
    ("orchestrator", include_str!("../../../k8s/orchestrator.yaml"), true),
    ("writer", include_str!("../../../k8s/writer.yaml"), true),
    ("worker", include_str!("../../../k8s/worker.yaml"), false),
];

#[test]
fn every_role_has_the_same_blobs() {
    assert!(DOCKERFILE.contains(&format!("MILLRACE__BLOBS__URL={BLOBS}")));
    assert!(COMPOSE.contains(&format!("- blobs:{BLOBS}")));
    for (role, file, _) in ROLES {
        assert!(file.contains(&format!("{{ name: blobs, mountPath: {BLOBS} }}")), "{role}");
        assert!(file.contains("persistentVolumeClaim: { claimName: blobs }"), "{role}");
    }
}

/// The api does on its own address.
#[test]
fn every_role_says_how_it_is() {
    for (role, file, _) in ROLES.into_iter().filter(|(role, ..)| *role != "api") {
        for (place, command) in
            [("k8s", format!("args: [{role},")), ("compose", format!("command: [\"{role}\","))]
        {
            let file = if place == "k8s" { file } else { COMPOSE };
            let line = file.lines().find(|line| line.contains(&command)).unwrap_or_default();
            assert!(line.contains("--health-listen"), "{place}: {role}");
        }
    }
}

/// A volume takes the owner of the folder that it is first mounted on.
#[test]
fn the_folder_of_blobs_is_made_for_the_user_of_the_image() {
    let (before, _) = DOCKERFILE.split_once("USER millrace").expect("the image has a user of its own");
    assert!(before.contains(&format!("install -d -o millrace -g millrace {BLOBS}")));
}

#[test]
fn roles_that_use_the_tables_bring_them_up_to_date_first() {
    for (role, file, uses_tables) in ROLES {
        let migrates = file.split_once("initContainers:").is_some_and(|(_, rest)| {
            rest.split_once("containers:").is_some_and(|(first, _)| first.contains("args: [migrate]"))
        });
        assert_eq!(migrates, uses_tables, "{role}");
        assert!(KUSTOMIZATION.contains(&format!("- {role}.yaml")), "{role}");
    }
}

//! What the deployment files must agree on with the program: read as text, for what they are made of is not ours.

const DOCKERFILE: &str = include_str!("../../../Dockerfile");
const COMPOSE: &str = include_str!("../../../docker-compose.yml");
const BLOBS: &str = "/var/lib/millrace/blobs";

/// Role and its file.
const ROLES: [(&str, &str); 4] = [
    ("api", include_str!("../../../k8s/api.yaml")),
    ("orchestrator", include_str!("../../../k8s/orchestrator.yaml")),
    ("writer", include_str!("../../../k8s/writer.yaml")),
    ("worker", include_str!("../../../k8s/worker.yaml")),
];

#[test]
fn every_role_has_the_same_blobs() {
    assert!(DOCKERFILE.contains(&format!("MILLRACE__BLOBS__URL={BLOBS}")));
    assert!(COMPOSE.contains(&format!("- blobs:{BLOBS}")));
    for (role, file) in ROLES {
        assert!(file.contains(&format!("{{ name: blobs, mountPath: {BLOBS} }}")), "{role}");
        assert!(file.contains("persistentVolumeClaim: { claimName: blobs }"), "{role}");
    }
}

/// A volume takes the owner of the folder that it is first mounted on.
#[test]
fn the_folder_of_blobs_is_made_for_the_user_of_the_image() {
    let (before, _) = DOCKERFILE.split_once("USER millrace").expect("the image has a user of its own");
    assert!(before.contains(&format!("install -d -o millrace -g millrace {BLOBS}")));
}

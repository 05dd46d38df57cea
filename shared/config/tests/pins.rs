//! The pins of ONNX Runtime stand in three places; they must be the same.

use millrace_config::ORT_VERSION;

const SCRIPT: &str = include_str!("../../../scripts/lib.sh");
const DOCKERFILE: &str = include_str!("../../../Dockerfile");

#[test]
fn the_pinned_onnx_runtime_is_the_same_everywhere() {
    let value = |name: &str| {
        let line = SCRIPT.lines().find_map(|line| line.strip_prefix(&format!("{name}=")));
        line.unwrap_or_else(|| panic!("scripts/lib.sh sets no {name}")).trim_matches('"')
    };
    assert_eq!(value("ORT_VERSION"), ORT_VERSION);
    let wheel = value("ORT_WHEEL").replace("$ORT_VERSION", ORT_VERSION);
    for pin in [format!("onnxruntime=={ORT_VERSION}"), wheel, value("ORT_WHEEL_SHA256").to_owned()] {
        assert!(DOCKERFILE.contains(&pin), "the Dockerfile does not name {pin}");
    }
}

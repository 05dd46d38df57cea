//! Why a run's jobs wait.

use serde_json::Value;

/// What to say of a run, as its page shows it, whose jobs wait for workers that are not there; none where none does.
pub(crate) fn unserved(run: &Value) -> Option<String> {
    let list = |name: &str| {
        let names = run["unserved"][name].as_array().into_iter().flatten().filter_map(Value::as_str);
        names.collect::<Vec<_>>().join(", ")
    };
    let (pools, served) = (list("pools"), list("served"));
    if pools.is_empty() {
        return None;
    }
    let served =
        if served.is_empty() { "there are no workers".to_owned() } else { format!("served are {served}") };
    Some(format!("no worker serves {pools} ({served})"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_told_which_pools_nobody_serves() {
        assert_eq!(unserved(&json!({"status": "running"})), None);
        let run = json!({"unserved": {"pools": ["fsat"], "served": ["cpu", "fast"]}});
        assert_eq!(unserved(&run).unwrap(), "no worker serves fsat (served are cpu, fast)");
        let run = json!({"unserved": {"pools": ["cpu", "fast"], "served": []}});
        assert_eq!(unserved(&run).unwrap(), "no worker serves cpu, fast (there are no workers)");
    }
}

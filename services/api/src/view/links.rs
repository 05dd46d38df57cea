//! Addresses in answers, relative to the server.

use millrace_config::{Api, RunUrl};
use millrace_contracts::ExecutionId;
use serde::Serialize;
use utoipa::ToSchema;

/// Where to go on with a run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Links {
    #[serde(rename = "self")]
    own: String,
    events: String,
    nodes: String,
    cancel: String,
    rerun: String,
    /// The run's trace in the operator's own tool, where `api.trace_url` says where that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    /// The same of its log lines, by `api.logs_url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    logs: Option<String>,
}

impl Links {
    /// Adds where the run with this trace can be looked at with the operator's own tools.
    pub(crate) fn lead_outside(&mut self, settings: &Api, id: ExecutionId, trace_id: &str) {
        let of = |url: &Option<RunUrl>| Some(url.as_ref()?.of(&id.to_string(), trace_id));
        self.trace = of(&settings.trace_url);
        self.logs = of(&settings.logs_url);
    }
}

/// The addresses of a run.
pub(crate) fn links(id: ExecutionId) -> Links {
    let own = format!("/api/v1/executions/{id}");
    Links {
        events: format!("{own}/events"),
        nodes: format!("{own}/nodes"),
        cancel: format!("{own}/cancel"),
        rerun: format!("{own}/rerun"),
        own,
        trace: None,
        logs: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_leads_to_the_tools_that_are_set() {
        let id = ExecutionId::generate();
        let mut links = links(id);
        assert_eq!(json!(links).get("trace"), None);
        let trace_url = Some("https://jaeger.example.com/trace/{trace_id}".parse().unwrap());
        links.lead_outside(&Api { trace_url, ..Api::default() }, id, "0af7");
        assert_eq!(json!(links)["trace"], "https://jaeger.example.com/trace/0af7");
        assert_eq!(json!(links).get("logs"), None);
    }
}

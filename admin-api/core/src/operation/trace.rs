//! Ids by which a request is found again: in the logs, in audit records, in error answers.

use axum::http::{HeaderMap, HeaderValue};

/// Trace and span in the form of W3C Trace Context, and the caller's own number of the request.
pub struct TraceIds {
    pub trace: String,
    pub span: String,
    request: Option<HeaderValue>,
}

/// The caller's number of a request, given back with the answer.
const REQUEST_ID: &str = "x-request-id";
const TRACE_ID: &str = "x-trace-id";

impl TraceIds {
    /// Goes on with the caller's trace (`traceparent`), or begins one.
    pub fn of(headers: &HeaderMap) -> Self {
        let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
        let span = uuid::Uuid::new_v4().simple().to_string();
        let is_short = |value: &&HeaderValue| value.len() <= 100;
        Self {
            trace: traceparent.and_then(trace_of).unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string()),
            span: span.get(..16).unwrap_or_default().to_owned(),
            request: headers.get(REQUEST_ID).filter(is_short).cloned(),
        }
    }

    pub fn write(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.trace) {
            headers.insert(TRACE_ID, value);
        }
        if let Some(request) = &self.request {
            headers.insert(REQUEST_ID, request.clone());
        }
    }
}

/// `version-trace-parent-flags`, lower-case hexadecimal; a trace of zeros is none.
fn trace_of(traceparent: &str) -> Option<String> {
    let mut parts = traceparent.split('-');
    let (version, trace, parent) = (parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_sound = is_hex(version, 2) && version != "ff" && is_hex(trace, 32) && is_hex(parent, 16);
    (is_sound && trace.bytes().any(|byte| byte != b'0')).then(|| trace.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_s_trace_goes_on_and_nonsense_does_not() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(trace_of(&format!("00-{trace}-b7ad6b7169203331-01")).as_deref(), Some(trace));
        for nonsense in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c\n-b7ad6b7169203331-01",
        ] {
            assert_eq!(trace_of(nonsense), None, "{nonsense}");
        }
    }
}

//! Requests as phones write them, and what is answered without asking the program: exactly as the deployed runtime
//! accepts and answers them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::encoding;
use crate::error::Result;
use crate::json::{self, ReadJson};
use crate::relay::{Body, ProxyRequest, ProxyResponse};

/// The longest id of a request, in bytes. This is stricter than the deployed runtime, which keeps no ids: here the ids
/// of waiting requests are held in memory.
const MAX_ID_LEN: usize = 256;

/// A request before it is checked.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    id: Option<String>,
    method: Option<String>,
    path: Option<String>,
    headers: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "crate::json::form::deserialize")]
    body: AskedBody,
}

/// A body, decoded where its text is: it is long, and a copy of the text would be made for each request.
enum AskedBody {
    Decoded(Vec<u8>),
    NotBase64,
}

impl Default for AskedBody {
    fn default() -> Self {
        Self::Decoded(Vec::new())
    }
}

impl<'de> ReadJson<'de> for AskedBody {
    fn read_json<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::read_text(deserializer, "a body in base64", |text| {
            Ok(encoding::base64_decode(text).map_or(Self::NotBase64, Self::Decoded))
        })
    }
}

/// A request that is answered at once, with this id, status and text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadRequest {
    id: String,
    status: u16,
    message: &'static str,
}

/// Reads what a DATA frame carried.
pub(super) fn read_request(plain: &[u8]) -> Result<ProxyRequest, BadRequest> {
    let bad = |id: &str, status, message| BadRequest { id: id.to_owned(), status, message };
    let invalid = || bad("", 400, "invalid request payload");
    let asked: Asked = json::from_bytes(plain).map_err(|_| invalid())?;
    let id = asked.id.unwrap_or_default();
    if id.len() > MAX_ID_LEN {
        return Err(invalid());
    }
    let trimmed = |text: Option<String>| text.unwrap_or_default().trim().to_owned();
    let (method, path) = (trimmed(asked.method), trimmed(asked.path));
    if id.is_empty() || method.is_empty() || path.is_empty() {
        return Err(bad(&id, 400, "missing required fields (id, method, path)"));
    }
    let AskedBody::Decoded(body) = asked.body else { return Err(bad(&id, 400, "invalid base64 body")) };
    let body = Body::new(body).map_err(|_| bad(&id, 413, "request body exceeds 47KB limit"))?;
    let headers = asked.headers.unwrap_or_default();
    Ok(ProxyRequest { id, method, path, headers, body })
}

/// The answer to a request beyond the limit.
pub(super) fn overloaded(id: String) -> BadRequest {
    BadRequest { id, status: 503, message: "relay overloaded, retry request" }
}

impl BadRequest {
    /// The response in the deployed runtime's words.
    pub(super) fn response(self) -> Result<ProxyResponse> {
        let body = format!(r#"{{"error":"{}"}}"#, self.message);
        let headers = BTreeMap::from([("Content-Type".to_owned(), "application/json".to_owned())]);
        let body = Body::new(body.into_bytes())?;
        Ok(ProxyResponse { id: self.id, status: self.status, headers, body, ..ProxyResponse::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relay::MAX_BODY_LEN;

    fn refused(text: &str) -> (String, u16) {
        read_request(text.as_bytes()).map_err(|bad| (bad.id, bad.status)).unwrap_err()
    }

    #[test]
    fn a_request_needs_id_method_and_path() {
        let request = read_request(br#"{"id":"1","method":" GET ","path":" /api/status\n","headers":null}"#).unwrap();
        assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/api/status"));
        for text in ["", "[]", "null", "{", r#"{"id":1}"#, "\u{feff}{}"] {
            assert_eq!(refused(text), (String::new(), 400), "{text}");
        }
        assert_eq!(refused(r#"{"method":"GET","path":"/"}"#), (String::new(), 400));
        assert_eq!(refused(r#"{"id":"1","method":" ","path":"/"}"#), ("1".to_owned(), 400));
        assert_eq!(refused(r#"{"id":"1","method":"GET"}"#), ("1".to_owned(), 400));
        assert_eq!(refused(&format!(r#"{{"id":"{}","method":"GET","path":"/"}}"#, "i".repeat(257))).1, 400);
    }

    #[test]
    fn a_body_is_padded_base64_of_at_most_48128_bytes() {
        let with_body = |body: &str| format!(r#"{{"id":"1","method":"POST","path":"/","body":"{body}"}}"#);
        let request = read_request(with_body("AAE=").as_bytes()).unwrap();
        assert_eq!(request.body.as_bytes(), [0, 1]);
        for none in ["\"\"", "null"] {
            let asked = with_body("?").replace("\"?\"", none);
            assert!(read_request(asked.as_bytes()).unwrap().body.is_empty(), "{none}");
        }
        assert_eq!(read_request(with_body("\\u0041AE=").as_bytes()).unwrap().body.as_bytes(), [0, 1]);
        assert_eq!(refused(&with_body("?").replace("\"?\"", "7")), (String::new(), 400));
        for body in ["AAE", "A", "AA-_", "AAE=\\n", "!"] {
            assert_eq!(refused(&with_body(body)), ("1".to_owned(), 400), "{body}");
        }
        let largest = encoding::base64_encode(&[0; MAX_BODY_LEN]);
        assert!(read_request(with_body(&largest).as_bytes()).is_ok());
        let too_large = encoding::base64_encode(&[0; MAX_BODY_LEN + 1]);
        assert_eq!(refused(&with_body(&too_large)), ("1".to_owned(), 413));
    }

    #[test]
    fn a_refusal_is_json() {
        let response = overloaded("7".to_owned()).response().unwrap();
        assert_eq!((response.id.as_str(), response.status), ("7", 503));
        assert_eq!(response.body.as_bytes(), br#"{"error":"relay overloaded, retry request"}"#);
    }
}

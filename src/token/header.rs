//! The header of a compact token: `alg`, `typ`, `kid`, and nothing else (formats.md#compact-tokens).

use core::fmt;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use crate::error::{Error, Result};

/// What issuers write, in base64url.
const ISSUED_HEADER: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9";

/// Reads a header segment's text: the `kid` it names, if any. The usual header needs no parsing.
pub(super) fn parse_header(segment: &str) -> Result<Option<String>> {
    if segment == ISSUED_HEADER {
        return Ok(None);
    }
    let refused = |reason| Error::TokenHeader { reason };
    let bytes = crate::encoding::base64url_decode(segment).ok_or(refused("not strict base64url"))?;
    let text = str::from_utf8(&bytes).map_err(|_| refused("not UTF-8"))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let header = deserializer
        .deserialize_map(HeaderVisitor)
        .and_then(|header| deserializer.end().map(|()| header))
        .map_err(|_| refused("expected a JSON object of alg, typ and kid, each a string and at most once"))?;
    match header.alg.as_deref() {
        Some("EdDSA") => {}
        Some(_) => return Err(refused("alg is not EdDSA")),
        None => return Err(refused("alg is missing")),
    }
    if header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
        return Err(refused("typ is not JWT"));
    }
    Ok(header.kid)
}

#[derive(Default)]
struct Header {
    alg: Option<String>,
    typ: Option<String>,
    kid: Option<String>,
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a token header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut header = Header::default();
        while let Some(name) = map.next_key::<String>()? {
            let member = match name.as_str() {
                "alg" => &mut header.alg,
                "typ" => &mut header.typ,
                "kid" => &mut header.kid,
                _ => return Err(A::Error::custom("unknown member")),
            };
            if member.replace(map.next_value()?).is_some() {
                return Err(A::Error::custom("duplicate member"));
            }
        }
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::base64url_encode;

    fn parse(json: &str) -> Result<Option<String>> {
        parse_header(&base64url_encode(json.as_bytes()))
    }

    #[test]
    fn reads_what_issuers_write_and_its_variants() {
        assert_eq!(base64url_encode(br#"{"alg":"EdDSA","typ":"JWT"}"#), ISSUED_HEADER);
        assert_eq!(parse(r#"{"alg":"EdDSA","typ":"JWT"}"#), Ok(None));
        assert_eq!(parse(r#" { "typ" : "jwt", "alg" : "EdDSA" } "#), Ok(None));
        assert_eq!(parse(r#"{"alg":"EdDSA"}"#), Ok(None));
        assert_eq!(parse(r#"{"alg":"EdDSA","kid":"0123"}"#), Ok(Some("0123".into())));
    }

    #[test]
    fn refuses_everything_else() {
        for json in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"typ":"JWT"}"#,
            r#"{"alg":"none"}"#,
            r#"{"alg":"eddsa"}"#,
            r#"{"alg":"HS256"}"#,
            r#"{"alg":["EdDSA"]}"#,
            r#"{"alg":"EdDSA","typ":"JWS"}"#,
            r#"{"alg":"EdDSA","typ":null}"#,
            r#"{"alg":"EdDSA","kid":7}"#,
            r#"{"alg":"EdDSA","kid":null}"#,
            r#"{"alg":"EdDSA","alg":"EdDSA"}"#,
            r#"{"alg":"EdDSA","jwk":{}}"#,
            r#"{"alg":"EdDSA"} x"#,
            "\u{feff}{\"alg\":\"EdDSA\"}",
        ] {
            assert!(matches!(parse(json), Err(Error::TokenHeader { .. })), "{json}");
        }
    }
}

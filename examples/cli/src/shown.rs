//! Text of strangers, as it may reach a terminal: whatever could move the cursor, start a line or turn the direction of
//! writing is escaped. Tokens, files, directories' names and the answers of a relay are such text.

use pulse_trust::Error;
use serde_json::Value;

/// More of one text helps nobody, and a stranger's text must not push the rest off the screen.
const MAX_QUOTED: usize = 300;

/// The text with `\n`, `\u{1b}` and the like in place of what does not print.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            // These print, and `escape_debug` is about literals.
            '"' | '\'' | '\\' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }
    }
    shown
}

/// The beginning of the text in quotes, so that it cannot be mistaken for the words around it.
pub(crate) fn quoted(text: &str) -> String {
    let start: String = text.chars().take(MAX_QUOTED).collect();
    let rest = if start.len() < text.len() { "…" } else { "" };
    format!("\"{}\"{rest}", shown(&start))
}

/// A URL, or what was given for one, without what may be a password or a token: user, query and fragment.
pub(crate) fn url_without_secrets(text: &str) -> String {
    let (shown, hidden) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
    let (scheme, rest) = shown.split_at(shown.find("://").map_or(0, |at| at.saturating_add(3)));
    // A password may hold the character that seems to end the host.
    if hidden.contains('@') {
        return format!("{scheme}…");
    }
    let rest = rest.rsplit_once('@').map_or_else(|| rest.to_owned(), |(_, host)| format!("…@{host}"));
    let mark = hidden.get(..1).map_or_else(String::new, |mark| format!("{mark}…"));
    format!("{scheme}{rest}{mark}")
}

/// An error's message, number and name.
pub(crate) fn told(error: &Error) -> String {
    shown(&format!("{error} ({} {})", error.code(), error.name()))
}

/// Compact JSON that prints as it stands. JSON itself escapes no more than the ASCII control characters.
pub(crate) fn json_text(value: &Value) -> String {
    let text = value.to_string();
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() && !character.is_ascii_control() || character.escape_debug().len() == 1 {
            shown.push(character);
        } else {
            // Outside a JSON text's strings there is nothing but printing ASCII.
            shown.extend(character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\"\\é\n\u{1b}[2K\u{9b}1A\u{202e}\u{feff}\u{7f}";

    #[test]
    fn what_does_not_print_is_escaped_and_what_prints_is_kept() {
        assert_eq!(shown(HOSTILE), r#"a"\é\n\u{1b}[2K\u{9b}1A\u{202e}\u{feff}\u{7f}"#);
        assert_eq!(quoted(&"x".repeat(MAX_QUOTED + 1)), format!("\"{}\"…", "x".repeat(MAX_QUOTED)));
    }

    #[test]
    fn a_password_in_a_url_is_not_shown() {
        for (url, shown) in [
            ("wss://me:secret@relay.example/x", "wss://…@relay.example/x"),
            ("wss://me:se/cr@et@relay.example/x", "wss://…@relay.example/x"),
            ("me:secret@relay.example", "…@relay.example"),
            ("https://h.example/?token=secret", "https://h.example/?…"),
            ("https://h.example/#secret://b", "https://h.example/#…"),
            ("https://me:sec?ret@h.example/", "https://…"),
            ("h.example?token=https://secret", "h.example?…"),
            ("wss://relay.example/x", "wss://relay.example/x"),
        ] {
            assert_eq!(url_without_secrets(url), shown, "{url}");
        }
    }

    #[test]
    fn json_keeps_its_value() {
        let value = serde_json::json!({ HOSTILE: [HOSTILE, "\u{e0001}"] });
        let text = json_text(&value);
        assert!(text.chars().all(|character| character == 'é' || character.is_ascii_graphic()), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}

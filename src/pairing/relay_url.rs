//! The relay's URL in its normal form, and as the app is given it (FORMATS 13).

use crate::url::Url;

/// The normal form: trimmed, scheme and host lower-cased, trailing slash and fragment dropped, query kept; `None` for a
/// URL that is not valid (another scheme than `ws` or `wss`, or no host).
pub fn relay_url_normal_form(text: &str) -> Option<String> {
    with_path(text, |path| path)
}

/// The URL that an app connects to: the normal form, with path `` or `/ws/instance` turned into `/ws/app`. A URL that is
/// not valid is handed on as it is, trimmed.
pub fn relay_url_for_app(text: &str) -> String {
    with_path(text, |path| if matches!(path, "" | "/ws/instance") { "/ws/app" } else { path })
        .unwrap_or_else(|| text.trim().to_owned())
}

fn with_path(text: &str, change: impl for<'a> FnOnce(&'a str) -> &'a str) -> Option<String> {
    let url = Url::split(text.trim()).filter(Url::is_web_socket)?;
    let user_info = url.user_info.map(|info| format!("{info}@")).unwrap_or_default();
    let port = url.port.map(|port| format!(":{port}")).unwrap_or_default();
    let query = url.query.map(|query| format!("?{query}")).unwrap_or_default();
    let path = change(url.path.strip_suffix('/').unwrap_or(url.path));
    let (scheme, host) = (url.scheme.to_ascii_lowercase(), url.host.to_lowercase());
    Some(format!("{scheme}://{user_info}{host}{port}{path}{query}"))
}

//! Commands that people paste: each word is one word for the shell, whatever a directory is called.

/// The words as a command line.
pub(crate) fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// `NAME=value`, as a shell and a file of environment variables take it.
pub(crate) fn assignment(name: &str, value: &str) -> String {
    // After NAME= these do not need quotes, which such a file would take for a part of the value.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-./:@_=,".contains(&byte);
    if value.bytes().all(is_plain) { format!("{name}={value}") } else { format!("{name}={}", quote(value)) }
}

/// A path as an argument: one that begins with a dash is not an option.
pub(crate) fn path(path: &str) -> String {
    if path.starts_with('-') { format!("./{path}") } else { path.to_owned() }
}

/// No argument holds a NUL, which alone cannot be quoted.
fn quote(text: &str) -> String {
    shlex::try_quote(text).map_or_else(|_| String::new(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_stays_one_word() {
        for odd in ["f$(touch PWNED)", "f sp", "a'b", "`x`", "~", "a;b", "", "*"] {
            assert_eq!(shlex::split(&command(["mkdir", odd])).unwrap(), ["mkdir", odd]);
            assert_eq!(shlex::split(&assignment("NAME", odd)).unwrap(), [format!("NAME={odd}")]);
        }
        assert_eq!(assignment("KEYS", "ab+/=,cd=="), "KEYS=ab+/=,cd==");
        assert_eq!((path("-rf").as_str(), path("/a").as_str()), ("./-rf", "/a"));
    }
}

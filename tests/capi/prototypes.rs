//! The functions that the header declares.

use crate::library::root;

pub(crate) struct Prototype {
    pub(crate) returns: String,
    pub(crate) name: String,
    pub(crate) parameters: Vec<Parameter>,
}

pub(crate) struct Parameter {
    /// As `const pulse_token *`.
    pub(crate) kind: String,
    pub(crate) name: String,
}

impl Parameter {
    pub(crate) fn is_pointer(&self) -> bool {
        self.kind.ends_with('*')
    }
}

pub(crate) fn prototypes() -> Vec<Prototype> {
    let header = std::fs::read_to_string(root().join("include/pulse_trust.h")).unwrap();
    let mut code = String::new();
    let mut rest = header.as_str();
    while let Some((before, after)) = rest.split_once("/*") {
        code.push_str(before);
        rest = after.split_once("*/").unwrap().1;
    }
    code.push_str(rest);
    let lines = code.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join(" ");
    lines.split(';').filter_map(prototype).collect()
}

fn prototype(declaration: &str) -> Option<Prototype> {
    let declaration = declaration.replace("extern \"C\" {", "");
    let (head, parameters) = declaration.trim().strip_suffix(')')?.split_once('(')?;
    let (returns, name) = split_name(head);
    let parameters = parameters.split(',').filter(|parameter| parameter.trim() != "void").map(|parameter| {
        let (kind, name) = split_name(parameter);
        Parameter { kind, name }
    });
    Some(Prototype { returns, name, parameters: parameters.collect() })
}

/// `const pulse_token *token` is `const pulse_token *` and `token`.
fn split_name(text: &str) -> (String, String) {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let start = words.rfind([' ', '*']).unwrap() + 1;
    let (kind, name) = words.split_at(start);
    (kind.trim().to_owned(), name.to_owned())
}

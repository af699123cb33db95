//! The functions of the contract, with each C parameter.

use serde_json::Value;

use crate::library::root;

pub(crate) struct Prototype {
    pub(crate) name: String,
    pub(crate) parameters: Vec<Parameter>,
}

impl Prototype {
    pub(crate) fn is_fallible(&self) -> bool {
        self.parameters.iter().any(|parameter| parameter.role == "error")
    }
}

pub(crate) struct Parameter {
    pub(crate) name: String,
    /// `length` for what follows a `text` or `bytes`; else the role of the contract.
    pub(crate) role: String,
    pub(crate) c_type: String,
}

impl Parameter {
    pub(crate) fn is_pointer(&self) -> bool {
        !matches!(self.role.as_str(), "number" | "length")
    }
}

pub(crate) fn contract() -> Value {
    let text = std::fs::read_to_string(root().join("include/pulse_trust.contract.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub(crate) fn prototypes() -> Vec<Prototype> {
    let contract = contract();
    let groups = contract["groups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["functions"].as_array().unwrap()).map(prototype).collect()
}

fn prototype(function: &Value) -> Prototype {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut parameters = Vec::new();
    for parameter in function["parameters"].as_array().unwrap() {
        let (name, role) = (text(&parameter["name"]), text(&parameter["role"]));
        let has_length = matches!(role.as_str(), "text" | "bytes");
        parameters.push(Parameter { name: name.clone(), role, c_type: text(&parameter["type"]) });
        if has_length {
            parameters.push(Parameter { name: name + "_len", role: "length".to_owned(), c_type: "size_t".to_owned() });
        }
    }
    Prototype { name: text(&function["name"]), parameters }
}

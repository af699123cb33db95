//! Reads the contract: functions, handles and their constants from `src/ffi`, tables from the compiled crate.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use pulse_trust::relay::{Frame, FrameType, HEADER_LEN, MAX_BODY_LEN, MAX_PAYLOAD_LEN, SEALED_OVERHEAD, WireErrorCode};
use pulse_trust::{ClockLeeway, Error};
use syn::{Attribute, Expr, ExprLit, FnArg, Item, ItemFn, Lit, Meta, Pat, ReturnType, Type};

use crate::model::{Constant, Contract, ErrorCode, Function, Group, Handle, Parameter, Role, Value};

/// The sections of the header in their order, each with its files in `src/ffi`; the last file names the section.
const GROUPS: [&[&str]; 18] = [
    &["fault", "error"],
    &["buffer"],
    &["keys"],
    &["token"],
    &["admission"],
    &["ids"],
    &["tables"],
    &["data_dir"],
    &["billing"],
    &["license_files"],
    &["sealing"],
    &["hosted"],
    &["identity"],
    &["frame"],
    &["channel"],
    &["session"],
    &["refresh"],
    &["pairing"],
];

/// What declares nothing for the header: without functions, for the tests, or for the host of the WebAssembly.
const OTHERS: [&str; 5] = ["mod", "call", "json", "panic_probe", "wasm"];

/// The file of a module of `src/ffi`.
pub(crate) fn file_of(root: &Path, module: &str) -> PathBuf {
    let folder = root.join("src/ffi").join(module);
    let file = folder.join("mod.rs");
    if file.exists() { file } else { folder.with_extension("rs") }
}

/// The contract of the sources at `root`, which are those this program was compiled with.
///
/// # Panics
/// Where the sources declare what the contract has no role for.
#[must_use]
pub fn contract(root: &Path) -> Contract {
    let folder = root.join("src/ffi");
    let known: BTreeSet<&str> = GROUPS.iter().flat_map(|files| files.iter()).chain(&OTHERS).copied().collect();
    for entry in std::fs::read_dir(&folder).expect("src/ffi is there") {
        let path = entry.expect("src/ffi can be listed").path();
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        assert!(known.contains(name), "src/ffi/{name}.rs is in no group of contract/src/source.rs");
    }
    let errors = Error::BOUNDARY.iter().chain(Error::TABLE).map(|entry| ErrorCode {
        number: entry.code,
        name: entry.name,
        meaning: entry.meaning,
        remedy: entry.remedy,
    });
    let mut constants = table_constants();
    let mut groups = Vec::new();
    for files in GROUPS {
        let mut group = Group { title: String::new(), files, handles: Vec::new(), functions: Vec::new() };
        for name in files {
            let path = file_of(root, name);
            let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            group.title = documentation(&file.attrs);
            for item in &file.items {
                read_item(item, &mut group, &mut constants);
            }
        }
        groups.push(group);
    }
    Contract { version: pulse_trust::VERSION.to_owned(), errors: errors.collect(), constants, groups }
}

/// What the crate's own tables and limits give.
fn table_constants() -> Vec<Constant> {
    let number = |name: &str, value: usize, about: &str| Constant {
        name: name.to_owned(),
        value: Value::Number(i64::try_from(value).expect("a limit is small")),
        about: about.to_owned(),
    };
    let version = Frame::new(FrameType::Ping, 0, b"").encode().expect("a PING has a form")[0];
    let leeway = usize::try_from(ClockLeeway::MAX.as_duration().as_secs()).expect("a leeway is short");
    let mut constants = vec![
        number("PULSE_FRAME_VERSION", usize::from(version), "The first byte of every frame."),
        number("PULSE_FRAME_HEADER_LEN", HEADER_LEN, "Bytes of a frame before its payload."),
        number("PULSE_MAX_PAYLOAD_LEN", MAX_PAYLOAD_LEN, "The longest payload of a frame, in bytes."),
        number("PULSE_MAX_BODY_LEN", MAX_BODY_LEN, "The longest body of a proxied message, in bytes."),
        number("PULSE_SEALED_OVERHEAD", SEALED_OVERHEAD, "By how many bytes a sealed message is longer than its text."),
        number(
            "PULSE_MAX_LEEWAY_SECONDS",
            leeway,
            "The most by which the clocks of an issuer and a verifier may differ.",
        ),
    ];
    for kind in FrameType::ALL {
        let about = format!("The frame type {}.", kind.name());
        constants.push(number(&format!("PULSE_FRAME_{}", kind.name()), usize::from(kind.code()), &about));
    }
    for code in WireErrorCode::ALL {
        constants.push(Constant {
            name: format!("PULSE_WIRE_{}", code.as_str()),
            value: Value::Text(code.as_str().to_owned()),
            about: "A code of an ERROR frame.".to_owned(),
        });
    }
    constants
}

fn read_item(item: &Item, group: &mut Group, constants: &mut Vec<Constant>) {
    match item {
        Item::Fn(function) if function.attrs.iter().any(is_no_mangle) => group.functions.push(read_function(function)),
        Item::Struct(item) if item.ident.to_string().starts_with("pulse_") && item.ident != "pulse_status" => {
            group.handles.push(Handle { name: item.ident.to_string(), about: documentation(&item.attrs) });
        }
        Item::Const(item) if item.ident.to_string().starts_with("PULSE_") => {
            let Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) = &*item.expr else {
                panic!("{} is not a number", item.ident);
            };
            constants.push(Constant {
                name: item.ident.to_string(),
                value: Value::Number(number.base10_parse().expect("an integer")),
                about: documentation(&item.attrs),
            });
        }
        _ => {}
    }
}

fn is_no_mangle(attribute: &Attribute) -> bool {
    matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("unsafe") && list.tokens.to_string() == "no_mangle")
}

/// The doc comment as one text, its lines joined.
fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
            _ => None,
        },
        _ => None,
    });
    lines.collect::<Vec<_>>().join(" ")
}

fn read_function(function: &ItemFn) -> Function {
    let name = function.sig.ident.to_string();
    let mut parameters: Vec<Parameter> = Vec::new();
    for input in &function.sig.inputs {
        let FnArg::Typed(input) = input else { panic!("{name} has a self") };
        let Pat::Ident(pattern) = &*input.pat else { panic!("{name} has a pattern as parameter") };
        let parameter = pattern.ident.to_string();
        // The length of the text or bytes before it.
        if let Some(before) = parameters.last()
            && matches!(before.role, Role::Text | Role::Bytes)
            && parameter == format!("{}_len", before.name)
        {
            continue;
        }
        let (role, c_type) = role_of(&input.ty).unwrap_or_else(|| panic!("{name}: no role for parameter {parameter}"));
        parameters.push(Parameter { name: parameter, role, c_type });
    }
    let returns = match &function.sig.output {
        ReturnType::Default => "void".to_owned(),
        ReturnType::Type(_, kind) => c_type(kind).unwrap_or_else(|| panic!("{name} returns what C has no type for")),
    };
    let function = Function { name, about: documentation(&function.attrs), returns, parameters };
    let error_is_last = function.parameters.iter().rposition(|parameter| parameter.role == Role::Error);
    assert!(
        !function.is_fallible()
            || (function.returns == "pulse_status" && error_is_last == Some(function.parameters.len() - 1)),
        "{} takes an error, which has to be last, and has to return a pulse_status",
        function.name
    );
    function
}

/// How a parameter of this Rust type is passed.
fn role_of(kind: &Type) -> Option<(Role, String)> {
    let Type::Ptr(pointer) = kind else {
        return Some((Role::Number, c_type(kind)?));
    };
    let is_mutable = pointer.mutability.is_some();
    if let Type::Ptr(inner) = &*pointer.elem {
        let handle = c_type(&inner.elem)?;
        let role = match handle.as_str() {
            "pulse_error" => Role::Error,
            "pulse_buffer" => Role::OutBuffer,
            _ => Role::OutHandle,
        };
        return is_mutable.then_some((role, handle));
    }
    let target = c_type(&pointer.elem)?;
    let role = match (target.as_str(), is_mutable) {
        ("char", false) => Role::Text,
        ("uint8_t", false) => Role::Bytes,
        (handle, false) if handle.starts_with("pulse_") => Role::Handle,
        (handle, true) if handle.starts_with("pulse_") => Role::ExclusiveHandle,
        ("uint8_t" | "uint32_t" | "size_t", true) => Role::OutNumber,
        _ => return None,
    };
    Some((role, target))
}

/// The C type of a Rust type.
fn c_type(kind: &Type) -> Option<String> {
    match kind {
        Type::Ptr(pointer) if pointer.mutability.is_none() => Some(format!("const {} *", c_type(&pointer.elem)?)),
        Type::Path(path) => {
            let name = path.path.get_ident()?.to_string();
            let name = match name.as_str() {
                "u8" => "uint8_t",
                "u32" => "uint32_t",
                "u64" => "uint64_t",
                "i32" => "int32_t",
                "i64" => "int64_t",
                "usize" => "size_t",
                "c_char" => "char",
                name if name.starts_with("pulse_") => name,
                _ => return None,
            };
            Some(name.to_owned())
        }
        _ => None,
    }
}

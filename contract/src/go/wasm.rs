//! The calls of the engine that is WebAssembly, translated to Go.

use std::fmt::Write;

use super::{GENERATED, documentation, functions, local, number_type, result, signature};
use crate::model::{Contract, Function, Role};

/// `internal/engine/calls_module.go`.
#[must_use]
pub fn calls(contract: &Contract) -> String {
    let mut text = format!(
        "//go:build !pulsetrust_cgo\n\n{GENERATED}// A method that the machine lacks is one that it was translated without: run examples/wasm.sh.\n\n\
         package engine\n\n\
         import \"github.com/rcourtman/pulse-trust/examples/go/internal/machine\"\n"
    );
    for function in functions(contract) {
        text.push('\n');
        text.push_str(&call(function));
    }
    text
}

/// A call: its arguments are put into the instance's memory at places, which the function is given, and its outputs are
/// read from places.
fn call(function: &Function) -> String {
    let (mut places, mut placed, mut arguments, mut after) = (Vec::new(), Vec::new(), Vec::new(), String::new());
    let mut place = |name: &str, value: String| {
        let place = format!("{name}At");
        places.push(place.clone());
        placed.push(value);
        place
    };
    let mut instance = "in".to_owned();
    for parameter in &function.parameters {
        let (local, result) = (local(parameter), result(parameter));
        match parameter.role {
            Role::Text | Role::Bytes => {
                let put = if parameter.role == Role::Text { "text" } else { "bytes" };
                arguments.extend([place(&local, format!("c.{put}({local})")), format!("int32(len({local}))")]);
            }
            Role::Handle | Role::ExclusiveHandle => {
                if instance == "in" {
                    instance = format!("{local}.in");
                }
                arguments.push(format!("{local}.pointer"));
            }
            Role::Number => arguments.push(format!("{}({local})", machine_type(&parameter.c_type))),
            Role::OutBuffer => {
                let place = place(&result, "c.out()".to_owned());
                writeln!(after, "\t{result}, err = c.takeBuffer({place})").expect("a string");
                arguments.push(place);
            }
            Role::OutHandle => {
                let place = place(&result, "c.out()".to_owned());
                writeln!(after, "\t{result} = Ref{{c.in, c.number({place})}}").expect("a string");
                arguments.push(place);
            }
            Role::OutNumber => {
                let is_read = matches!(parameter.c_type.as_str(), "uint8_t" | "uint32_t" | "size_t");
                assert!(is_read, "call.number of the Go engine reads 4 bytes: expected no {}", parameter.c_type);
                let place = place(&result, "c.out()".to_owned());
                writeln!(after, "\t{result} = {}(c.number({place}))", number_type(&parameter.c_type))
                    .expect("a string");
                arguments.push(place);
            }
            Role::Error => arguments.push(place("err", "c.out()".to_owned())),
        }
    }
    let mut begin = format!("\tc := {instance}.begin()\n\tdefer c.end()\n");
    if !places.is_empty() {
        writeln!(begin, "\t{} := {}", places.join(", "), placed.join(", ")).expect("a string");
    }
    let called = format!("m.X{}({})", function.name, arguments.join(", "));
    let body = if function.is_fallible() {
        format!(
            "\terr = c.status(errAt, func(m *machine.Module) int32 {{\n\t\treturn {called}\n\t}})\n\
             \tif err != nil {{\n\t\treturn\n\t}}\n{after}\treturn\n"
        )
    } else if function.returns == "void" {
        format!("\tc.run(func(m *machine.Module) {{ {called} }})\n")
    } else if function.returns == "const char *" {
        format!("\treturn c.cText(answer(c, func(m *machine.Module) int32 {{ return {called} }}))\n")
    } else {
        let kind = machine_type(&function.returns);
        format!(
            "\treturn {}(answer(c, func(m *machine.Module) {kind} {{\n\t\treturn {called}\n\t}}))\n",
            number_type(&function.returns)
        )
    };
    format!("{}{} {{\n{begin}{body}}}\n", documentation(function), signature(function))
}

/// What WebAssembly has for a C number: its numbers have 32 or 64 bits.
fn machine_type(c_type: &str) -> &'static str {
    match c_type {
        "int64_t" | "uint64_t" => "int64",
        _ => "int32",
    }
}

//! The calls of the cgo engine.

use std::fmt::Write;

use super::{GENERATED, documentation, functions, local, number_type, result, signature};
use crate::model::{Contract, Function, Role};

/// `internal/engine/calls_cgo.go`.
#[must_use]
pub fn calls(contract: &Contract) -> String {
    let mut text = format!("//go:build pulsetrust_cgo\n\n{GENERATED}package engine\n\n/*\n#include <pulse_trust.h>\n");
    for function in functions(contract) {
        // Nothing calls back into Go or keeps what it is given.
        writeln!(text, "#cgo noescape {0}\n#cgo nocallback {0}", function.name).expect("a string");
    }
    text.push_str("*/\nimport \"C\"\n\nimport (\n\tgoruntime \"runtime\"\n\t\"unsafe\"\n)\n");
    for function in functions(contract) {
        text.push('\n');
        text.push_str(&call(function));
    }
    text
}

fn call(function: &Function) -> String {
    let (mut before, mut after, mut arguments) = (String::new(), String::new(), Vec::new());
    for parameter in &function.parameters {
        let (local, result, c_type) = (local(parameter), result(parameter), &parameter.c_type);
        let c_result = format!("c{}{}", result[..1].to_uppercase(), &result[1..]);
        match parameter.role {
            Role::Text => {
                arguments.push(format!("(*C.char)(unsafe.Pointer(unsafe.StringData({local}))), C.size_t(len({local}))"))
            }
            Role::Bytes => arguments
                .push(format!("(*C.uint8_t)(unsafe.Pointer(unsafe.SliceData({local}))), C.size_t(len({local}))")),
            Role::Handle | Role::ExclusiveHandle => arguments.push(format!("(*C.{c_type})({local}.pointer)")),
            Role::Number => arguments.push(format!("C.{c_type}({local})")),
            Role::OutBuffer | Role::OutHandle => {
                writeln!(before, "\tvar {c_result} *C.{c_type}").expect("a string");
                let taken = if parameter.role == Role::OutBuffer {
                    format!("takeBuffer(unsafe.Pointer({c_result}))")
                } else {
                    format!("Ref{{unsafe.Pointer({c_result})}}")
                };
                writeln!(after, "\t{result} = {taken}").expect("a string");
                arguments.push(format!("&{c_result}"));
            }
            Role::OutNumber => {
                writeln!(before, "\tvar {c_result} C.{c_type}").expect("a string");
                writeln!(after, "\t{result} = {}({c_result})", number_type(c_type)).expect("a string");
                arguments.push(format!("&{c_result}"));
            }
            Role::Error => {
                before.push_str("\tvar fault *C.pulse_error\n");
                arguments.push("&fault".to_owned());
            }
        }
    }
    let given = format!("C.{}({})", function.name, arguments.join(", "));
    let body = if function.is_fallible() {
        // The owners of handles keep them alive; this keeps what has no owner.
        let mut keep = String::new();
        for input in function.inputs().filter(|input| matches!(input.role, Role::Text | Role::Bytes)) {
            writeln!(keep, "\tgoruntime.KeepAlive({})", local(input)).expect("a string");
        }
        format!(
            "{before}\tstatus := {given}\n{keep}\tif status != 0 {{\n\t\terr = takeFault(int32(status), unsafe.Pointer(fault))\n\
             \t\treturn\n\t}}\n{after}\treturn\n"
        )
    } else if function.returns == "void" {
        format!("\t{given}\n")
    } else if function.returns == "const char *" {
        format!("\treturn C.GoString({given})\n")
    } else {
        format!("\treturn {}({given})\n", number_type(&function.returns))
    };
    format!("{}{} {{\n{body}}}\n", documentation(function), signature(function))
}

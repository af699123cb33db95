//! The calls of the WebAssembly engine.

use std::fmt::Write;

use super::{GENERATED, documentation, functions, local, number_type, result, signature};
use crate::model::{Contract, Function, Role};

/// `internal/engine/calls_wazero.go`.
#[must_use]
pub fn calls(contract: &Contract) -> String {
    let mut text = format!("//go:build !pulsetrust_cgo\n\n{GENERATED}package engine\n");
    for function in functions(contract) {
        text.push('\n');
        text.push_str(&call(function));
    }
    text
}

fn call(function: &Function) -> String {
    let (mut after, mut arguments) = (String::new(), Vec::new());
    let mut instance = "in".to_owned();
    for parameter in &function.parameters {
        let (local, result) = (local(parameter), result(parameter));
        match parameter.role {
            Role::Text => arguments.extend([format!("c.text({local})"), format!("uint64(len({local}))")]),
            Role::Bytes => arguments.extend([format!("c.bytes({local})"), format!("uint64(len({local}))")]),
            Role::Handle | Role::ExclusiveHandle => {
                if instance == "in" {
                    instance = format!("{local}.in");
                }
                arguments.push(format!("uint64({local}.pointer)"));
            }
            // A number of 32 bits is in the lower half.
            Role::Number if matches!(parameter.c_type.as_str(), "int64_t" | "uint64_t") => {
                arguments.push(format!("uint64({local})"));
            }
            Role::Number => arguments.push(format!("uint64(uint32({local}))")),
            Role::OutBuffer | Role::OutHandle | Role::OutNumber | Role::Error => {
                let index = arguments.len();
                arguments.push("c.out()".to_owned());
                match parameter.role {
                    Role::OutBuffer => writeln!(after, "\t{result}, err = c.takeBuffer({index})"),
                    Role::OutHandle => writeln!(after, "\t{result} = Ref{{c.in, c.outNumber({index})}}"),
                    Role::OutNumber => {
                        writeln!(after, "\t{result} = {}(c.outNumber({index}))", number_type(&parameter.c_type))
                    }
                    _ => continue,
                }
                .expect("a string");
            }
        }
    }
    arguments.insert(0, format!("\"{}\"", function.name));
    let given = format!("c.call({})", arguments.join(", "));
    let begin = format!("\tc := {instance}.begin()\n\tdefer c.end()\n");
    let body = if function.is_fallible() {
        format!("\tif err = c.status({given}); err != nil {{\n\t\treturn\n\t}}\n{after}\treturn\n")
    } else if function.returns == "void" {
        format!("\t{given}\n")
    } else if function.returns == "const char *" {
        format!("\treturn c.cText({given})\n")
    } else {
        format!("\treturn {}({given})\n", number_type(&function.returns))
    };
    format!("{}{} {{\n{begin}{body}}}\n", documentation(function), signature(function))
}

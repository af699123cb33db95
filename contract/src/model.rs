//! The contract: what `include/pulse_trust.contract.json` holds.

use serde::Serialize;

/// All that crosses the C boundary.
#[derive(Debug, Serialize)]
pub struct Contract {
    /// The version of the library.
    pub version: String,
    /// What a call returns.
    pub errors: Vec<ErrorCode>,
    /// Numbers and texts that the languages share.
    pub constants: Vec<Constant>,
    /// Handles and functions by task.
    pub groups: Vec<Group>,
}

/// A number that a call returns.
#[derive(Debug, Serialize)]
pub struct ErrorCode {
    /// The stable number.
    pub number: u16,
    /// The stable name; C puts `PULSE_ERR_` before it.
    pub name: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

/// A `#define`.
#[derive(Debug, Serialize)]
pub struct Constant {
    /// As `PULSE_FRAME_REGISTER`.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// What it stands for.
    pub about: String,
}

/// The value of a constant.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(i64),
    /// A text.
    Text(String),
}

/// The handles and functions of one task: one section of the header.
#[derive(Debug, Serialize)]
pub struct Group {
    /// Its title.
    pub title: String,
    /// The files of `src/ffi` that declare it.
    #[serde(skip)]
    pub files: &'static [&'static str],
    /// Opaque types.
    pub handles: Vec<Handle>,
    /// Functions.
    pub functions: Vec<Function>,
}

/// An opaque type.
#[derive(Debug, Serialize)]
pub struct Handle {
    /// As `pulse_token`.
    pub name: String,
    /// What it is.
    pub about: String,
}

/// An exported function.
#[derive(Debug, Serialize)]
pub struct Function {
    /// As `pulse_token_verify`.
    pub name: String,
    /// What it does.
    pub about: String,
    /// The C type it returns.
    pub returns: String,
    /// Its parameters in order; one of the role `text` or `bytes` is two in C.
    pub parameters: Vec<Parameter>,
}

impl Function {
    /// The name without `pulse_`.
    #[must_use]
    pub fn short_name(&self) -> &str {
        self.name.strip_prefix("pulse_").unwrap_or(&self.name)
    }

    /// Whether it can fail: it returns a status and takes an error.
    #[must_use]
    pub fn is_fallible(&self) -> bool {
        self.parameters.iter().any(|parameter| parameter.role == Role::Error)
    }

    /// What it gives beside its status.
    pub fn outputs(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|parameter| parameter.role.is_output())
    }

    /// What it takes.
    pub fn inputs(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|parameter| !parameter.role.is_output() && parameter.role != Role::Error)
    }
}

/// A parameter of a function.
#[derive(Debug, Serialize)]
pub struct Parameter {
    /// As `token`; C has `token_len` beside it where the role is `text` or `bytes`.
    pub name: String,
    /// How it is passed, and who owns it.
    pub role: Role,
    /// The C type of what is passed or pointed to.
    #[serde(rename = "type")]
    pub c_type: String,
}

/// How a parameter is passed, and who owns it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// UTF-8 that the caller owns: pointer and length, `(NULL, 0)` where it is empty.
    Text,
    /// Bytes that the caller owns: pointer and length, `(NULL, 0)` where there are none.
    Bytes,
    /// A handle that many threads may use at once.
    Handle,
    /// A handle that the call changes or frees.
    ExclusiveHandle,
    /// A number.
    Number,
    /// A new handle, which the caller frees.
    OutHandle,
    /// New bytes or text, which the caller frees with `pulse_buffer_free`.
    OutBuffer,
    /// A number.
    OutNumber,
    /// An error, which the caller frees with `pulse_error_free`. NULL: none is wanted.
    Error,
}

impl Role {
    /// Whether the call writes it on success.
    #[must_use]
    pub fn is_output(self) -> bool {
        matches!(self, Self::OutHandle | Self::OutBuffer | Self::OutNumber)
    }
}

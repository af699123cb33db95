//! NULL and panics, at every function: a C program is written from the header and run.

use std::fmt::Write;
use std::process::Command;

use crate::library::{compile, root, run};
use crate::prototypes::{Parameter, Prototype, prototypes};

#[test]
fn null_is_an_error_everywhere_and_outputs_stay_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("nulls.c");
    std::fs::write(&source, program()).unwrap();
    let program = folder.path().join("nulls");
    compile(&source, &program);
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let output = run(Command::new(&program).arg(&data));
    let calls: usize = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    assert!(calls > 250, "{calls} calls");
}

#[test]
fn a_panic_ends_at_the_boundary_and_writes_no_output() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("panic.c");
    let text = r#"
        #include <pulse_trust.h>
        #include <stdio.h>
        pulse_status pulse_panic_probe(pulse_buffer **out, pulse_error **error);
        int main(void) {
            static char sentinel;
            pulse_buffer *out = (pulse_buffer *)(void *)&sentinel;
            pulse_error *error = NULL;
            if (pulse_panic_probe(&out, &error) != PULSE_ERR_PANIC) return 1;
            if (pulse_error_status(error) != PULSE_ERR_PANIC) return 2;
            puts(pulse_error_message(error));
            pulse_error_free(error);
            if (pulse_panic_probe(&out, NULL) != PULSE_ERR_PANIC) return 3;
            return out == (pulse_buffer *)(void *)&sentinel ? 0 : 4;
        }
    "#;
    std::fs::write(&source, text).unwrap();
    let program = folder.path().join("panic");
    compile(&source, &program);
    let output = run(&mut Command::new(&program));
    assert!(String::from_utf8(output.stdout).unwrap().contains("a bug in pulse-trust was caught"));
}

/// What guards is the first thing in each function, so that nothing is outside of it.
#[test]
fn every_exported_function_is_one_guarded_call() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root().join("src/ffi")).unwrap() {
        let path = entry.unwrap().path();
        let path = if path.is_dir() { path.join("mod.rs") } else { path };
        if path.ends_with("wasm.rs") {
            continue; // WebAssembly cannot unwind: a panic is a trap, which the host sees.
        }
        let source = std::fs::read_to_string(&path).unwrap();
        for function in source.split("#[unsafe(no_mangle)]\n").skip(1) {
            let (function, _) = function.split_once("\n}\n").unwrap();
            let (signature, body) = function.split_once(" {\n").unwrap();
            let name = signature.split_once("fn ").unwrap().1.split_once('(').unwrap().0;
            // Names of outputs and defaults compute nothing.
            let is_name = |line: &str| {
                line.starts_with("let ")
                    && ["Out::new(", "core::ptr::null()", ".then("].iter().any(|value| line.contains(value))
            };
            let outside = body
                .lines()
                .map(str::trim)
                .find(|line| !(line.starts_with("//") || is_name(line) || *line == "unsafe {"));
            let outside = outside.unwrap().trim_start_matches("unsafe { ");
            let is_guarded = ["call(", "read(", "free(", "compute(", "milliseconds(", "VERSION.as_ptr()"]
                .iter()
                .any(|guard| outside.starts_with(guard));
            assert!(is_guarded, "{name} does not begin with what guards it: {outside:.60}");
            names.push(name.to_owned());
        }
    }
    for prototype in prototypes() {
        assert!(names.contains(&prototype.name), "{} is in no file of src/ffi", prototype.name);
    }
}

fn program() -> String {
    let mut text = String::from(SETUP);
    for prototype in prototypes() {
        // What frees or ends a handle is called with NULL alone: the others still need it.
        let ends_handle = prototype.name.ends_with("_free");
        let pointers: Vec<usize> =
            prototype.parameters.iter().enumerate().filter(|(_, p)| p.is_pointer()).map(|(i, _)| i).collect();
        for &null in &pointers {
            if !ends_handle {
                write_call(&mut text, &prototype, |index| index == null);
            }
        }
        if !pointers.is_empty() {
            write_call(&mut text, &prototype, |index| pointers.contains(&index));
        }
    }
    text.push_str(END);
    text
}

fn write_call(text: &mut String, prototype: &Prototype, is_null: impl Fn(usize) -> bool) {
    let mut arguments = Vec::new();
    let mut nulls = Vec::new();
    for (index, parameter) in prototype.parameters.iter().enumerate() {
        if parameter.is_pointer() && is_null(index) {
            arguments.push("NULL".to_owned());
            // Keys verify what a lease refresh brings; a session without one needs none.
            let is_optional = prototype.name == "pulse_session_new_instance" && parameter.name == "keys";
            if parameter.role != "error" && !is_optional {
                nulls.push(parameter.name.as_str());
            }
        } else {
            arguments.push(valid_argument(parameter));
        }
    }
    let call = format!("{}({})", prototype.name, arguments.join(", "));
    let line = if prototype.is_fallible() {
        let must_fail = i32::from(!nulls.is_empty());
        let expected = if nulls.is_empty() { ">= 0" } else { "== PULSE_ERR_NULL_ARGUMENT" };
        // The error names the argument, where there is an error and one argument to name.
        let has_error = arguments.last().is_some_and(|error| error != "NULL");
        let message = match nulls.as_slice() {
            [null] if has_error => format!("\"argument {null} is NULL\""),
            _ => "NULL".to_owned(),
        };
        format!("    expect({call} {expected}, {must_fail}, {message}, \"{}\");\n", call.replace('"', "'"))
    } else {
        format!("    (void){call}; calls++;\n")
    };
    write!(text, "{line}").unwrap();
}

fn valid_argument(parameter: &Parameter) -> String {
    let handle = parameter.c_type.trim_start_matches("pulse_");
    match (parameter.role.as_str(), parameter.c_type.as_str()) {
        ("text", _) => "\"text\"".to_owned(),
        ("bytes", _) => "bytes".to_owned(),
        ("length", _) => "4".to_owned(),
        ("handle" | "exclusive_handle", _) => format!("a_{handle}"),
        ("out_handle" | "out_buffer" | "error", _) => format!("&out_{handle}"),
        ("out_number", "uint8_t") => "&out_byte".to_owned(),
        ("out_number", "uint32_t") => "&out_number".to_owned(),
        ("out_number", "size_t") => "&out_size".to_owned(),
        ("number", _) => "0".to_owned(),
        other => panic!("{}: {other:?}", parameter.name),
    }
}

/// Live handles of every type, and outputs whose value shows whether they were written.
const SETUP: &str = r#"
#include <pulse_trust.h>
#include <stdio.h>
#include <string.h>
static uint8_t bytes[64], out_byte = 0xaa;
static uint32_t out_number = 0xaaaaaaaa;
static size_t out_size = 0xaaaa;
static char sentinel;
#define OUT(type) static pulse_##type *out_##type = (pulse_##type *)(void *)&sentinel
OUT(admission); OUT(buffer); OUT(channel); OUT(data_dir); OUT(handshake); OUT(identity); OUT(pairing_code);
OUT(registration); OUT(runtime); OUT(session); OUT(signing_key); OUT(token); OUT(trust_keys);
static pulse_error *out_error;
static int calls;

static void reset(void) {
#define RESET(type) if (out_##type != (pulse_##type *)(void *)&sentinel) pulse_##type##_free(out_##type); \
    out_##type = (pulse_##type *)(void *)&sentinel
    RESET(admission); RESET(buffer); RESET(channel); RESET(data_dir); RESET(handshake); RESET(identity);
    RESET(pairing_code); RESET(registration); RESET(runtime); RESET(session); RESET(signing_key); RESET(token); RESET(trust_keys);
    out_byte = 0xaa; out_number = 0xaaaaaaaa; out_size = 0xaaaa;
    pulse_error_free(out_error);
    out_error = NULL;
}

/* `must_fail`: the call got a NULL, so that nothing may have been written. `message`: what the error must say. */
static void expect_at(int right, int must_fail, const char *message, const char *call, int *failures) {
    calls++;
    int touched = 0;
#define LOOK(type) touched |= out_##type != (pulse_##type *)(void *)&sentinel
    LOOK(admission); LOOK(buffer); LOOK(channel); LOOK(data_dir); LOOK(handshake); LOOK(identity); LOOK(pairing_code);
    LOOK(registration); LOOK(runtime); LOOK(session); LOOK(signing_key); LOOK(token); LOOK(trust_keys);
    touched |= out_byte != 0xaa || out_number != 0xaaaaaaaa || out_size != 0xaaaa;
    if (!right || (must_fail && touched)) {
        fprintf(stderr, "%s: %s\n", right ? "an output was written" : "wrong status", call);
        ++*failures;
    }
    if (message != NULL && strcmp(message, pulse_error_message(out_error)) != 0) {
        fprintf(stderr, "%s: the error says %s\n", call, pulse_error_message(out_error));
        ++*failures;
    }
    reset();
}

int main(int count, char **arguments) {
    int failures = 0;
    if (count != 2) return 2;
    pulse_signing_key *a_signing_key = NULL; pulse_trust_keys *a_trust_keys = NULL; pulse_admission *a_admission = NULL;
    pulse_data_dir *a_data_dir = NULL; pulse_runtime *a_runtime = NULL; pulse_identity *a_identity = NULL;
    pulse_handshake *a_handshake = NULL; pulse_channel *a_channel = NULL; pulse_buffer *a_buffer = NULL;
    pulse_pairing_code *a_pairing_code = NULL; pulse_error *a_error = NULL; pulse_token *a_token = NULL;
    pulse_registration *a_registration = NULL; pulse_session *a_session = NULL;
    pulse_buffer *key = NULL, *token = NULL, *hello = NULL;
    const char *claims = "{\"iss\":\"pulse-pro-entitlement-lease\",\"aud\":\"pulse-pro-entitlement-cache\",\"org_id\":\"default\","
        "\"instance_host\":\"t-1.example.test\",\"plan_version\":\"cloud_starter\",\"subscription_state\":\"active\","
        "\"capabilities\":[\"relay\"],\"exp\":4000000000}";
    const char *settings = "{\"server_url\":\"wss://relay.example.test/ws/instance\",\"credential\":\"c\",\"instance_secret\":\"s\"}";
    const char *code = "pulse://connect?auth_token=t&instance_id=relay_2e1b0929e6fd7c52"
        "&relay_url=wss%3A%2F%2Frelay.example.test%2Fws%2Fapp&schema=pulse-mobile-onboarding-v1";
    int bad = pulse_signing_key_generate(&a_signing_key, &a_error) || pulse_signing_key_public_key(a_signing_key, &key, &a_error)
        || pulse_trust_keys_new(pulse_buffer_text(key), pulse_buffer_len(key), NULL, 0, &a_trust_keys, &a_error)
        || pulse_admission_new(a_trust_keys, 0, &a_admission, &a_error)
        || pulse_data_dir_open(arguments[1], strlen(arguments[1]), &a_data_dir, &a_error)
        || pulse_runtime_new(PULSE_MODE_HOSTED, a_trust_keys, NULL, 0, NULL, 0, NULL, 0, &a_runtime, &a_error)
        || pulse_identity_generate(&a_identity, &a_error) || pulse_handshake_start(&a_handshake, &a_error)
        || pulse_handshake_message(a_handshake, &hello, &a_error)
        || pulse_channel_accept(a_identity, pulse_buffer_data(hello), pulse_buffer_len(hello), &a_channel, &a_buffer, &a_error)
        || pulse_session_new_instance(settings, strlen(settings), a_identity, NULL, &a_session, &a_error)
        || pulse_pairing_code_parse(code, strlen(code), &a_pairing_code, &a_error)
        || pulse_token_sign(a_signing_key, PULSE_KIND_LEASE, 1, claims, strlen(claims), &token, &a_error)
        || pulse_token_verify(a_trust_keys, pulse_buffer_text(token), pulse_buffer_len(token), PULSE_HOST_ANY, NULL, 0,
                              NULL, 0, 0, 1000, &a_token, &a_error)
        || pulse_admission_admit(a_admission, pulse_buffer_text(token), pulse_buffer_len(token), NULL, 0, 1000,
                                 &a_registration, &a_error)
        || pulse_token_check(a_token, "no_such", 7, 1000, &a_error) != PULSE_ERR_CAPABILITY_MISSING;
    if (bad) {
        fprintf(stderr, "setup failed: %s\n", pulse_error_message(a_error));
        return 1;
    }
#define expect(right, must_fail, message, call) do { int is_right = (right); expect_at(is_right, must_fail, message, call, &failures); } while (0)
    reset();
"#;

/// Nothing is left, so that a sanitizer that looks for leaks finds the library's alone.
const END: &str = r#"
    reset();
#define FREE(type) pulse_##type##_free(a_##type)
    FREE(admission); FREE(buffer); FREE(channel); FREE(data_dir); FREE(handshake); FREE(identity); FREE(pairing_code);
    FREE(registration); FREE(runtime); FREE(session); FREE(signing_key); FREE(token); FREE(trust_keys); FREE(error);
    pulse_buffer_free(key); pulse_buffer_free(token); pulse_buffer_free(hello);
    printf("%d\n", calls);
    return failures != 0;
}
"#;

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
fn a_panic_ends_at_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("panic.c");
    let text = r#"
        #include <pulse_trust.h>
        #include <stdio.h>
        pulse_status pulse_panic_probe(pulse_error **error);
        int main(void) {
            pulse_error *error = NULL;
            if (pulse_panic_probe(&error) != PULSE_ERR_PANIC) return 1;
            if (pulse_error_status(error) != PULSE_ERR_PANIC) return 2;
            puts(pulse_error_message(error));
            pulse_error_free(error);
            return pulse_panic_probe(NULL) == PULSE_ERR_PANIC ? 0 : 3;
        }
    "#;
    std::fs::write(&source, text).unwrap();
    let program = folder.path().join("panic");
    compile(&source, &program);
    let output = run(&mut Command::new(&program));
    assert!(String::from_utf8(output.stdout).unwrap().contains("a bug in pulse-trust was caught"));
}

/// The guard is the first thing in each function, so nothing is outside of it.
#[test]
fn every_exported_function_is_one_guarded_call() {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root().join("src/ffi")).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("wasm.rs") {
            continue; // WebAssembly cannot unwind: a panic is a trap, which the host sees.
        }
        let source = std::fs::read_to_string(&path).unwrap();
        for function in source.split("#[unsafe(no_mangle)]\n").skip(1) {
            let (function, _) = function.split_once("\n}\n").unwrap();
            let (signature, body) = function.split_once(" {\n").unwrap();
            let name = signature.split_once("fn ").unwrap().1.split_once('(').unwrap().0;
            let body: String =
                body.lines().map(str::trim).filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join(" ");
            let body = body.trim_start_matches("unsafe { ");
            let is_guarded = ["guard(", "guard_or(", "free("].iter().any(|guard| body.starts_with(guard));
            assert!(is_guarded, "{name} does not begin with a guard: {body:.60}");
            names.push(name.to_owned());
        }
    }
    for prototype in prototypes() {
        assert!(names.contains(&prototype.name), "{} is in no file of src/ffi", prototype.name);
    }
}

const HANDLES: [&str; 13] = [
    "admission",
    "buffer",
    "channel",
    "data_dir",
    "error",
    "handshake",
    "identity",
    "pairing_code",
    "registration",
    "runtime",
    "signing_key",
    "token",
    "trust_keys",
];

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
    text.push_str("    printf(\"%d\\n\", calls);\n    return failures != 0;\n}\n");
    text
}

fn write_call(text: &mut String, prototype: &Prototype, is_null: impl Fn(usize) -> bool) {
    let mut arguments = Vec::new();
    let mut must_fail = false;
    for (index, parameter) in prototype.parameters.iter().enumerate() {
        if parameter.is_pointer() && is_null(index) {
            arguments.push("NULL".to_owned());
            must_fail |= parameter.name != "error";
        } else {
            arguments.push(valid_argument(parameter));
        }
    }
    let call = format!("{}({})", prototype.name, arguments.join(", "));
    let line = if prototype.returns == "pulse_status" && prototype.name != "pulse_error_status" {
        let expected = if must_fail { "== PULSE_ERR_NULL_ARGUMENT" } else { ">= 0" };
        format!("    expect({call} {expected}, {must_fail:?}, \"{}\");\n", call.replace('"', "'"))
    } else {
        format!("    (void){call}; calls++;\n")
    };
    let line = line.replace(", true,", ", 1,").replace(", false,", ", 0,");
    write!(text, "{line}").unwrap();
}

fn valid_argument(parameter: &Parameter) -> String {
    let kind = parameter.kind.trim_start_matches("const ");
    if let Some(handle) = kind.strip_prefix("pulse_").and_then(|kind| kind.strip_suffix(" *"))
        && HANDLES.contains(&handle)
    {
        return format!("a_{handle}");
    }
    if let Some(handle) = kind.strip_prefix("pulse_").and_then(|kind| kind.strip_suffix(" **")) {
        return format!("&out_{handle}");
    }
    match kind {
        "char *" => "\"text\"".to_owned(),
        "uint8_t *" if parameter.name == "out_type" => "&out_byte".to_owned(),
        "uint8_t *" if parameter.name == "out_signature" => "out_bytes".to_owned(),
        "uint8_t *" => "bytes".to_owned(),
        "uint32_t *" => "&out_number".to_owned(),
        "size_t *" => "&out_size".to_owned(),
        _ if parameter.name.ends_with("_len") => "4".to_owned(),
        _ => "0".to_owned(),
    }
}

/// Live handles of every type, and outputs whose value shows whether they were written.
const SETUP: &str = r#"
#include <pulse_trust.h>
#include <stdio.h>
#include <string.h>
static uint8_t bytes[64], out_bytes[64], out_byte = 0xaa;
static uint32_t out_number = 0xaaaaaaaa;
static size_t out_size = 0xaaaa;
static char sentinel;
#define OUT(type) static pulse_##type *out_##type = (pulse_##type *)(void *)&sentinel
OUT(admission); OUT(buffer); OUT(channel); OUT(data_dir); OUT(handshake); OUT(identity); OUT(pairing_code);
OUT(registration); OUT(runtime); OUT(signing_key); OUT(token); OUT(trust_keys);
static pulse_error *out_error;
static int calls;

static void reset(void) {
#define RESET(type) out_##type = (pulse_##type *)(void *)&sentinel
    RESET(admission); RESET(buffer); RESET(channel); RESET(data_dir); RESET(handshake); RESET(identity);
    RESET(pairing_code); RESET(registration); RESET(runtime); RESET(signing_key); RESET(token); RESET(trust_keys);
    memset(out_bytes, 0xaa, sizeof out_bytes);
    out_byte = 0xaa; out_number = 0xaaaaaaaa; out_size = 0xaaaa;
    pulse_error_free(out_error);
    out_error = NULL;
}

/* `must_fail`: the call got a NULL, so that nothing may have been written. */
static void expect_at(int right, int must_fail, const char *call, int *failures) {
    calls++;
    int touched = 0;
#define LOOK(type) touched |= out_##type != (pulse_##type *)(void *)&sentinel
    LOOK(admission); LOOK(buffer); LOOK(channel); LOOK(data_dir); LOOK(handshake); LOOK(identity); LOOK(pairing_code);
    LOOK(registration); LOOK(runtime); LOOK(signing_key); LOOK(token); LOOK(trust_keys);
    for (size_t i = 0; i < sizeof out_bytes; i++) touched |= out_bytes[i] != 0xaa;
    touched |= out_byte != 0xaa || out_number != 0xaaaaaaaa || out_size != 0xaaaa;
    if (!right || (must_fail && touched)) {
        fprintf(stderr, "%s: %s\n", right ? "an output was written" : "wrong status", call);
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
    pulse_registration *a_registration = NULL; pulse_buffer *key = NULL, *token = NULL, *hello = NULL;
    const char *claims = "{\"iss\":\"pulse-pro-entitlement-lease\",\"aud\":\"pulse-pro-entitlement-cache\",\"org_id\":\"default\","
        "\"instance_host\":\"t-1.example.test\",\"plan_version\":\"cloud_starter\",\"subscription_state\":\"active\","
        "\"capabilities\":[\"relay\"],\"exp\":4000000000}";
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
#define expect(right, must_fail, call) do { int is_right = (right); expect_at(is_right, must_fail, call, &failures); } while (0)
    reset();
"#;

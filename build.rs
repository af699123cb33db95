//! Under `capi`: generates the C header. `PULSE_TRUST_WRITE_HEADER=1` puts it into `include/`; else a test holds the
//! committed one against it.

#![allow(clippy::expect_used)] // a build that cannot go on says so

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    #[cfg(feature = "capi")]
    header::generate();
}

#[cfg(feature = "capi")]
mod header {
    use std::fmt::Write;
    use std::path::Path;
    use std::{env, fs};

    const FILE: &str = "pulse_trust.h";

    pub(crate) fn generate() {
        println!("cargo:rerun-if-changed=src/ffi");
        println!("cargo:rerun-if-changed=src/error.rs");
        println!("cargo:rerun-if-changed=cbindgen.toml");
        println!("cargo:rerun-if-env-changed=PULSE_TRUST_WRITE_HEADER");
        let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
        let root = Path::new(&root);
        let table = fs::read_to_string(root.join("src/error.rs")).expect("src/error.rs is there");
        let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml")).expect("cbindgen.toml is valid");
        config.after_includes = Some(error_constants(&table));
        let bindings = cbindgen::Builder::new().with_crate(root).with_config(config).generate();
        let mut header = Vec::new();
        bindings.expect("the C functions are ones that cbindgen reads").write(&mut header);
        // What Rust calls safety is here what a caller must give, which the words say by themselves.
        let header = String::from_utf8(header).expect("a header is text").replace(" * # Safety\n", "");
        let generated = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join(FILE);
        fs::write(generated, &header).expect("OUT_DIR can be written");
        if env::var_os("PULSE_TRUST_WRITE_HEADER").is_some() {
            fs::write(root.join("include").join(FILE), &header).expect("include/ can be written");
        }
    }

    /// `#define PULSE_ERR_...` for each line of the one table of errors, with its comment.
    fn error_constants(table: &str) -> String {
        let mut text = String::from(
            "\n/* What a call returns: 0, or the number of an error. */\n#define PULSE_OK 0\n\
             /* A bug in pulse-trust was caught. */\n#define PULSE_ERR_PANIC 1\n\
             /* A pointer that must not be NULL was NULL. */\n#define PULSE_ERR_NULL_ARGUMENT 2\n\
             /* An argument is not UTF-8, not the JSON it should be, or none of the constants. */\n\
             #define PULSE_ERR_INVALID_ARGUMENT 3\n",
        );
        let mut comment = String::new();
        for line in table.lines().map(str::trim) {
            if let Some(doc) = line.strip_prefix("/// ") {
                comment = if comment.is_empty() { doc.to_owned() } else { format!("{comment} {doc}") };
                continue;
            }
            if line.starts_with("#[remedy") {
                continue;
            }
            if let Some((number, rest)) = line.split_once(" \"")
                && let (Ok(number), Some((name, _))) = (number.parse::<u16>(), rest.split_once('"'))
            {
                let comment = comment.replace('`', "");
                writeln!(text, "/* {comment} */\n#define PULSE_ERR_{name} {number}").expect("a string takes it");
            }
            comment.clear();
        }
        text
    }
}

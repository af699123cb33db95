# shellcheck shell=bash
# The faults that .ci/planted plants: how long the gate takes, the gate, what is wrong, what the gate says of it, and the
# commands that plant it.
set -euo pipefail

fault quick formatting "a line that rustfmt writes otherwise" 'Diff in .*src/lib.rs' <<'PLANT'
echo 'fn  planted( ) {}' >>src/lib.rs
PLANT

fault quick scripts "a negated command, whose failure stops nothing" 'SC2251' <<'PLANT'
printf '%s\n' '! grep -q planted README.md' 'echo done' >>.ci/checks/wasm
PLANT

fault quick scripts "a pipeline's status that is read after another command" 'PIPESTATUS is lost' <<'PLANT'
# shellcheck disable=SC2016
printf '%s\n' 'false | cat || true' '[ "${PIPESTATUS[0]}" = 0 ]' >>tests/fuzz/run.sh
PLANT

fault quick scripts "a script that goes on after a failure" "expected 'set -euo pipefail'" <<'PLANT'
sed -i '/^set -euo pipefail$/d' examples/wasm.sh
PLANT

fault quick scripts "a check of a command substitution whose failure is lost" 'SC2312' <<'PLANT'
# shellcheck disable=SC2016
echo '[ -z "$(grep planted README.md)" ]' >>.ci/checks/wasm
PLANT

fault quick scripts "a workflow that runs what a stranger writes" 'template-injection|untrusted' <<'PLANT'
# shellcheck disable=SC2016
sed -i 's|- run: .ci/run$|- run: echo ${{ github.event.pull_request.title }}|' .github/workflows/ci.yml
PLANT

fault quick scripts "an action that is not pinned" 'unpinned-uses' <<'PLANT'
sed -i 's|actions/checkout@[0-9a-f]* # v5.0.0|actions/checkout@v5|' .github/workflows/nightly.yml
PLANT

fault quick spelling "a misspelled word" 'recieve' <<'PLANT'
echo 'What they recieve.' >>README.md
PLANT

fault quick wasm "sources that the WebAssembly was not made of" 'outdated: run examples/wasm.sh' <<'PLANT'
echo '// planted' >>src/lib.rs
PLANT

fault quick wasm "a line of Go that was not translated" 'is not pulse_trust.wasm translated' <<'PLANT'
sed -i 's/^const maxMem = .*/const maxMem = 65536/' examples/go/internal/machine/machine.go
PLANT

fault quick dependencies "a crate that builds C code" '^C code: cc ' <<'PLANT'
sed -i 's/^\[dependencies\]$/[build-dependencies]\ncc = "1"\n\n[dependencies]/' Cargo.toml
cargo metadata --format-version 1 >/dev/null
PLANT

fault quick dependencies "two versions of a crate" '^in two versions: getrandom' <<'PLANT'
sed -i 's/^\[dependencies\]$/[dependencies]\nold = { package = "getrandom", version = "0.2" }/' Cargo.toml
cargo metadata --format-version 1 >/dev/null
PLANT

fault slow licenses "a license that is not on the list" 'error\[rejected\]' <<'PLANT'
cargo new --quiet --lib --vcs none planted
sed -i 's/^edition = .*/&\nlicense = "GPL-3.0-only"\npublish = false/' planted/Cargo.toml
sed -i 's/^\[dependencies\]$/[dependencies]\nplanted = { path = "planted", version = "0.1.0" }/' Cargo.toml
cargo metadata --format-version 1 >/dev/null
PLANT

fault slow licenses "a crate that comes from a repository" 'error\[source-not-allowed\]' <<'PLANT'
source=$(mktemp -d)/planted-source
cargo new --quiet --lib --vcs none "$source"
git init --quiet "$source"
git -C "$source" add -A
git -C "$source" -c user.name=planted -c user.email=planted@example.test -c commit.gpgsign=false commit --quiet -m planted
sed -i "s|^\[dependencies\]$|[dependencies]\nplanted-source = { git = \"file://$source\" }|" Cargo.toml
cargo metadata --format-version 1 >/dev/null
PLANT

fault quick dependencies "more crates than are allowed" 'expected at most 60' <<'PLANT'
sed -i 's/^\[dependencies\]$/[dependencies]\ntracing-subscriber = { version = "0.3", default-features = false, features = ["fmt", "env-filter"] }/' Cargo.toml
cargo metadata --format-version 1 >/dev/null
PLANT

fault quick dependencies "a lock file of the fuzz targets that is behind" 'cannot update the lock file .*tests/fuzz' <<'PLANT'
sed -i 's/^tempfile = "3"$/tempfile = "3"\nhex = "0.4"/' tests/fuzz/Cargo.toml
PLANT

fault slow lints "a panic in the library" 'clippy::unwrap_used|used .unwrap' <<'PLANT'
echo '/// Planted.
#[must_use]
pub fn planted(number: Option<u8>) -> u8 {
    number.unwrap()
}' >>src/lib.rs
PLANT

fault slow quick-tests "a vector that is read otherwise than it says" 'leases/.*FAILED|failures:' <<'PLANT'
sed -i '0,/"grants_relay": true/s//"grants_relay": false/' tests/vectors/deployed/leases.json
PLANT

fault slow quick-tests "an input that a fuzz target fails on" 'fuzz/token/.*FAILED|fuzz/token' <<'PLANT'
sed -i '0,/^pub(crate) fn run(input: &\[u8\]) {$/s//&\n    assert!(input.len() > 100_000, "planted");/' tests/fuzz/inputs/token.rs
PLANT

fault slow features "a module that leans on a feature in silence" 'unresolved import|could not find' <<'PLANT'
echo '/// Planted.
pub use crate::pairing::qr_svg as planted;' >>src/lib.rs
PLANT

fault slow documentation "a link that leads nowhere" 'unresolved link' <<'PLANT'
echo '/// See [`nowhere_at_all`].
pub const PLANTED: u8 = 0;' >>src/lib.rs
PLANT

fault slow documentation "an example that is not run" 'no example.*Inspected' <<'PLANT'
sed -i '0,/^\/\/\/ ```$/s//\/\/\/ ```no_run/' src/entitlement/inspected.rs
PLANT

fault slow rust-version "a function that is newer than the declared Rust" 'incompatible_msrv|current MSRV' <<'PLANT'
echo '/// Planted.
#[must_use]
pub fn planted(path: &std::path::Path) -> bool {
    path.file_prefix().is_some()
}' >>src/lib.rs
PLANT

fault slow rust-version "a dependency that needs a newer Rust" 'needs Rust 1\.' <<'PLANT'
sed -i 's/^rust-version = ".*"$/rust-version = "1.88"/' Cargo.toml
PLANT

fault slow minimal-versions "a minimum that is too old" 'zeroize' <<'PLANT'
sed -i 's/^zeroize = { version = "[0-9.]*"/zeroize = { version = "1.0.0"/' Cargo.toml
PLANT

fault slow external-types "a type of another crate in the public API" 'Unapproved external type' <<'PLANT'
echo '/// Planted.
#[must_use]
pub fn planted() -> subtle::Choice {
    1.into()
}' >>src/lib.rs
PLANT

fault slow public-api "a function that users have and that is gone" 'CHANGELOG.md does not say so' <<'PLANT'
echo '/// Planted.
pub fn planted() {}' >>src/lib.rs
git commit --quiet -am before
git revert --no-commit HEAD >/dev/null
echo '// planted' >>src/lib.rs
PLANT

fault slow package "a file that the archive leaves out" 'error: failed to verify|file not found for module' <<'PLANT'
sed -i 's|^exclude = \[$|exclude = [\n  "/src/url.rs",|' Cargo.toml
PLANT

fault slow c-library "a header that is not that of the sources" 'implicit declaration of function .pulse_frame_decode' <<'PLANT'
sed -i 's|^pulse_status pulse_frame_decode(|pulse_status pulse_frame_decodes(|' include/pulse_trust.h
PLANT

fault slow c-library "a library that is too large" 'expected at most [0-9]+ KiB' <<'PLANT'
echo '#[used]
static PLANTED: [u8; 1 << 21] = [1; 1 << 21];' >>src/lib.rs
PLANT

fault slow fuzz "a target that fails" 'token failed: its input is in target/fuzz' <<'PLANT'
sed -i '0,/^pub(crate) fn run(input: &\[u8\]) {$/s//&\n    assert!(input.len() < 100, "planted");/' tests/fuzz/inputs/token.rs
PLANT

fault slow torture "a file that is not synced before it is renamed" 'crash states.*\| [1-9][0-9]* \|$' <<'PLANT'
sed -i 's/temporary.file.sync_all()?;//' src/storage/native/write.rs
PLANT

fault slow mutants "a line that no test holds" 'MISSED' <<'PLANT'
echo '/// Planted.
#[must_use]
pub fn planted(number: u8) -> bool {
    number > 3
}' >>src/lib.rs
PLANT

fault slow performance "a path that takes more instructions than is committed" 'counts are off by more than' <<'PLANT'
sed -i -E '0,/: ([0-9]+)([0-9]{2}),?$/s//: 1\2,/' benches/instructions.json
PLANT

fault slow journey "a journey whose record does not say that it passed" 'the record does not say that the journey passed' <<'PLANT'
sed -i 's/- Result: {}/- Planted: {}/' examples/journey/record_text.rs
PLANT

fault slow readmes "a quickstart that does not work" 'README.md#Planted: exit status 1' <<'PLANT'
printf "\n# Planted\n\n\140\140\140sh quickstart\nfalse\n\140\140\140\n\n\140\140\140text quickstart\ndone\n\140\140\140\n" >>README.md
PLANT

fault slow curve "an addition that takes the sum for the difference" 'FAILED' <<'PLANT'
sed -i 's/let a = self.y.minus(&self.x).times(difference);/let a = self.y.minus(\&self.x).times(sum);/' src/keys/curve/point.rs
PLANT

fault slow curve "a subtraction that leaves the sign of dxy" 'FAILED' <<'PLANT'
sed -i 's/let (f, g) = if negative { (&plus, &minus) } else { (&minus, &plus) };/let (f, g) = (\&minus, \&plus);/' src/keys/curve/point.rs
PLANT

fault slow curve "a doubling that forgets d" 'FAILED' <<'PLANT'
sed -i 's/let c = self.t.plus(&self.t).times(&self.t.times(&D).loose());/let c = self.t.plus(\&self.t).times(\&self.t.loose());/' src/keys/curve/point.rs
PLANT

fault slow curve "a wrong bit in d" 'FAILED' <<'PLANT'
sed -i 's/0xa3, 0x78, 0x59, 0x13/0xa2, 0x78, 0x59, 0x13/' src/keys/curve/point.rs
PLANT

fault slow curve "an entry with twice its dxy" 'FAILED' <<'PLANT'
sed -i 's/let d4 = d2.plus(&d2);/let d4 = d2.plus(\&d2).carried().plus(\&d2.plus(\&d2).carried());/' src/keys/curve/point.rs
PLANT

fault slow curve "an encoding without the sign of x" 'FAILED' <<'PLANT'
sed -i 's/\*last |= u8::from(x.is_odd()) << 7;/let _ = (last, x);/' src/keys/curve/point.rs
PLANT

fault slow curve "a digit that is always added" 'FAILED' <<'PLANT'
sed -i 's/add(place))?, \*digit < 0))/add(place))?, false))/' src/keys/curve/window_table.rs
PLANT

fault slow relay "a session that outlives its credential" 'a_session_ends_within_a_second.*FAILED' <<'PLANT'
sed -i 's/^        end_expired(&shared);$//' examples/relay_server/src/enforcement.rs
PLANT

fault slow relay "a revocation that leaves live sessions" 'whatever_a_revocation_names_ends.*FAILED' <<'PLANT'
sed -i 's/^ *enforcement::end_revoked(shared);$//' examples/relay_server/src/revocations/feed.rs
PLANT

fault slow relay "an id that another identity takes over at once" 'another_is_refused_until_the_hold_is_over.*FAILED' <<'PLANT'
sed -i 's/^                if is_held {$/                if false \&\& is_held {/' examples/relay_server/src/registry.rs
PLANT

fault slow relay "a flooder whose turn has no end" 'each_flooder_has_one.*FAILED' <<'PLANT'
sed -i 's/if self.turn >= FRAMES_PER_TURN {/if self.turn == u32::MAX {/' examples/relay_server/src/connection/mod.rs
PLANT

fault slow relay "half a message that costs nothing" 'what_has_arrived_of_a_message_counts.*FAILED' <<'PLANT'
sed -i 's/if bytes < STEP {/if bytes > 0 {/' examples/relay_server/src/connection/unfinished.rs
PLANT

fault slow relay "a listener that ends unnoticed" 'takes_no_more_connections_says_so.*FAILED' <<'PLANT'
sed -i 's/^        (&mut self.accepting).await.ok();$/        std::future::pending().await/' examples/relay_server/src/relay.rs
PLANT

fault slow relay "an address that may probe for ever" 'an_address_that_probes_is_limited.*FAILED' <<'PLANT'
sed -i 's/is_some_and(|until| TokioClock.now() < \*until)/is_some_and(|_| false)/' examples/relay_server/src/rates.rs
PLANT

fault slow relay "a hold that a killed relay has forgotten" 'killed_knows_who_holds.*FAILED' <<'PLANT'
sed -i 's/self.file.write_all(line.as_bytes())/self.file.write_all(b"")/' examples/relay_server/src/holds.rs
PLANT

fault slow relay "a drain that waits for no answer" 'a_request_that_reached_the_instance_is_answered.*FAILED' <<'PLANT'
sed -i 's/^    while Instant::now() < until {$/    while false \&\& Instant::now() < until {/' examples/relay_server/src/drain.rs
PLANT

fault slow relay "a key file that others can read" 'key_file_that_others_can_read.*FAILED' <<'PLANT'
sed -i 's/mode & 0o077 != 0/mode == 0o1000/' examples/relay_server/src/state_file.rs
PLANT

fault slow relay "a phone that pays for who guesses beside it" 'who_guesses_behind_a_nat.*FAILED' <<'PLANT'
sed -i 's/!found.as_ref().is_some_and(is_let_in)/!found.as_ref().is_some_and(|instance| is_let_in(instance) \&\& false)/' examples/relay_server/src/app.rs
PLANT

fault slow relay "a certificate that is never replaced" 'a_new_certificate_is_used.*FAILED' <<'PLANT'
sed -i 's/self.current.0.store(Arc::clone(&loaded.certified));//' examples/relay_server/src/tls/mod.rs
PLANT

fault slow relay "bytes that nobody is slowed down for" 'more_bytes_than_a_phone_may_send.*FAILED' <<'PLANT'
sed -i 's/if wait.is_zero() {/if wait < std::time::Duration::MAX {/' examples/relay_server/src/connection/mod.rs
PLANT

fault slow relay "a removed key whose sessions go on" 'a_hang_up_rotates_a_key.*FAILED' <<'PLANT'
sed -i 's/^        end_untrusted(shared);$//' examples/relay_server/src/reload.rs
PLANT

fault slow cluster "a takeover that the other node does not learn of" 'a_takeover_on_another_node.*FAILED' <<'PLANT'
sed -i 's/^            shared.registry.replace(&instance_id, generation);$/            drop((instance_id, generation));/' examples/relay_server/src/cluster/service.rs
PLANT

fault slow cluster "a window that is not given back across nodes" 'they_meet_and_what_they_say.*FAILED' <<'PLANT'
sed -i 's/^            self.in_flight.pop_front();$//' examples/relay_server/src/cluster/tunnel.rs
PLANT

fault slow cluster "the id of a dead node's instance that anybody takes" 'the_id_of_a_dead_nodes.*FAILED' <<'PLANT'
sed -i 's/if is_other \&\& is_gone {/if false \&\& is_other \&\& is_gone {/; s/if is_other \&\& is_held {/if is_other \&\& is_held \&\& !is_gone {/' examples/relay_server/src/cluster/presence.rs
PLANT

fault slow cluster "two holders after a race" 'races_over_three_nodes.*FAILED' <<'PLANT'
sed -i 's/is_some_and(|fence| fence.generation < holder.fence.generation)/is_some_and(|_| false)/; s/is_some_and(|(generation, _)| \*generation > fence.generation)/is_some_and(|_| false)/' examples/relay_server/src/registry.rs
PLANT

fault slow cluster "an instance that gets requests after its DRAIN" 'keep_no_node_from_ending.*FAILED' <<'PLANT'
sed -i 's/self.is_told.load(Ordering::SeqCst)/false/' examples/relay_server/src/connection/outbox.rs
PLANT

fault slow cluster "a claim without an answer that nobody looks at again" 'written_and_not_answered.*FAILED' <<'PLANT'
sed -i 's/^        locked(&self.unsettled).push_back(Unsettled::Claim(claim));$//' examples/relay_server/src/cluster/unsettled.rs
PLANT

fault slow relay "frames of a channel that was not accepted" 'reaches_the_instance_with_nothing_but_its_connect.*FAILED' <<'PLANT'
sed -i 's/Some(channel) if channel.accept_by.is_none() => RelayEvent::Forward/Some(channel) => RelayEvent::Forward/' src/session/relay_side.rs
PLANT

fault slow relay "a message of any number of fragments" 'endless_empty_fragments_ends.*FAILED' <<'PLANT'
sed -i 's/self.fragments >= MAX_FRAGMENTS/self.fragments == u32::MAX/' examples/relay_server/src/connection/headers.rs
PLANT

fault slow relay "a turn that ends with a message alone" 'a_turn_ends_inside_a_message_too.*FAILED' <<'PLANT'
sed -i 's/self.reads_left.checked_sub(1) else/Some(READS_PER_TURN) else/' examples/relay_server/src/connection/wire.rs
PLANT

fault slow relay "a phone that reads nothing and holds others up" 'reads_nothing_delays_the_others.*FAILED' <<'PLANT'
sed -i 's/has_others.then(|| since/false.then(|| since/' examples/relay_server/src/connection/hold_up.rs
PLANT

fault slow relay "a slow phone that holds others up for ever" 'holds_up_one_that_waits.*FAILED' <<'PLANT'
sed -i 's/is_awaited.then(|| blocked/false.then(|| blocked/' examples/relay_server/src/connection/hold_up.rs
PLANT

fault slow relay "a session key of any bytes" 'session_key_is_what_a_relay_wrote.*FAILED' <<'PLANT'
sed -i 's/key.filter(|key| key.expose_secret() == text)/key.or_else(|| (text.len() >= 32).then(|| text.into()))/' examples/relay_server/src/session_token.rs
PLANT

fault slow relay "a directory for two relays" 'one_relay_at_a_time_uses.*FAILED' <<'PLANT'
sed -i 's/match file.try_lock() {/match file.try_lock_shared() {/' examples/relay_server/src/directory_lock.rs
PLANT

fault slow relay "a journal that is written where nobody finds it" 'deleted_under_a_relay_is_noticed.*FAILED' <<'PLANT'
sed -i 's/(fs::metadata(path)?, file/(file.metadata()?, file/' examples/relay_server/src/state_file.rs
PLANT

fault slow relay "a piece of a line that a full disk leaves in the journal" 'a_journal_that_a_full_disk_cut_off.*FAILED' <<'PLANT'
sed -i 's/self.torn_at = Some(before);/self.torn_at = None;/' examples/relay_server/src/holds.rs
PLANT

fault slow relay "a revocation feed that goes back and is read on" 'a_feed_that_went_back.*FAILED' <<'PLANT'
sed -i 's/if next < since \&\& !is_anew {/if next < since \&\& is_anew {/' examples/relay_server/src/revocations/feed.rs
PLANT

fault slow relay "a REGISTER that cannot be read and costs nothing" 'cannot_be_read_count_as_any.*FAILED' <<'PLANT'
sed -i 's/^    let refused = check_rate(shared, link).err().*/    let refused = Refused { costs_a_try: false, ..Refused::new(fault.code, fault.message) };/' examples/relay_server/src/instance.rs
PLANT

fault slow relay "an address that takes every newcomer's place" 'sends_nothing_shuts_no_other_out.*FAILED' <<'PLANT'
sed -i 's/if \*count >= self.limit {/if *count == usize::MAX {/' examples/relay_server/src/slots.rs
PLANT

fault slow relay "a renewal whenever it pleases" 'renewal_long_before_its_time.*FAILED' <<'PLANT'
sed -i '/^        check_renewal(shared, link)?;$/d' examples/relay_server/src/instance.rs
PLANT

fault slow constant-time "a comparison of secrets that ends early" 'FAILED secrets are compared, the first byte differs' <<'PLANT'
sed -i 's/self.0.as_bytes().ct_eq(other.0.as_bytes()).into()/self.0.bytes().eq(other.0.bytes())/' src/secret.rs
PLANT

fault slow sanitizers "a byte that is read past the end of a caller's bytes" 'AddressSanitizer: heap-buffer-overflow' <<'PLANT'
sed -i 's/^    Ok(unsafe { core::slice::from_raw_parts(data, length) })/    core::hint::black_box(unsafe { data.add(length).read() });\n&/' src/ffi/call.rs
PLANT

fault slow sanitizers "a handle that is never freed" 'LeakSanitizer: detected memory leaks' <<'PLANT'
sed -i 's/drop(unsafe { Box::from_raw(handle) });/core::mem::forget(unsafe { Box::from_raw(handle) });/' src/ffi/call.rs
PLANT

fault slow sanitizers "a number that threads count without a lock" 'ThreadSanitizer: data race' <<'PLANT'
sed -i 's/^    Ok(unsafe { core::slice::from_raw_parts(data, length) })/    unsafe { static mut PLANTED: u64 = 0; PLANTED = PLANTED.wrapping_add(1); }\n&/' src/ffi/call.rs
PLANT

fault slow supply-chain "a crate that nobody has vouched for" 'arrayref' <<'PLANT'
sed -i 's/^\[dependencies\]$/[dependencies]\narrayref = "0.3"/' Cargo.toml
cargo metadata --format-version 1 >/dev/null
PLANT

fault slow supply-chain "a program without the list of its crates" 'has no list of its crates inside' <<'PLANT'
sed -i 's/^cargo auditable build/cargo build/' .ci/auditable
PLANT

fault slow supply-chain "a list that lacks a crate" 'and these are not' <<'PLANT'
sed -i 's/^kept = \[component for component in bom\["components"\] if/& component["name"] != "serde" and/' .ci/sbom.py
PLANT

fault slow reproducible "a place of the machine in the library" 'depends on where or when it is built' <<'PLANT'
sed -i 's/^export CARGO_ENCODED_RUSTFLAGS$/unset CARGO_ENCODED_RUSTFLAGS/' examples/c/build.sh
PLANT

fault quick scripts "a check that nothing runs" 'planted-check is in no list of .ci/run' <<'PLANT'
cp .ci/checks/wasm .ci/checks/planted-check
PLANT

fault quick scripts "a check whose faults are gone" 'messages has no fault in .ci/faults.sh' <<'PLANT'
sed -i '/^fault quick messages /d' .ci/faults.sh
PLANT

fault quick scripts "a check of the night that GitHub does not run" 'is not the list nightly of .ci/run' <<'PLANT'
sed -i 's/check: \[curve, /check: [/' .github/workflows/nightly.yml
PLANT

fault slow faults "a fault whose code has moved on" 'could not be planted: a session that outlives' <<'PLANT'
sed -i 's/^        end_expired(&shared);$/        end_expired( \&shared );/' examples/relay_server/src/enforcement.rs
PLANT

fault quick messages "a message that the WebAssembly would leave empty" 'Debug output in what may be a message' <<'PLANT'
echo 'pub(crate) fn planted(what: &str) -> String {
    format!("planted: {what:?}")
}' >>src/json/form.rs
PLANT

fault quick refused-tokens "a case that its script does not write" 'not what generate.py writes' <<'PLANT'
for file in tests/vectors/refused/alg/*.json; do sed -i 's/"why": "/&planted: /' "$file"; done
PLANT

fault slow quick-tests "a generated file that is behind its source" 'errors.md is outdated: run cargo run -p pulse-contract' <<'PLANT'
sed -i 's/^    #\[remedy = "Copy the whole key again."\]$/    #[remedy = "Copy the whole key anew."]/' src/error/table.rs
PLANT

fault slow tests "an example of the documentation that is wrong" 'src/unix_time.rs.*FAILED' <<'PLANT'
sed -i 's|^/// assert_eq!(noon.to_string(), "2026|/// assert_eq!(noon.to_string(), "2027|' src/unix_time.rs
PLANT

fault slow alerts "an alert that does not fire" 'FAILED' <<'PLANT'
sed -i '0,/== 0$/s//== 2/' examples/relay_server/deploy/alerts.yaml
PLANT

fault slow benches "a bench that fails" 'planted' <<'PLANT'
sed -i 's/^fn refusals(c: &mut Criterion) {$/&\n    "planted".parse::<u8>().expect("planted");/' benches/refusals.rs
PLANT

fault slow proxies "metrics that the public sees" 'nginx shows the metrics to the public' <<'PLANT'
sed -i '/^    location = \/metrics {$/,/^    }$/d' examples/relay_server/deploy/nginx.conf
PLANT

fault slow simulation "a session that outlives its credential" 'seeds show a violation' <<'PLANT'
sed -i 's/^        end_expired(&shared);$//' examples/relay_server/src/enforcement.rs
PLANT

fault slow interleavings "a loser that releases the winner's id" 'FAILED' <<'PLANT'
sed -i 's/&& holder.link.as_ref().is_some_and(|held| Arc::ptr_eq(held, link))/\&\& holder.link.is_some()/' examples/relay_server/src/registry.rs
PLANT

fault slow language-c "a handle that the program in C does not free" 'are definitely lost|still reachable' <<'PLANT'
sed -i '/^    pulse_registration_free(registration);$/d' examples/c/tenant.c
PLANT

fault slow language-go "memory that the module has left and nobody wipes" 'FAIL: TestMemoryThatTheModuleHasLeftIsWiped' <<'PLANT'
sed -i '/^\t\twipe(c.memory)$/d' examples/go/internal/engine/call.go
PLANT

fault slow language-typescript "a secret that closing leaves in memory" 'not ok .* a closed identity and its private key' <<'PLANT'
sed -i 's/^    this.#engine.free(this.#free, this.#pointer);$/    if (this.#pointer < 0) &/' examples/typescript/src/handle.ts
PLANT

fault slow language-web "a page that may load from elsewhere" 'not ok .* the page.s policy lets nothing in' <<'PLANT'
sed -i "s/default-src 'none'/default-src */" examples/web/scripts/build.mjs
PLANT

fault slow language-kotlin "a handle that closing does not free" 'closing frees once' <<'PLANT'
sed -i '/^        cleanable.clean()$/d' examples/kotlin/src/main/kotlin/io/pulserelay/trust/ffi/Handle.kt
PLANT

fault slow language-swift "a call with an argument too many" 'pulse_buffer_free has 1 parameters, and is called with 2' <<'PLANT'
sed -i 's/pulse_buffer_free(pointer)/pulse_buffer_free(pointer, 1)/' examples/swift/Sources/PulseTrust/Call.swift
PLANT

fault slow go-musl "a program that has not the C library inside" 'does not have the cgo engine' <<'PLANT'
sed -i 's/go build -tags=pulsetrust_cgo -ldflags/go build -ldflags/' examples/go/musl.sh
PLANT

unplanted planted "it is what plants the faults"

/*
 * A hosted tenant from "provisioned" to "paired", in C: the control plane issues, the runtime bootstraps, the relay
 * admits, the phone checks the code and opens a channel. Build and run it with examples/c/check.sh.
 */
#include <pulse_trust.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT(literal) (literal), (sizeof(literal) - 1)
#define BUFFER_TEXT(buffer) pulse_buffer_text(buffer), pulse_buffer_len(buffer)
#define BUFFER_BYTES(buffer) pulse_buffer_data(buffer), pulse_buffer_len(buffer)

/* Ends the program with the error's number, name and text where a call failed. */
static void check(pulse_status status, pulse_error *error, const char *what) {
    if (status == PULSE_OK) {
        return;
    }
    fprintf(stderr, "%s: %s (%d %s)\n", what, pulse_error_message(error), (int)status, pulse_status_name(status));
    pulse_error_free(error);
    exit(1);
}

/* The value of a text member of one of the library's JSON objects. A real program takes its JSON library. */
static char *member(const pulse_buffer *json, const char *name) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
    const char *start = strstr(pulse_buffer_text(json), quoted);
    if (start == NULL) {
        fprintf(stderr, "no member %s\n", name);
        exit(1);
    }
    start += strlen(quoted);
    size_t length = strcspn(start, "\"");
    char *value = malloc(length + 1);
    if (value == NULL) {
        exit(1);
    }
    memcpy(value, start, length);
    value[length] = '\0';
    return value;
}

/* The object that is a member of a JSON object of the library: from its brace to the matching one. */
static char *object(const pulse_buffer *json, const char *name) {
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":{", name);
    const char *start = strstr(pulse_buffer_text(json), quoted);
    if (start == NULL) {
        fprintf(stderr, "no member %s\n", name);
        exit(1);
    }
    start += strlen(quoted) - 1;
    size_t length = strcspn(start, "}") + 1;
    char *value = malloc(length + 1);
    if (value == NULL) {
        exit(1);
    }
    memcpy(value, start, length);
    value[length] = '\0';
    return value;
}

/* The phone: what it scanned says whom to trust; only that identity can finish the key exchange. */
static void pair(const char *code_text, const pulse_identity *identity) {
    pulse_error *error = NULL;
    pulse_pairing_code *code = NULL;
    check(pulse_pairing_code_parse(code_text, strlen(code_text), &code, &error), error, "parse the code");
    pulse_buffer *scanned = NULL;
    check(pulse_pairing_code_secret_json(code, &scanned, &error), error, "read the code");
    char *identity_key = member(scanned, "identity_public_key");
    char *fingerprint = member(scanned, "identity_fingerprint");
    printf("phone      compare the fingerprint: %s\n", fingerprint);

    pulse_handshake *handshake = NULL;
    pulse_buffer *hello = NULL, *answer = NULL;
    pulse_channel *phone = NULL, *instance = NULL;
    check(pulse_handshake_start(&handshake, &error), error, "start the key exchange");
    check(pulse_handshake_message(handshake, &hello, &error), error, "say hello");
    check(pulse_channel_accept(identity, BUFFER_BYTES(hello), &instance, &answer, &error), error, "accept");
    check(pulse_handshake_finish(handshake, BUFFER_BYTES(answer), identity_key, strlen(identity_key), &phone, &error),
          error, "verify the identity");
    pulse_buffer *sealed = NULL, *opened = NULL;
    check(pulse_channel_seal(phone, (const uint8_t *)"GET /api/status", 15, &sealed, &error), error, "seal");
    check(pulse_channel_open(instance, BUFFER_BYTES(sealed), &opened, &error), error, "open");
    printf("channel    the instance reads: %s\n", pulse_buffer_text(opened));

    pulse_buffer_free(opened);
    pulse_buffer_free(sealed);
    pulse_channel_free(phone);
    pulse_channel_free(instance);
    pulse_buffer_free(answer);
    pulse_buffer_free(hello);
    pulse_handshake_free(handshake);
    free(fingerprint);
    free(identity_key);
    pulse_buffer_free(scanned);
    pulse_pairing_code_free(code);
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: tenant EMPTY-DIRECTORY\n");
        return 2;
    }
    const int64_t now = (int64_t)time(NULL);
    pulse_error *error = NULL;
    printf("library    pulse-trust %s\n", pulse_version());

    /* The control plane: a signed lease in the tenant's billing.json. */
    pulse_signing_key *signing_key = NULL;
    pulse_data_dir *directory = NULL;
    pulse_buffer *host = NULL, *public_key = NULL;
    check(pulse_signing_key_generate(&signing_key, &error), error, "make a key");
    check(pulse_signing_key_public_key(signing_key, &public_key, &error), error, "public key");
    check(pulse_data_dir_open(arguments[1], strlen(arguments[1]), &directory, &error), error, "open the directory");
    check(pulse_billing_state_issue(directory,
                                    TEXT("{\"tenant_id\":\"t-example\",\"base_url\":\"https://cloud.example.test\"}"),
                                    signing_key, now, &host, &error),
          error, "issue");
    printf("issued     a lease for %s\n", pulse_buffer_text(host));

    /* The tenant's runtime: relay.enc, an identity, a credential. */
    pulse_trust_keys *keys = NULL;
    pulse_runtime *runtime = NULL;
    pulse_buffer *started = NULL;
    check(pulse_trust_keys_new(BUFFER_TEXT(public_key), NULL, 0, &keys, &error), error, "trust keys");
    check(pulse_runtime_new(PULSE_MODE_HOSTED, keys, BUFFER_TEXT(host), NULL, 0, NULL, 0, &runtime, &error), error,
          "runtime");
    check(pulse_bootstrap(directory, runtime, now, &started, &error), error, "bootstrap");
    char *outcome = member(started, "outcome");
    char *token = member(started, "token");
    char *private_key = member(started, "identity_private_key");
    char *config = object(started, "config");
    printf("bootstrap  %s\n", outcome);

    /* The relay: one call verifies, binds and derives the instance id. */
    pulse_admission *admission = NULL;
    pulse_registration *registration = NULL;
    check(pulse_admission_new(keys, 0, &admission, &error), error, "admission");
    check(pulse_admission_admit(admission, token, strlen(token), NULL, 0, now, &registration, &error), error, "admit");
    const char *instance_id = pulse_registration_instance_id(registration);
    printf("admitted   as %s until %lld\n", instance_id, (long long)pulse_registration_expires_at(registration));

    /* The runtime offers a pairing code; the phone takes it. */
    pulse_buffer *built = NULL, *terminal = NULL;
    pulse_identity *identity = NULL;
    check(pulse_pairing_build(config, strlen(config), instance_id, strlen(instance_id), TEXT("example-token"), NULL, 0,
                              &built, &error),
          error, "build the code");
    char *code = member(built, "compact_code");
    for (char *escaped; (escaped = strstr(code, "\\u0026")) != NULL;) { /* the library writes & as Go does */
        *escaped = '&';
        memmove(escaped + 1, escaped + 6, strlen(escaped + 6) + 1);
    }
    check(pulse_qr_terminal(code, strlen(code), &terminal, &error), error, "draw the code");
    printf("%s\n", pulse_buffer_text(terminal));
    check(pulse_identity_from_private_key(private_key, strlen(private_key), &identity, &error), error, "identity");
    pair(code, identity);

    pulse_identity_free(identity);
    pulse_buffer_free(terminal);
    free(code);
    pulse_buffer_free(built);
    pulse_registration_free(registration);
    pulse_admission_free(admission);
    free(config);
    free(private_key);
    free(token);
    free(outcome);
    pulse_buffer_free(started);
    pulse_runtime_free(runtime);
    pulse_trust_keys_free(keys);
    pulse_buffer_free(public_key);
    pulse_buffer_free(host);
    pulse_data_dir_free(directory);
    pulse_signing_key_free(signing_key);
    return 0;
}

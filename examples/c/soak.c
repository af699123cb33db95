/*
 * What the library costs a C program: one call, a million values made and freed, many threads on one key set. Prints the
 * figures; ends with status 1 where memory grew by a mebibyte or an answer was wrong.
 *   soak [CYCLES [CALLS_PER_THREAD]]
 */
#define _POSIX_C_SOURCE 200809L
#include <pulse_trust.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TEXT(literal) (literal), (sizeof(literal) - 1)
#define THREADS 16
#define NOW 1795000000

static const char HOST[] = "t-abc.cloud.example.test";
static const char CLAIMS[] = "{\"org_id\":\"default\",\"instance_host\":\"t-abc.cloud.example.test\","
                             "\"plan_version\":\"cloud_starter\",\"subscription_state\":\"active\","
                             "\"capabilities\":[\"relay\",\"mobile_app\"],\"exp\":1795086400}";

static void check(pulse_status status, const char *what) {
    if (status != PULSE_OK) {
        fprintf(stderr, "%s: %d %s\n", what, (int)status, pulse_status_name(status));
        exit(1);
    }
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long resident_bytes(void) {
    FILE *file = fopen("/proc/self/statm", "r");
    long all = 0, resident = 0;
    if (file == NULL || fscanf(file, "%ld %ld", &all, &resident) != 2) {
        fprintf(stderr, "no /proc/self/statm\n");
        exit(1);
    }
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

struct tenant {
    pulse_trust_keys *keys;
    pulse_buffer *lease;
};

static struct tenant make_tenant(void) {
    pulse_signing_key *signer = NULL;
    pulse_buffer *public_key = NULL;
    pulse_trust_keys *keys = NULL;
    struct tenant tenant = {NULL, NULL};
    check(pulse_signing_key_generate(&signer, NULL), "make a key");
    check(pulse_signing_key_public_key(signer, &public_key, NULL), "public key");
    check(pulse_trust_keys_new(pulse_buffer_text(public_key), pulse_buffer_len(public_key), NULL, 0, &keys, NULL), "keys");
    check(pulse_trust_keys_with_tables(keys, PULSE_TABLES_LARGE, &tenant.keys, NULL), "tables");
    check(pulse_token_sign(signer, PULSE_KIND_LEASE, 0, TEXT(CLAIMS), &tenant.lease, NULL), "sign");
    pulse_trust_keys_free(keys);
    pulse_buffer_free(public_key);
    pulse_signing_key_free(signer);
    return tenant;
}

static pulse_status verify(const struct tenant *tenant, pulse_token **out, pulse_error **error) {
    return pulse_token_verify(tenant->keys, pulse_buffer_text(tenant->lease), pulse_buffer_len(tenant->lease),
                              PULSE_HOST_REQUIRE, TEXT(HOST), NULL, 0, 0, NOW, out, error);
}

/* One call on a token that is kept: what the runtime asks on every request. */
static void measure_calls(const struct tenant *tenant) {
    const long calls = 20 * 1000 * 1000;
    pulse_token *token = NULL;
    check(verify(tenant, &token, NULL), "verify");
    double start = seconds();
    long sum = 0;
    for (long i = 0; i < calls; i++) {
        sum += pulse_token_kind(token);
    }
    printf("pulse_token_kind: %.1f ns a call\n", (seconds() - start) * 1e9 / (double)calls);
    start = seconds();
    for (long i = 0; i < calls; i++) {
        sum += pulse_token_check(token, TEXT("relay"), NOW, NULL) + pulse_token_check_host(token, TEXT(HOST), NULL);
    }
    printf("pulse_token_check and pulse_token_check_host: %.1f ns for both\n", (seconds() - start) * 1e9 / (double)calls);
    if (sum != calls * PULSE_KIND_LEASE) {
        fprintf(stderr, "a wrong answer\n");
        exit(1);
    }
    pulse_token_free(token);
}

/* A value, a refusal with its error, a buffer, a handshake: made and freed. */
static void cycle(const struct tenant *tenant) {
    pulse_token *token = NULL;
    pulse_error *error = NULL;
    pulse_buffer *buffer = NULL;
    check(verify(tenant, &token, NULL), "verify");
    check(pulse_token_claims_json(token, &buffer, NULL), "claims");
    pulse_buffer_free(buffer);
    pulse_token_free(token);
    if (pulse_token_verify(tenant->keys, TEXT("a.b.c"), PULSE_HOST_ANY, NULL, 0, NULL, 0, 0, NOW, &token, &error) ==
        PULSE_OK) {
        exit(1);
    }
    pulse_error_free(error);
}

static void measure_memory(const struct tenant *tenant, long cycles) {
    for (int i = 0; i < 10000; i++) {
        cycle(tenant);
    }
    long before = resident_bytes();
    double start = seconds();
    for (long i = 0; i < cycles; i++) {
        cycle(tenant);
    }
    long grown = resident_bytes() - before;
    printf("%ld cycles of make and free: resident memory grew by %ld bytes, %.1f us a cycle\n", cycles, grown,
           (seconds() - start) * 1e6 / (double)cycles);
    if (grown >= 1024 * 1024) {
        exit(1);
    }
}

struct work {
    const struct tenant *tenant;
    long calls;
    long right;
};

static void *run(void *argument) {
    struct work *work = argument;
    for (long i = 0; i < work->calls; i++) {
        pulse_token *token = NULL;
        if (verify(work->tenant, &token, NULL) == PULSE_OK && pulse_token_check(token, TEXT("relay"), NOW, NULL) == PULSE_OK &&
            pulse_token_check(token, TEXT("white_label"), NOW, NULL) == PULSE_ERR_CAPABILITY_MISSING) {
            work->right++;
        }
        pulse_token_free(token);
    }
    return NULL;
}

static void measure_threads(const struct tenant *tenant, long calls) {
    pthread_t threads[THREADS];
    struct work work[THREADS];
    long right = 0;
    double start = seconds();
    for (int i = 0; i < THREADS; i++) {
        work[i] = (struct work){tenant, calls, 0};
        if (pthread_create(&threads[i], NULL, run, &work[i]) != 0) {
            exit(1);
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        right += work[i].right;
    }
    printf("%d threads x %ld verifications under one key set: %ld right, %.1f s\n", THREADS, calls, right, seconds() - start);
    if (right != THREADS * calls) {
        exit(1);
    }
}

int main(int count, char **arguments) {
    long cycles = count > 1 ? atol(arguments[1]) : 1000000;
    long calls = count > 2 ? atol(arguments[2]) : 100000;
    struct tenant tenant = make_tenant();
    measure_calls(&tenant);
    measure_memory(&tenant, cycles);
    measure_threads(&tenant, calls);
    pulse_buffer_free(tenant.lease);
    pulse_trust_keys_free(tenant.keys);
    return 0;
}

/*
 * The questions of tests/vectors/refused, from a C program. Standard input has one after the other: the lease keys, the
 * license keys, the token, the host, the organization and the capability, each as 4 bytes of length, lowest first, and
 * its bytes; then the time and the leeway, 8 bytes each. Each answer is a line: the name of the error, or OK.
 */
#include <pulse_trust.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { LEASE_KEYS, LICENSE_KEYS, TOKEN, HOST, ORG, CAPABILITY, TEXTS };

/* Allocated for its length to the byte, so that a sanitizer sees a read past it. An empty text is NULL. */
struct text {
    char *start;
    size_t len;
};

static void stop(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(2);
}

/* False at the end of the input, where that is allowed. */
static int read_number(int bytes, uint64_t *number, int may_end) {
    *number = 0;
    for (int i = 0; i < bytes; i++) {
        int byte = getchar();
        if (byte == EOF) {
            if (i != 0 || !may_end) {
                stop("the input ends within a question");
            }
            return 0;
        }
        *number |= (uint64_t)byte << (8 * i);
    }
    return 1;
}

static int read_text(struct text *text, int may_end) {
    uint64_t len = 0;
    if (!read_number(4, &len, may_end)) {
        return 0;
    }
    *text = (struct text){NULL, (size_t)len};
    if (len > 0) {
        text->start = malloc((size_t)len);
        if (text->start == NULL || fread(text->start, 1, (size_t)len, stdin) != len) {
            stop("a text is shorter than its length");
        }
    }
    return 1;
}

static pulse_status ask(const struct text *texts, int64_t now, uint32_t leeway) {
    pulse_trust_keys *keys = NULL;
    pulse_token *token = NULL;
    pulse_error *error = NULL;
    const struct text *host = &texts[HOST];
    if (pulse_trust_keys_new(texts[LEASE_KEYS].start, texts[LEASE_KEYS].len, texts[LICENSE_KEYS].start,
                             texts[LICENSE_KEYS].len, &keys, NULL) != PULSE_OK) {
        stop("the trust keys are refused");
    }
    pulse_status status = pulse_token_verify(keys, texts[TOKEN].start, texts[TOKEN].len,
                                             host->len == 0 ? PULSE_HOST_ANY : PULSE_HOST_REQUIRE, host->start, host->len,
                                             texts[ORG].start, texts[ORG].len, leeway, now, &token, &error);
    if ((status == PULSE_OK) != (token != NULL)) {
        stop("a token is written on success alone");
    }
    if (status == PULSE_OK && texts[CAPABILITY].len > 0) {
        status = pulse_token_check(token, texts[CAPABILITY].start, texts[CAPABILITY].len, now, &error);
    }
    if ((status == PULSE_OK) != (error == NULL)) {
        stop("an error is written on failure alone");
    }
    pulse_error_free(error);
    pulse_token_free(token);
    pulse_trust_keys_free(keys);
    return status;
}

int main(void) {
    struct text texts[TEXTS];
    while (read_text(&texts[0], 1)) {
        uint64_t now = 0, leeway = 0;
        for (int i = 1; i < TEXTS; i++) {
            read_text(&texts[i], 0);
        }
        read_number(8, &now, 0);
        read_number(8, &leeway, 0);
        puts(pulse_status_name(ask(texts, (int64_t)now, (uint32_t)leeway)));
        for (int i = 0; i < TEXTS; i++) {
            free(texts[i].start);
        }
    }
    return 0;
}

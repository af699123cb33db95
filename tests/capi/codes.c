/* The number of an error that Rust has a name for is the same across the boundary. */
#include <pulse_trust.h>

#include <stdio.h>

static int is(const char *what, pulse_status received, pulse_status expected) {
    if (received != expected) fprintf(stderr, "%s: expected %d, received %d\n", what, (int)expected, (int)received);
    return received == expected;
}

int main(void) {
    pulse_buffer *out = NULL;
    /* Not the object that a load gives. */
    int right = is("an array as relay config", pulse_relay_config_with_environment("[]", 2, "", 0, "", 0, &out, NULL),
                   PULSE_ERR_RELAY_CONFIG_MALFORMED);
    right &= is("the same for a pairing code", pulse_pairing_build("[]", 2, "i", 1, "t", 1, "", 0, &out, NULL),
                PULSE_ERR_RELAY_CONFIG_MALFORMED);
    /* Not text at all. */
    right &= is("no UTF-8", pulse_relay_config_with_environment("\xff", 1, "", 0, "", 0, &out, NULL),
                PULSE_ERR_INVALID_ARGUMENT);
    return right ? 0 : 1;
}

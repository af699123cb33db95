// The module map, as Swift's importer reads it: the module is found, and gives types, functions and constants.
@import PulseTrust;

pulse_status (*const handshake_start)(pulse_handshake **, pulse_error **) = pulse_handshake_start;

int check(void) {
  return PULSE_OK + PULSE_ERR_KEY_EXCHANGE_SIGNATURE;
}

/* The same from C, where an include of the header is an import of the module. */
#pragma clang module import PulseTrust

pulse_status (*const frame_encode)(uint8_t, uint32_t, const uint8_t *, size_t, pulse_buffer **, pulse_error **) = pulse_frame_encode;

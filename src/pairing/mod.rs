//! Pairing codes: built by the runtime, checked by the phone (FORMATS 13).

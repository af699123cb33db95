//! The JSON payloads of control frames (FORMATS 11).

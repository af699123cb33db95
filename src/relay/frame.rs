//! Frames on the wire (FORMATS 11).

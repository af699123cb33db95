//! The relay config of a runtime, its validation and its environment (FORMATS 7).

//! The end-to-end channel between app and instance (FORMATS 12).

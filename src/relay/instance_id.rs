//! Instance ids (FORMATS 6).

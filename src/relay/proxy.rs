//! Requests and responses inside DATA frames (FORMATS 11).

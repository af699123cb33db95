//! Files in a data directory: sealed, crash-safe, locked (FORMATS 7, 8).

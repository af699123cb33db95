//! Compact tokens: strict parsing ([formats: compact tokens](crate::_documentation::formats#compact-tokens)), and
//! signing. This module has no opinion on claims.
//!
//! [`UnverifiedToken::parse`] checks size, shape and header and decodes the payload; what it returns was **not**
//! verified. Only [`UnverifiedToken::verify`] says who signed it.

mod header;
mod parse;
mod sign;

pub use parse::{MAX_SEGMENT_LEN, MAX_TOKEN_LEN, UnverifiedToken};
pub use sign::{sign, sign_with_key_id};

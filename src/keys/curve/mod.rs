//! The arithmetic of the fixed-key verifier: sums of precomputed multiples of a point of Curve25519 in Edwards form.
//!
//! Operations on field elements are `fiat-crypto`'s, which is generated from a machine-checked proof. What is written
//! here is the group law and the tables. Everything is public (key, signature and message), so all of it takes variable
//! time. Whatever is secret is `curve25519-dalek`'s, which is also the reference that every part of this module is
//! tested against.

mod field;
mod point;
mod table_check;
mod window_table;

pub(super) use point::{Point, encode_all};
pub(super) use window_table::{WindowTable, sum_of_products};

#[cfg(test)]
mod tests;

//! The prepared verifier against `verify_strict` of ed25519-dalek: its accept set is the same, signature by signature,
//! alone and in bulk, with tables of every size. That general verifier is the reference everywhere in here.

mod boundaries;
mod random;
mod reference;
mod torsion;
mod trust_sets;
mod wycheproof_vectors;

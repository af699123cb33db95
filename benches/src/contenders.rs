//! Who checks the lease: this library, and its peers with the same claims and the same demands.

pub mod bare;
pub mod jsonwebtoken;
pub mod jwt_simple;
pub mod ours;
pub mod pasetors;

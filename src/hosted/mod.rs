//! The bootstrap of a hosted tenant and its registration credential (FORMATS 9).

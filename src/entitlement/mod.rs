//! What a token entitles to: leases, licenses, grants (FORMATS 3, 4, 5, 10).

//! Any text as the query of a deep link, with and without the members that a code needs: as
//! [`pairing_code`](super::pairing_code), past the scheme that random text seldom has.

use super::pairing_code;

pub(crate) fn run(query: &[u8]) {
    for start in ["pulse://connect?", "pulse://connect?instance_id=relay_1&relay_url=wss%3A%2F%2Fr.test&auth_token=t&"]
    {
        pairing_code::run(&[start.as_bytes(), query].concat());
    }
}

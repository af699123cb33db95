//! The deep link: `pulse://connect?` and a query ([formats: pairing](crate::_documentation::formats#pairing)).

use zeroize::Zeroizing;

use super::percent;
use crate::error::{Error, Result};

/// What every deep link begins with.
pub(super) const PREFIX: &str = "pulse://connect?";

/// Writes a deep link of these members, in the order given; empty ones are left out. It is written into memory that is large
/// enough from the start, as one of them is a secret: a text that grows leaves copies behind.
pub(super) fn write(members: &[(&str, &str)]) -> String {
    let longest = |(name, value): &(&str, &str)| 3_usize.saturating_mul(value.len()).saturating_add(name.len());
    let length = members
        .iter()
        .map(longest)
        .fold(PREFIX.len(), usize::saturating_add)
        .saturating_add(members.len().saturating_mul(2));
    let mut link = String::with_capacity(length);
    link.push_str(PREFIX);
    for (name, value) in members.iter().filter(|(_, value)| !value.is_empty()) {
        if link.len() > PREFIX.len() {
            link.push('&');
        }
        link.push_str(name);
        link.push('=');
        query_escape(value, &mut link);
    }
    link
}

/// Reads the members of a deep link's query, in their order.
pub(super) fn read(query: &str) -> Result<Vec<(String, Zeroizing<String>)>> {
    query.split('&').filter(|member| !member.is_empty()).map(read_member).collect()
}

fn read_member(member: &str) -> Result<(String, Zeroizing<String>)> {
    let (name, value) = member.split_once('=').unwrap_or((member, ""));
    Ok((query_unescape(name)?.to_string(), query_unescape(value)?))
}

/// As Go's `url.QueryEscape`.
fn query_escape(text: &str, link: &mut String) {
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            link.push('+');
        }
        percent::encode_into(word.as_bytes(), percent::is_unreserved, link);
    }
}

fn query_unescape(text: &str) -> Result<Zeroizing<String>> {
    if !text.bytes().all(may_stand_in_query) {
        return Err(refused("a character of the deep link is not escaped"));
    }
    let with_spaces = Zeroizing::new(text.replace('+', " "));
    let bytes = percent::decode(&with_spaces).ok_or(refused("a % is not followed by two hex digits"))?;
    match str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(refused("it is not UTF-8")),
    }
}

/// What may stand in a query (RFC 3986, section 3.4), so that codes of other encoders are read too; except `;`, at
/// which some readers split.
fn may_stand_in_query(byte: u8) -> bool {
    percent::is_unreserved(byte) || b"%!$'()*+,=:@/?".contains(&byte)
}

fn refused(reason: &'static str) -> Error {
    Error::PairingMalformed { reason }
}

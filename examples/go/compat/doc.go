// Package compat offers the library under the names and signatures that the Go runtime's functions have today, so the body
// of each one can become one call. These do not correspond one to one:
//
//   - Verification takes trust keys that are made once ([TrustKeys]) instead of the lease's public key: preparing a key
//     costs more than verifying with it, and a provider-chained lease needs the license key too.
//   - Where the runtime has a struct of its own (EntitlementLeaseClaims, relay.Config), these functions are generic over
//     it; only the JSON names matter.
//   - GenerateEphemeralKeyPair, DeriveChannelKeys, SignKeyExchange and MarshalKeyExchangePayload are one call,
//     [AcceptKeyExchange], so the steps cannot be combined wrongly.
//   - The clock and the environment are parameters, and what the runtime logs comes back as warnings.
//
// Errors are [pulsetrust.Error] with a stable number. The library is stricter in the places that formats.md marks **Stricter**.
package compat

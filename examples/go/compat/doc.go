// Package compat has the library under the names and shapes of the functions that the Go runtime has today, so that each
// of their bodies can become one call. What is not one to one, and why:
//
//   - Verification takes trust keys made once ([TrustKeys]) in place of the lease's public key: preparing a key costs more
//     than verifying with it, and a provider-chained lease needs the license key too.
//   - Where the runtime has a struct of its own (EntitlementLeaseClaims, relay.Config), these functions are generic over
//     it; the JSON names are what counts.
//   - GenerateEphemeralKeyPair, DeriveChannelKeys, SignKeyExchange and MarshalKeyExchangePayload are one call,
//     [AcceptKeyExchange]: the steps cannot be put together wrongly.
//   - The clock and the environment are parameters, and what the runtime logs comes back as warnings.
//
// Errors are [pulsetrust.Error] with a stable number. The library is stricter in the places that formats.md marks **Stricter**.
package compat

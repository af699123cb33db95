// Package jwt compares the library with golang-jwt, which verifies leases in the deployed runtime. It is in a separate
// module, so that users of the library do not depend on golang-jwt:
//
//	cd examples/go/cmd && go test -bench . -run '^$' ./jwt
package jwt

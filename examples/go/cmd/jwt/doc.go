// Package jwt measures the library beside golang-jwt, which verifies leases in the deployed runtime. It is in a module
// apart, so that whoever uses the library does not depend on it:
//
//	cd examples/go/cmd && go test -bench . -run '^$' ./jwt
package jwt

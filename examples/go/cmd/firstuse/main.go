// Command firstuse prints how long the library's first call takes in a fresh process, and then its first verification. The
// processor time is that of the whole process until then, in all its threads; on a busy machine it says more than the
// clock.
//
//	cd examples/go/cmd && go run ./firstuse
package main

import (
	"errors"
	"fmt"
	"log"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

func main() {
	start := time.Now()
	version, err := pulsetrust.Version()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %s: first call %s\n", pulsetrust.Engine, version, time.Since(start).Round(time.Microsecond))
	verify()
	fmt.Printf("first verification after %s", time.Since(start).Round(time.Microsecond))
	if spent, ok := processorTime(); ok {
		fmt.Printf(", processor time of the process %s", spent.Round(time.Microsecond))
	}
	fmt.Println()
}

// verify checks a token whose signature does not verify. That uses everything that a lease needs except its claims.
func verify() {
	const key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" // RFC 8032, section 7.1, test 1
	keys, err := pulsetrust.NewTrustKeys(key, "")
	if err != nil {
		log.Fatal(err)
	}
	const token = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJwdWxzZS1wcm8tZW50aXRsZW1lbnQtbGVhc2UifQ." +
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	_, err = pulsetrust.VerifyToken(keys, token, pulsetrust.LeaseChecks{Host: pulsetrust.AnyHost()}, time.Now())
	if !errors.Is(err, pulsetrust.ErrSignatureInvalid) {
		log.Fatal(err)
	}
}

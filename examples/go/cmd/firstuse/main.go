// Command firstuse prints how long the library's first call takes in a fresh process: the WebAssembly engine compiles
// its module then, or takes it from the compilation cache.
//
//	cd examples/go/cmd && go run ./firstuse [-cache DIR]
package main

import (
	"flag"
	"fmt"
	"log"
	"time"

	pulsetrust "github.com/rcourtman/pulse-trust/examples/go"
)

func main() {
	cache := flag.String("cache", "", "a `directory` that keeps the compiled module")
	flag.Parse()
	if *cache != "" {
		pulsetrust.SetCompilationCache(*cache)
	}
	start := time.Now()
	version, err := pulsetrust.Version()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %s: %s\n", pulsetrust.Engine, version, time.Since(start).Round(time.Microsecond))
}

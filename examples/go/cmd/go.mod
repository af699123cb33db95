module github.com/rcourtman/pulse-trust/examples/go/cmd

go 1.25.0

replace github.com/rcourtman/pulse-trust/examples/go => ../

require (
	github.com/coder/websocket v1.8.15
	github.com/golang-jwt/jwt/v5 v5.3.1
	github.com/rcourtman/pulse-trust/examples/go v0.0.0
)

require golang.org/x/sys v0.44.0 // indirect

//go:build pulsetrust_cgo && !cgo

package engine

// The build tag pulsetrust_cgo asks for the C library, which needs cgo. This undefined name is the error message.
var _ = the_build_tag_pulsetrust_cgo_needs_CGO_ENABLED_1

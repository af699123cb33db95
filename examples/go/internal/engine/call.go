//go:build !pulsetrust_cgo

package engine

import (
	"fmt"
	"math"
)

const scratchLen = 64 * 1024

// A call gathers its arguments in the instance's memory, which is its own until end.
type call struct {
	in        *Instance
	used      uint32      // of the scratch
	allocated [][2]uint32 // arguments that the scratch had no room for
	arguments []uint64
	stack     []uint64
	refusal   *Fault // of an argument that the memory has no room for; nothing is called then
}

func (in *Instance) begin() *call {
	in.mutex.Lock()
	c := &in.current
	c.in, c.used, c.allocated, c.refusal = in, 0, c.allocated[:0], nil
	return c
}

// end wipes what the call left in the instance's memory.
func (c *call) end() {
	if c.in.trap == nil {
		if used, ok := c.in.memory.Read(c.in.scratch, c.used); ok {
			wipe(used)
		}
	}
	c.refusal = nil
	for _, a := range c.allocated {
		c.call("pulse_wasm_free", uint64(a[0]), uint64(a[1]))
	}
	c.in.mutex.Unlock()
}

// room is the place of so many zero bytes.
func (c *call) room(length int) uint64 {
	aligned := (uint32(length) + 7) &^ 7
	if length <= scratchLen && c.used+aligned <= scratchLen {
		place := c.in.scratch + c.used
		c.used += aligned
		return uint64(place)
	}
	var pointer uint64
	if length <= math.MaxInt32 { // the most that Rust allocates at once in WebAssembly
		pointer = c.call("pulse_wasm_alloc", uint64(length))
	}
	if c.isOver() {
		return 0
	}
	if uint32(pointer) == 0 {
		c.refusal = &Fault{Code: CodeInvalidArgument, Message: fmt.Sprintf(
			"an argument of %d bytes is too large: WebAssembly has no memory for it; nothing that pulse-trust takes is that long", length)}
		return 0
	}
	c.allocated = append(c.allocated, [2]uint32{uint32(pointer), uint32(length)})
	return pointer
}

// isOver says that nothing more is called.
func (c *call) isOver() bool { return c.in.trap != nil || c.refusal != nil }

func (c *call) text(text string) uint64 {
	if text == "" {
		return 0
	}
	place := c.room(len(text))
	if !c.isOver() {
		c.in.memory.WriteString(uint32(place), text)
	}
	return place
}

func (c *call) bytes(data []byte) uint64 {
	if len(data) == 0 {
		return 0
	}
	place := c.room(len(data))
	if !c.isOver() {
		c.in.memory.Write(uint32(place), data)
	}
	return place
}

func (c *call) out() uint64 { return c.room(8) }

// call calls a function. On an instance that traps, or has trapped, it gives 0: status and [Ref.Err] tell.
func (c *call) call(name string, arguments ...uint64) uint64 {
	if c.isOver() {
		return 0
	}
	c.arguments = append(c.arguments[:0], arguments...)
	c.stack = append(c.stack[:0], arguments...)
	if len(c.stack) == 0 {
		c.stack = append(c.stack, 0)
	}
	if err := c.in.function(name).CallWithStack(c.in.context, c.stack); err != nil {
		c.in.retire(err)
		return 0
	}
	return c.stack[0]
}

// status makes an error of a call's status; the error is its last output.
func (c *call) status(status uint64) error {
	if c.in.trap != nil {
		return c.in.fault()
	}
	if c.refusal != nil {
		return c.refusal
	}
	if uint32(status) == 0 {
		return nil
	}
	fault := &Fault{Code: int32(status)}
	if pointer := c.outNumber(len(c.arguments) - 1); pointer != 0 {
		get := func(name string) string { return c.cText(c.call(name, uint64(pointer))) }
		fault.Message = get("pulse_error_message")
		fault.WireCode = get("pulse_error_wire_code")
		fault.Detail = get("pulse_error_detail_json")
		c.call("pulse_error_free", uint64(pointer))
	}
	if c.in.trap != nil {
		return c.in.fault()
	}
	return fault
}

func (c *call) outNumber(index int) uint32 {
	number, _ := c.in.memory.ReadUint32Le(uint32(c.arguments[index]))
	return number
}

func (c *call) takeBuffer(index int) ([]byte, error) {
	buffer := uint64(c.outNumber(index))
	given := c.arguments
	c.arguments = nil
	length := c.call("pulse_buffer_len", buffer)
	place := c.call("pulse_buffer_data", buffer)
	var bytes []byte
	if c.in.trap == nil {
		from, _ := c.in.memory.Read(uint32(place), uint32(length))
		bytes = append([]byte{}, from...)
	}
	c.call("pulse_buffer_free", buffer)
	c.arguments = given
	if c.in.trap != nil {
		wipe(bytes)
		return nil, c.in.fault()
	}
	return bytes, nil
}

// cText reads a NUL-terminated text of the module.
func (c *call) cText(place uint64) string {
	if c.in.trap != nil || uint32(place) == 0 {
		return ""
	}
	rest, _ := c.in.memory.Read(uint32(place), c.in.memory.Size()-uint32(place))
	for length, character := range rest {
		if character == 0 {
			return string(rest[:length])
		}
	}
	return ""
}

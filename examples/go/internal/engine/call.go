//go:build !pulsetrust_cgo

package engine

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/rcourtman/pulse-trust/examples/go/internal/machine"
)

const (
	scratchLen = 64 * 1024
	// The most that a call takes, many times what the library reads. The module has a memory of its own and copies its
	// arguments into it: without a limit that memory could run out, and the instance would trap.
	maxArguments = 16 << 20
)

// A call gathers its arguments in the instance's memory, which it has to itself until end.
type call struct {
	in        *Instance
	memory    []byte     // the instance's when the call began
	used      int32      // bytes of the scratch
	allocated [][2]int32 // arguments that the scratch had no room for
	length    int        // of all arguments together
	refusal   *Fault     // set if the arguments are too large; nothing is called then
	isInside  bool       // of another call, which has the mutex
}

func (in *Instance) begin() *call {
	isInside := in.of != nil
	if isInside {
		in = in.of
	} else {
		in.mutex.Lock()
		in.freeDiscarded()
	}
	c := &in.current
	*c = call{in: in, memory: *in.memory, allocated: c.allocated[:0], isInside: isInside}
	return c
}

// end wipes what the call left in the instance's memory. If the memory has grown and moved, it wipes the old memory.
func (c *call) end() {
	in, isInside := c.in, c.isInside
	if c.in.trap == nil {
		if used, ok := c.in.view(c.in.scratch, c.used); ok {
			wipe(used)
		}
	}
	c.refusal = nil
	for _, a := range c.allocated {
		c.run(func(m *machine.Module) { m.Xpulse_wasm_free(a[0], a[1]) })
	}
	if &c.memory[0] != &(*c.in.memory)[0] {
		wipe(c.memory)
	}
	c.memory = nil
	if isInside {
		return
	}
	in.space.size.Store(int64(len(*in.memory)))
	in.mutex.Unlock()
	in.sweep()
}

// run calls the module. On an instance that traps, or has trapped, nothing more is called: status and [Ref.Err] report
// that.
func (c *call) run(function func(*machine.Module)) {
	if c.isOver() {
		return
	}
	defer func() {
		if cause := recover(); cause != nil {
			c.in.retire(fmt.Errorf("%v", cause))
		}
	}()
	function(c.in.module)
}

// answer is the result of a function of the module, or 0 if it was not called.
func answer[T int32 | int64](c *call, function func(*machine.Module) T) (given T) {
	c.run(func(m *machine.Module) { given = function(m) })
	return given
}

// isOver reports that nothing more is called.
func (c *call) isOver() bool { return c.in.trap != nil || c.refusal != nil }

// room is the address of this many zero bytes.
func (c *call) room(length int) int32 {
	if length <= scratchLen && int(c.used)+length <= scratchLen {
		place := c.in.scratch + c.used
		c.used = min((c.used+int32(length)+7)&^7, scratchLen)
		return place
	}
	if length > maxArguments-c.length {
		c.refusal = &Fault{Code: CodeInvalidArgument, Message: fmt.Sprintf(
			"an argument of %d bytes is too large: a call takes %d bytes at most; nothing that pulse-trust takes is that long",
			length, maxArguments)}
	}
	pointer := answer(c, func(m *machine.Module) int32 { return m.Xpulse_wasm_alloc(int32(length)) })
	if c.isOver() {
		return 0
	}
	if pointer == 0 {
		c.refusal = &Fault{Code: CodeInvalidArgument, Message: fmt.Sprintf(
			"WebAssembly has no memory for an argument of %d bytes: close what is no longer used", length)}
		return 0
	}
	c.length += length
	c.allocated = append(c.allocated, [2]int32{pointer, int32(length)})
	return pointer
}

func (c *call) text(text string) int32 {
	if text == "" {
		return 0
	}
	place := c.room(len(text))
	if part, ok := c.argument(place, len(text)); ok {
		copy(part, text)
	}
	return place
}

func (c *call) bytes(data []byte) int32 {
	if len(data) == 0 {
		return 0
	}
	place := c.room(len(data))
	if part, ok := c.argument(place, len(data)); ok {
		copy(part, data)
	}
	return place
}

func (c *call) argument(place int32, length int) (part []byte, ok bool) {
	if c.isOver() {
		return nil, false
	}
	return c.in.view(place, int32(length))
}

func (c *call) out() int32 { return c.room(8) }

// status calls a function that can fail, and makes an error from its status and from what it left at errAt.
func (c *call) status(errAt int32, function func(*machine.Module) int32) error {
	if !c.isOver() && !c.hasRoom(reserveOfCall) {
		c.refusal = errNoMemory
	}
	status := answer(c, function)
	if c.in.trap != nil {
		return c.in.fault()
	}
	if c.refusal != nil {
		return c.refusal
	}
	if status == 0 {
		return nil
	}
	fault := &Fault{Code: status}
	if pointer := c.number(errAt); pointer != 0 {
		fault.Message = c.cText(answer(c, func(m *machine.Module) int32 { return m.Xpulse_error_message(pointer) }))
		fault.WireCode = c.cText(answer(c, func(m *machine.Module) int32 { return m.Xpulse_error_wire_code(pointer) }))
		fault.Detail = c.cText(answer(c, func(m *machine.Module) int32 { return m.Xpulse_error_detail_json(pointer) }))
		c.run(func(m *machine.Module) { m.Xpulse_error_free(pointer) })
	}
	if c.in.trap != nil {
		return c.in.fault()
	}
	return fault
}

// number is the number that a call left at an address.
func (c *call) number(place int32) int32 {
	number, ok := c.in.view(place, 4)
	if !ok {
		return 0
	}
	return int32(binary.LittleEndian.Uint32(number))
}

// takeBuffer copies the buffer that a call left at an address, and frees it.
func (c *call) takeBuffer(place int32) (taken []byte, err error) {
	buffer := c.number(place)
	length := answer(c, func(m *machine.Module) int32 { return m.Xpulse_buffer_len(buffer) })
	data := answer(c, func(m *machine.Module) int32 { return m.Xpulse_buffer_data(buffer) })
	if c.in.trap == nil {
		from, _ := c.in.view(data, length)
		taken = append([]byte{}, from...)
	}
	c.run(func(m *machine.Module) { m.Xpulse_buffer_free(buffer) })
	if c.in.trap != nil {
		wipe(taken)
		return nil, c.in.fault()
	}
	return taken, nil
}

// cText reads a NUL-terminated text of the module.
func (c *call) cText(place int32) string {
	if c.in.trap != nil || place == 0 {
		return ""
	}
	rest := (*c.in.memory)[min(uint64(uint32(place)), uint64(len(*c.in.memory))):]
	text, _, _ := bytes.Cut(rest, []byte{0})
	return string(text)
}

//! What a program asks valgrind, which runs it: `valgrind.h` and `memcheck.h`, in Rust. A request is five instructions that do
//! nothing on a processor.

use std::arch::asm;

const RUNNING_ON_VALGRIND: usize = 0x1001;
const COUNT_ERRORS: usize = 0x1201;
/// Memcheck's own requests begin with its two letters.
const MEMCHECK: usize = (b'M' as usize) << 24 | (b'C' as usize) << 16;
const MAKE_MEM_UNDEFINED: usize = MEMCHECK + 1;
const MAKE_MEM_DEFINED: usize = MEMCHECK + 2;

/// Whether valgrind runs this program.
pub(crate) fn is_running() -> bool {
    request(RUNNING_ON_VALGRIND, [0; 2]) != 0
}

/// How many errors it has reported so far.
pub(crate) fn errors() -> usize {
    request(COUNT_ERRORS, [0; 2])
}

/// From now on these bytes are a secret: an error is reported where a branch or an address depends on them.
pub(crate) fn hide(bytes: &mut [u8]) {
    request(MAKE_MEM_UNDEFINED, [bytes.as_mut_ptr().addr(), bytes.len()]);
}

/// From now on these bytes are public: what a protocol sends, or the answer to a question.
pub(crate) fn publish<T: ?Sized>(value: &T) {
    request(MAKE_MEM_DEFINED, [(&raw const *value).cast::<u8>().addr(), size_of_val(value)]);
}

fn request(what: usize, [first, second]: [usize; 2]) -> usize {
    let arguments = [what, first, second, 0, 0, 0];
    let mut answer = 0_usize;
    // SAFETY: outside of valgrind the rotations add up to 128 bits and the exchange is of a register with itself. Inside,
    // these requests read the arguments, and change nothing but what valgrind keeps of the memory that they name.
    unsafe {
        asm!(
            "rol rdi, 3", "rol rdi, 13", "rol rdi, 61", "rol rdi, 51", "xchg rbx, rbx",
            in("rax") arguments.as_ptr(), inout("rdx") answer, out("rdi") _,
        );
    }
    answer
}

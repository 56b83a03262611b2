//! How a program ends, and what a terminal state looks like.

/// The program counter of a program that has ended by itself (ECALL). No jump leads here: it is misaligned.
pub const HALTED: u32 = 0xffff_fffe;
/// The program counter of a program that trapped. No jump leads here: it is misaligned.
pub const TRAPPED: u32 = 0xffff_ffff;
/// The most steps that any run may take: 2^28.
pub const MAX_STEPS: u64 = 1 << 28;

/// Why a program cannot go on. Nothing it did in the step that trapped has any effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Trap {
    /// The program counter is outside the image.
    #[error("execution left the image at {0:#010x}")]
    OutsideImage(u32),
    /// The word is no instruction of RV32IM.
    #[error("illegal instruction")]
    IllegalInstruction,
    /// EBREAK: the program gave up, for example in a panic.
    #[error("the program gave up")]
    Breakpoint,
    /// The target of a jump or branch is not a multiple of four.
    #[error("jump to the misaligned address {0:#010x}")]
    MisalignedJump(u32),
    /// The address is not a multiple of the size of the access.
    #[error("misaligned access at {0:#010x}")]
    MisalignedAccess(u32),
    /// The address is beyond the end of memory.
    #[error("access outside memory at {0:#010x}")]
    OutsideMemory(u32),
    /// The program may not write here. A stack that overflows ends here too.
    #[error("write to read-only memory at {0:#010x}")]
    ReadOnly(u32),
}

/// How a run ended.
// Complete: a run halts, traps or reaches its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The program ended by itself.
    Halted,
    /// The program trapped.
    Trapped(Trap),
    /// As many steps as were asked for are done, and the program has not ended.
    StepLimit,
}

//! The program: takes the command line and the environment, and hands them on.

use std::process::ExitCode;

// musl's own allocator is slow, and slower with every thread; other systems' are good.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::disallowed_methods, reason = "this is the one permitted place")]
fn main() -> ExitCode {
    kubectl_runway::run(&std::env::args_os().collect::<Vec<_>>())
}

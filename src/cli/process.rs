//! The process itself: its threads, and its manners when clo is at fault.

use std::panic::{self, AssertUnwindSafe};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

/// What rayon and polars read before their first use.
const THREAD_VARIABLES: [&str; 2] = ["RAYON_NUM_THREADS", "POLARS_MAX_THREADS"];

/// Where the last panic happened, and what it said.
static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Makes a panic quiet: [`guarded`] says what there is to say.
pub(super) fn tame_panics() {
    panic::set_hook(Box::new(|panic| {
        let said = panic.payload_as_str().unwrap_or("no message");
        let place = panic.location().map(|at| format!(" ({}:{})", at.file(), at.line())).unwrap_or_default();
        let mut last = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner);
        last.get_or_insert(format!("{said}{place}"));
    }));
}

/// Runs `work`; a panic in it is an internal error.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        let said = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_default();
        Err(Error::internal(format!("clo has a fault: {said}"))
            .hint("what stood in the output folder still stands; please report this message with your clo.toml"))
    })
}

/// Sees to it that rayon and polars work with so many threads. Both read their number from the environment when they are
/// first used, and polars takes it from nowhere else; so the program starts itself again with the variables set.
pub(super) fn with_threads(threads: Option<u16>) -> Result<()> {
    let Some(threads) = threads.map(|threads| threads.to_string()) else { return Ok(()) };
    if THREAD_VARIABLES.iter().all(|name| std::env::var(name).is_ok_and(|value| value == threads)) {
        return Ok(());
    }
    let fail = |error: std::io::Error| Error::internal(format!("cannot start with {threads} threads: {error}"));
    let mut again = Command::new(std::env::current_exe().map_err(fail)?);
    again.args(std::env::args_os().skip(1)).envs(THREAD_VARIABLES.map(|name| (name, &threads)));
    Err(fail(replace(&mut again)))
}

/// Becomes another program; returns only if that fails.
#[cfg(unix)]
fn replace(program: &mut Command) -> std::io::Error {
    std::os::unix::process::CommandExt::exec(program)
}

#[cfg(not(unix))]
fn replace(program: &mut Command) -> std::io::Error {
    match program.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

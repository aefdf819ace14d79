//! What the process gives up before it touches a secret: core dumps, being read by a debugger, files that
//! others can read, and being worked from outside.

use std::env;

use rustix::{
    fs::Mode,
    process::{Resource, Rlimit, setrlimit, umask},
};

use crate::fault::WindowFault;

/// Turns off core dumps and reading by other processes of the same user, and keeps every file that is made
/// from now on to this user. Where the system refuses, that is
/// logged and the wallet runs on: it then only lacks this one protection.
pub fn harden() {
    umask(Mode::RWXG | Mode::RWXO);
    if let Err(error) = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }) {
        tracing::warn!(%error, "core dumps could not be turned off");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
    {
        tracing::warn!(%error, "reading of the memory by debuggers could not be turned off");
    }
}

/// Refuses a window that something outside is meant to control.
///
/// # Errors
/// [`WindowFault::Inspected`]. The library for that is not in this program; whoever sets the variable
/// expects otherwise, and is told.
pub fn refuse_inspection() -> Result<(), WindowFault> {
    if env::var_os("EGUI_INSPECTION").is_some() { Err(WindowFault::Inspected) } else { Ok(()) }
}

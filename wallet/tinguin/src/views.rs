//! The screens: functions of plain data that draw, and return what the user asked for.

pub mod door;
pub mod first;
pub mod home;
pub mod log;
pub mod waiting;

/// Names a deal between the window and the program.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DealKey(pub u64);

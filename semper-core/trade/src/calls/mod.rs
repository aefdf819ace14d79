//! Calls to others: banks, third parties, shops. Nothing that comes back is believed before it is verified.

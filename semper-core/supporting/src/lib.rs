//! Supporting services.

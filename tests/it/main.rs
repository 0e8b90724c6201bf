//! The integration tests: one program, a chapter a file, because polars is slow to link.

#![allow(clippy::disallowed_methods, reason = "tests look at files as a user would")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod atomic;
mod batch;
mod exit_codes;
mod explained;
mod golden;
mod import;
mod init;
mod issues;
mod killed;
mod leaks;
mod lock;
mod map;
mod lookalike;
mod measure;
mod mistakes;
mod mutations;
mod planted;
mod realised;
mod registry;
mod same_bytes;
mod scoring;
mod staleness;
mod support;
mod tidy;
mod truth;

//! Whether contact data can work, told without asking anybody: no mail is sent, no server is asked.
//!
//! - `email`: how an address is written, whether its domain can be, slips of well-known domains, offices, throw-aways;
//! - `phone`: whether a number can be dialled, by the numbering plans of libphonenumber;
//! - `postcode`: whether a postcode is written as its country writes them.

pub(crate) mod email;
pub(crate) mod phone;
pub(crate) mod postcode;

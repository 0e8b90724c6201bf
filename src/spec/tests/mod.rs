//! Specs that are right, and the messages for those that are not: read them aloud.

mod audiences;
mod mistakes;
mod samples;
mod triggers;

use super::{Spec, parse};
use crate::error::Result;

const SHOP: &str = include_str!("shop.toml");
const BANK: &str = include_str!("bank.toml");

fn read(text: &str) -> Result<Spec> {
    parse(text, "shop/clo.toml".as_ref(), &|name| (name == "CLO_DEALS").then(|| "s3://deals".to_owned()))
}

fn spec(text: &str) -> Spec {
    read(text).unwrap_or_else(|error| panic!("{error}"))
}

//! The raw files, as a shop's systems would hand them over: five formats, times in three forms, and their dirt.
//!
//! Dirt never touches what the truth stands on: it is in contact data, in events that enter no stage, and in extra rows
//! that no reader can use (impossible dates, nobody named). Rows stand in time order, as logs do.

use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use polars::prelude::{Column, DataFrame};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use super::calendar::{CAMPAIGN, N_DAYS, seconds};
use super::hazard::TRAITS;
use super::life::{Life, Purchase};
use super::profile::sloppy;
use super::truth::times;
use super::{Shop, Written, person_id, planted};
use crate::error::{Error, Result};
use crate::store;

/// Dates that no calendar has.
const IMPOSSIBLE: [&str; 4] =
    ["2023-02-30T11:15:00", "0000-00-00T00:00:00", "2024-13-07T09:00:00", "2023-06-31T25:61:00"];

/// Writes everything under `data/`.
pub(super) fn write(folder: &Path, shop: &Shop<'_>) -> Result<Vec<Written>> {
    let dirt = |stream| shop.rng(u64::MAX - stream);
    Ok(vec![
        text(folder, "data/people.csv", |out| people(out, shop))?,
        text(folder, "data/visits.csv.gz", |out| {
            let mut packed = GzEncoder::new(out, Compression::fast());
            let rows = visits(&mut packed, shop, dirt(0))?;
            packed.finish().map(|_| rows)
        })?,
        text(folder, "data/emails.jsonl", |out| emails(out, shop, dirt(1)))?,
        text(folder, "data/carts.csv", |out| carts(out, shop))?,
        purchases(folder, "data/purchases.parquet", shop)?,
        text(folder, "data/complaints.csv", |out| complaints(out, shop, dirt(2)))?,
        text(folder, "data/unsubscribed.csv", |out| unsubscribed(out, shop, dirt(3)))?,
        text(folder, "data/campaign.csv", |out| campaign(out, shop))?,
    ])
}

/// Writes a text file through `fill`, which says how many rows it made.
fn text(folder: &Path, name: &str, fill: impl FnOnce(&mut dyn Write) -> io::Result<u64>) -> Result<Written> {
    let path = folder.join(name);
    let mut rows = 0;
    store::write_with(&path, |out| {
        rows = fill(out).map_err(|source| Error::io("write", &path, &source))?;
        Ok(())
    })?;
    Ok(Written { path: name.to_owned(), rows })
}

/// What of everybody's `list` happened when and to whom, in time order: the row's place breaks ties.
fn in_time<'a, T>(
    lives: &'a [Life],
    list: impl Fn(&'a Life) -> &'a [T],
    at: impl Fn(&T) -> i64,
) -> Vec<(i64, usize, &'a T)> {
    let rows = |(person, life)| list(life).iter().map(move |row| (person, row));
    let mut all: Vec<_> = lives.iter().enumerate().flat_map(rows).map(|(person, row)| (at(row), person, row)).collect();
    all.sort_by_key(|&(at, person, _)| (at, person));
    all
}

fn people(out: &mut dyn Write, shop: &Shop<'_>) -> io::Result<u64> {
    let mut csv = csv::Writer::from_writer(out);
    let header = "person_id,first_name,last_name,email,phone,country,city,postcode,birth_year,channel,email_opt_in,\
                  sms_opt_in,signed_up_at";
    let reveal = |names: &[&'static str]| if shop.reveal_traits { names.to_vec() } else { Vec::new() };
    let leaks = if shop.has_leaks { planted::columns(shop.seed, &shop.lives) } else { Vec::new() };
    let leak_names = if shop.has_leaks { planted::NAMES.to_vec() } else { Vec::new() };
    csv.write_record(header.split(',').chain(reveal(&TRAITS)).chain(leak_names))?;
    for (person, life) in shop.lives.iter().enumerate() {
        let known = life.signed_up.is_some();
        let only_known = |text: &str| if known { text.to_owned() } else { String::new() };
        let profile = &life.profile;
        let answer = |given: Option<bool>| only_known(given.map_or("", |yes| if yes { "true" } else { "false" }));
        let mut row = vec![
            person_id(person),
            only_known(profile.first_name),
            only_known(profile.last_name),
            only_known(&shop.lives[shop.mailbox(person)].profile.email),
            only_known(&profile.phone),
            only_known(profile.country),
            only_known(profile.city),
            only_known(&profile.postcode),
            only_known(&profile.birth_year.map_or(String::new(), |year| year.to_string())),
            profile.channel.to_owned(),
            answer(profile.email_opt_in),
            answer(profile.sms_opt_in),
            life.signed_up.map_or(String::new(), |at| shop.calendar.iso(at)),
        ];
        if shop.reveal_traits {
            row.extend(life.traits.values().map(|value| format!("{value:.6}")));
        }
        row.extend(leaks.get(person).into_iter().flatten().cloned());
        csv.write_record(&row)?;
    }
    csv.flush()?;
    Ok(shop.lives.len() as u64)
}

fn visits(out: &mut dyn Write, shop: &Shop<'_>, mut dirt: ChaCha8Rng) -> io::Result<u64> {
    let mut rows = 0;
    writeln!(out, "person_id,visited_at,page,pages")?;
    for (at, person, visit) in in_time(&shop.lives, |life| &life.visits, |visit| visit.at) {
        let (id, time, page, pages) = (person_id(person), shop.calendar.iso(at), visit.page, visit.pages);
        writeln!(out, "{id},{time},{page},{pages}")?;
        rows += 1;
        match dirt.random_range(0..4000) {
            0..8 => writeln!(out, "{id},{time},{page},{pages}")?,
            8..12 => writeln!(out, ",{time},{page},{pages}")?,
            12..15 => writeln!(out, "{id},{},{page},{pages}", IMPOSSIBLE[dirt.random_range(0..IMPOSSIBLE.len())])?,
            15..18 => writeln!(out, "{id},,{page},")?,
            _ => continue,
        }
        rows += 1;
    }
    Ok(rows)
}

fn emails(out: &mut dyn Write, shop: &Shop<'_>, mut dirt: ChaCha8Rng) -> io::Result<u64> {
    let mut rows = 0;
    for (at, person, email) in in_time(&shop.lives, |life| &life.emails, |email| email.at) {
        let copies = if dirt.random_bool(0.001) { 2 } else { 1 };
        for _ in 0..copies {
            let (id, time) = (person_id(person), shop.calendar.iso(at));
            let (event, topic) = (email.event, email.topic);
            writeln!(
                out,
                r#"{{"recipient":"{id}","event":"{event}","at":"{time}Z","message":{{"topic":"{topic}"}}}}"#
            )?;
            rows += 1;
        }
    }
    Ok(rows)
}

fn carts(out: &mut dyn Write, shop: &Shop<'_>) -> io::Result<u64> {
    let mut rows = 0;
    writeln!(out, "person_id;filled_at;items;value")?;
    for (at, person, cart) in in_time(&shop.lives, |life| &life.carts, |cart| cart.at) {
        writeln!(out, "{};{};{};{:.2}", person_id(person), shop.calendar.iso(at), cart.items, cart.value)?;
        rows += 1;
    }
    Ok(rows)
}

fn purchases(folder: &Path, name: &str, shop: &Shop<'_>) -> Result<Written> {
    let rows = in_time(&shop.lives, |life| &life.purchases, |purchase| purchase.at);
    let column = |of: fn(&Purchase) -> f64| rows.iter().map(|(_, _, purchase)| of(purchase)).collect::<Vec<_>>();
    let orders: Vec<_> = (1..=rows.len()).map(|number| format!("O{number:08}")).collect();
    let ids: Vec<_> = rows.iter().map(|&(_, person, _)| person_id(person)).collect();
    let categories: Vec<_> = rows.iter().map(|(_, _, purchase)| purchase.category).collect();
    let at: Vec<_> = rows.iter().map(|&(at, ..)| Some(at)).collect();
    let mut frame = DataFrame::new_infer_height(vec![
        Column::new("order_id".into(), orders),
        Column::new("person_id".into(), ids),
        times("purchased_at", &at)?,
        Column::new("amount".into(), column(|purchase| purchase.amount)),
        Column::new("category".into(), categories),
        Column::new("discount".into(), column(|purchase| purchase.discount)),
    ])?;
    store::write_frame(&folder.join(name), &mut frame)?;
    Ok(Written { path: name.to_owned(), rows: rows.len() as u64 })
}

fn complaints(out: &mut dyn Write, shop: &Shop<'_>, mut dirt: ChaCha8Rng) -> io::Result<u64> {
    let mut csv = csv::Writer::from_writer(out);
    let mut rows = 0;
    csv.write_record(["person_id", "complained_at", "reason"])?;
    for (at, person, complaint) in in_time(&shop.lives, |life| &life.complaints, |complaint| complaint.at) {
        csv.write_record([person_id(person).as_str(), &shop.calendar.day_first(at), complaint.reason])?;
        rows += 1;
        if dirt.random_bool(0.01) {
            csv.write_record([person_id(person).as_str(), "31/02/2024 10:00:00", complaint.reason])?;
            rows += 1;
        }
    }
    csv.flush()?;
    Ok(rows)
}

/// Addresses in the forms in which people and tools hand them back; some twice, some of strangers.
fn unsubscribed(out: &mut dyn Write, shop: &Shop<'_>, mut dirt: ChaCha8Rng) -> io::Result<u64> {
    let mut rows = 0;
    let mut list: Vec<_> = (0..shop.lives.len())
        .filter_map(|person| shop.lives[person].unsubscribed.map(|at| (at, person)))
        .filter(|&(at, _)| at < seconds(N_DAYS))
        .collect();
    list.sort_unstable();
    writeln!(out, "email,unsubscribed_at,source")?;
    let mut write = |address: &str, at: i64, source: &str| {
        rows += 1;
        writeln!(out, "{address},{},{source}", shop.calendar.iso(at))
    };
    for (at, person) in list {
        let address = &shop.lives[shop.mailbox(person)].profile.clean_email;
        write(&sloppy(address, &mut dirt), at, "link")?;
        match dirt.random_range(0..50) {
            0 => write(&sloppy(address, &mut dirt), at, "help desk")?,
            1 => write(&format!("stranger{}@mail.example", dirt.random_range(0..9999)), at, "help desk")?,
            _ => (),
        }
    }
    Ok(rows)
}

fn campaign(out: &mut dyn Write, shop: &Shop<'_>) -> io::Result<u64> {
    let mut rows = 0;
    let assigned_at = shop.calendar.iso(seconds(CAMPAIGN));
    writeln!(out, "person_id,group,assigned_at")?;
    for (person, life) in shop.lives.iter().enumerate() {
        let Some(campaign) = life.campaign else { continue };
        let group = if campaign.treated { "treated" } else { "control" };
        writeln!(out, "{},{group},{assigned_at}", person_id(person))?;
        rows += 1;
    }
    Ok(rows)
}

//! The public datasets, when `CLO_DATA` names their folder: row counts as their README states them.

use super::*;
use crate::spec::{Delimiter, Order};
use crate::time::Time;

#[expect(clippy::disallowed_methods, reason = "a test that runs where the data is")]
fn folder() -> Option<std::path::PathBuf> {
    let folder = std::env::var("CLO_DATA").ok().map(std::path::PathBuf::from);
    folder.filter(|folder| folder.is_dir())
}

fn data(told: Table, tell: impl FnOnce(&mut Spec)) -> Option<Data> {
    let mut spec = spec(&folder()?);
    spec.tables.insert("log".into(), told.clone());
    spec.tables.insert("people".into(), told);
    tell(&mut spec);
    let data = read(&spec).unwrap_or_else(|error| panic!("{error}"));
    for input in &data.inputs {
        let rejected = data.rejected.iter().filter(|row| row.file == input.path);
        let rows: std::collections::BTreeSet<u64> = rejected.map(|row| row.row).collect();
        assert_eq!(input.rejected, rows.len() as u64, "{}", input.path);
    }
    Some(data)
}

fn by_row(spec: &mut Spec) {
    spec.people.push(PeopleSource { person: None, order: Some(Order::Row), ..people("all") });
}

#[test]
fn cdnow() {
    let told = Table { delimiter: Some(Delimiter::Whitespace), ..table("cdnow/CDNOW_master.txt") };
    let Some(master) = data(told.clone(), |spec| {
        spec.events.push(EventSource { person: "customer_id".into(), time: time("date"), ..events("purchase") });
    }) else {
        return;
    };
    assert_eq!((master.events.len(), master.people.len(), master.rejected.len()), (69_659, 23_570, 0));
    assert_eq!(lines(&master)[0], "00001 1997-01-01 purchase number_of_cds=1 dollar_value=11.77");
    let Values::Number(amounts) = &master.events.properties[1].values else { panic!("dollars are numbers") };
    assert_eq!(amounts.iter().filter(|amount| **amount == 0.0).count(), 80);
    let columns = Some(["person", "sample", "time", "n", "amount"].map(Into::into).into());
    let sample = Table { path: "cdnow/CDNOW_sample.txt".into(), columns, ..told };
    let sample = data(sample, |spec| spec.events.push(events("purchase"))).unwrap();
    assert_eq!((sample.events.len(), sample.people.len()), (6_919, 2_357));
}

#[test]
fn online_retail() {
    let Some(data) = data(table("online-retail/online-retail.csv.gz"), |spec| {
        spec.events.push(EventSource { person: "CustomerID".into(), time: time("InvoiceDate"), ..events("line") });
    }) else {
        return;
    };
    assert_eq!((data.people.len(), data.rejected.len(), data.inputs[0].rows), (2_612, 135_080, 385_348));
    assert_eq!(data.events.len(), 385_348 - 135_080);
    assert!(data.people.ids.contains(&"17850".to_owned()));
}

#[test]
fn olist() {
    let name = |name: &str| table(&format!("olist/olist_{name}_dataset.csv"));
    let Some(data) = data(name("orders"), |spec| {
        spec.tables.clear();
        for (short, file) in [
            ("orders", "orders"),
            ("customers", "customers"),
            ("reviews", "order_reviews"),
            ("leads", "marketing_qualified_leads"),
            ("deals", "closed_deals"),
            ("sellers", "sellers"),
        ] {
            spec.tables.insert(short.into(), name(file));
        }
        let buyers = "SELECT customer_unique_id AS person, MIN(customer_state) AS state FROM customers GROUP BY customer_unique_id";
        spec.people.push(PeopleSource { rows: Rows::Sql(buyers.into()), ..people("buyers") });
        spec.people.push(PeopleSource {
            rows: Rows::Table("sellers".into()),
            person: Some("seller_id".into()),
            ..people("sellers")
        });
        let query = |table: &str, at: &str| {
            format!(
                "SELECT c.customer_unique_id AS person, t.{at} AS time, t.order_id AS order FROM {table} t JOIN orders o ON t.order_id = o.order_id JOIN customers c ON o.customer_id = c.customer_id"
            )
        };
        spec.events
            .push(EventSource { rows: Rows::Sql(query("orders", "order_purchase_timestamp")), ..events("purchase") });
        spec.events.push(EventSource { rows: Rows::Sql(query("reviews", "review_creation_date")), ..events("review") });
        spec.events.push(EventSource {
            rows: Rows::Table("leads".into()),
            person: "mql_id".into(),
            time: time("first_contact_date"),
            ..events("contact")
        });
        spec.events.push(EventSource {
            rows: Rows::Table("deals".into()),
            person: "mql_id".into(),
            time: time("won_date"),
            ..events("won")
        });
        spec.identity.links.push(link("deals", ["mql_id", "seller_id"]));
    }) else {
        return;
    };
    let rows = |table: &str| data.inputs.iter().find(|input| input.table == table).unwrap().rows;
    assert_eq!(["orders", "reviews", "leads", "deals", "sellers"].map(rows), [8_135, 8_225, 8_000, 842, 3_095]);
    let count = |kind: &str| data.events.kind.iter().filter(|&&at| Some(at) == data.events.kind(kind)).count();
    assert_eq!(["purchase", "contact", "won"].map(count), [8_135, 8_000, 842]);
    assert_eq!(data.identities.len(), 842);
    // Leads, buyers, and the sellers whom no deal names.
    assert_eq!(data.people.len(), 8_000 + 8_016 + 3_095 - 380);
}

#[test]
fn starbucks_rewards() {
    let Some(data) = data(table("starbucks-rewards/profile.json"), |spec| {
        spec.tables.insert("log".into(), table("starbucks-rewards/offers_received.csv.gz"));
        spec.tables.insert("offers".into(), table("starbucks-rewards/portfolio.json"));
        spec.people.push(PeopleSource { person: Some("id".into()), ..people("members") });
        let reading = TimeReading::Number { unit_micros: crate::time::DAY / 24, origin: "2013-07-29".parse().unwrap() };
        let query = "SELECT l.*, o.channels FROM log l JOIN offers o ON l.offer_id = o.id";
        let received = TimeColumn { reading, ..time("offer_received_time") };
        spec.events.push(EventSource {
            rows: Rows::Sql(query.into()),
            person: "customer_id".into(),
            time: received,
            ..events("offer")
        });
    }) else {
        return;
    };
    assert_eq!((data.events.len(), data.people.attributes.height()), (76_358, 17_000));
    let age: Vec<_> = attribute(&data, "age");
    assert_eq!(age.iter().filter(|age| *age == "118").count(), 2_175);
    assert_eq!(attribute(&data, "became_member_on")[0].len(), 8);
    assert!(lines(&data)[0].contains("channels=\""));
}

#[test]
fn ecom() {
    let Some(data) = data(table("ecom/ecom.csv.gz"), |spec| {
        spec.events.push(EventSource {
            person: "user_id".into(),
            event: Some("event".into()),
            time: time("timestamp"),
            ..events("click")
        });
    }) else {
        return;
    };
    assert_eq!((data.events.len(), data.people.len()), (31_106, 600));
    let purchases = data.events.kinds.iter().position(|kind| kind.contains("purchase")).unwrap();
    assert_eq!(data.events.kind.iter().filter(|kind| usize::from(**kind) == purchases).count(), 470);
}

#[test]
fn snapshots() {
    let bank = Table { delimiter: Some(Delimiter::Byte(b';')), ..table("bank-marketing/bank-additional.csv") };
    let Some(bank) = data(bank, by_row) else { return };
    assert_eq!((bank.people.len(), bank.people.attributes.width(), bank.end), (30_979, 21, Time(0)));
    let telco = data(table("telco-churn/telco.csv"), |spec| {
        spec.people.push(PeopleSource { person: Some("customerID".into()), ..people("all") });
    })
    .unwrap();
    assert_eq!((telco.people.len(), telco.people.attributes.width()), (5_265, 20));
    let charges = telco.people.attributes.column("TotalCharges").unwrap();
    assert!(charges.f64().is_ok() && charges.null_count() > 0);
    for (file, rows, columns) in [("ticdata2000", 5_822, 86), ("ticeval2000", 4_000, 85)] {
        let told = Table {
            delimiter: Some(Delimiter::Byte(b'\t')),
            header: Some(false),
            ..table(&format!("coil2000/{file}.txt"))
        };
        let coil = data(told, by_row).unwrap();
        assert_eq!((coil.people.len(), coil.people.attributes.width()), (rows, columns));
        assert!(coil.people.attributes.columns().iter().all(|column| column.i64().is_ok()));
    }
    let hillstrom = data(table("hillstrom/hillstrom.csv"), by_row).unwrap();
    assert!(hillstrom.people.attributes.column("spend").unwrap().f64().is_ok());
    assert_eq!((hillstrom.people.len(), hillstrom.people.contact.len()), (64_000, 0));
    let febrl = data(table("febrl/dataset1.csv"), |spec| {
        spec.people.push(PeopleSource { person: Some("rec_id".into()), ..people("all") });
    })
    .unwrap();
    assert_eq!(
        (febrl.people.len(), attribute(&febrl, "suburb")[0].trim() == attribute(&febrl, "suburb")[0]),
        (1_000, true)
    );
    assert!(febrl.people.contact.contains(&"surname".to_owned()));
}

/// `cargo test --release --lib ten_million -- --ignored --nocapture`, with the file of the benchmarks in `CLO_EVENTS`.
#[test]
#[ignore = "a measurement"]
fn ten_million_events() {
    #[expect(clippy::disallowed_methods, reason = "a measurement of what the caller names")]
    let path = std::env::var("CLO_EVENTS").expect("CLO_EVENTS names a file of events");
    let mut spec = spec(Path::new("/"));
    spec.tables.insert("log".into(), table(&path));
    spec.events.push(EventSource { event: Some("event".into()), ..events("log") });
    let started = std::time::Instant::now();
    let data = read(&spec).unwrap();
    let seconds = started.elapsed().as_secs_f64();
    println!("{} events of {} people in {seconds:.2} s", data.events.len(), data.people.len());
}

//! Queries over several tables.

use super::*;

fn shop() -> (Folder, Spec) {
    let folder = Folder::new()
        .with("orders.csv", "order_id,customer_id,purchased_at\n1,c1,2024-01-01 10:00:00\n2,c2,2024-01-02 11:00:00\n3,c1,2024-01-03 12:00:00\n")
        .with("payments.csv", "order_id,value\n1,10.5\n2,20\n3,30\n3,1.25\n4,9\n")
        .with("customers.csv", "customer_id,person,state\nc1,p1,SP\nc2,p2,RJ\n");
    let mut spec = folder.spec();
    for name in ["orders", "payments", "customers"] {
        spec.tables.insert(name.into(), table(&format!("{name}.csv")));
    }
    (folder, spec)
}

#[test]
fn queries_join_tables_into_people_and_events() {
    let (_folder, mut spec) = shop();
    spec.people
        .push(PeopleSource { rows: Rows::Sql("SELECT person, state FROM customers".into()), ..people("buyers") });
    let query = "SELECT c.person AS person, o.purchased_at AS time, SUM(p.value) AS amount FROM orders o \
        JOIN customers c ON o.customer_id = c.customer_id JOIN payments p ON o.order_id = p.order_id GROUP BY o.order_id, c.person, o.purchased_at";
    spec.events.push(EventSource { rows: Rows::Sql(query.into()), ..events("purchase") });
    let data = read(&spec).unwrap();
    let expected = [
        "p1 2024-01-01T10:00:00 purchase amount=10.5",
        "p1 2024-01-03T12:00:00 purchase amount=31.25",
        "p2 2024-01-02T11:00:00 purchase amount=20",
    ];
    assert_eq!(lines(&data), expected);
    assert_eq!(attribute(&data, "state"), ["SP", "RJ"]);
    assert_eq!(data.inputs.iter().map(|input| input.rows).sum::<u64>(), 10);
    assert!(data.rejected.is_empty());
}

#[test]
fn rejected_rows_of_a_query_name_the_source() {
    let (_folder, mut spec) = shop();
    let query = "WITH near AS (SELECT customer_id, person FROM customers WHERE state = 'SP') \
        SELECT n.person AS person, o.purchased_at AS time FROM orders o LEFT JOIN near n ON o.customer_id = n.customer_id";
    spec.events.push(EventSource { rows: Rows::Sql(query.into()), ..events("purchase") });
    assert_eq!(rejections(&read(&spec).unwrap()), ["events.purchase:3 person: no person"]);
}

#[test]
fn wrong_queries_are_errors_of_the_spec() {
    let (_folder, mut spec) = shop();
    let fail = |spec: &mut Spec, query: &str| {
        spec.events = vec![EventSource { rows: Rows::Sql(query.into()), ..events("purchase") }];
        read(spec).unwrap_err()
    };
    let error = fail(&mut spec, "SELECT customer AS person FROM orders");
    assert_eq!(error.exit_code(), 3);
    assert_eq!(error.message(), "events.purchase: the query names `customer`, and there is no such column");
    assert_eq!(
        error.hints(),
        ["did you mean `customer_id`?", "`orders` has `order_id`, `customer_id`, `purchased_at`"]
    );
    let error = fail(&mut spec, "SELECT customer_id AS person FROM order_s");
    assert!(error.to_string().contains("`order_s`"), "{error}");
    let error = fail(&mut spec, "SELEC customer_id FROM orders");
    assert_eq!(error.exit_code(), 3, "{error}");
    let error = fail(&mut spec, "SELECT customer_id AS person FROM orders");
    assert_eq!(error.message(), "the query of events.purchase has no column `time`");
}

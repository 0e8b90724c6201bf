//! People tables: ids, duplicates, joins, order, contact data, links.

use super::*;
use crate::source::Semantic;
use crate::spec::Order;

fn with_people(text: &str, tell: impl FnOnce(&mut PeopleSource)) -> Result<Data, Error> {
    let folder = Folder::new().with("people.csv", text);
    let mut spec = folder.spec();
    spec.tables.insert("people".into(), table("people.csv"));
    let mut source = people("all");
    tell(&mut source);
    spec.people.push(source);
    read(&spec)
}

#[test]
fn whole_floats_are_the_ids_that_they_stand_for() {
    let folder = Folder::new()
        .with("people.csv", "person,state\n17850,UK\n13047,FR\n")
        .with("log.csv", "person,time\n17850.0,2024-01-01\n,2024-01-01\n12000.0,2024-01-02\n");
    let mut spec = folder.spec();
    spec.tables.insert("people".into(), table("people.csv"));
    spec.tables.insert("log".into(), table("log.csv"));
    spec.people.push(people("all"));
    spec.events.push(events("visit"));
    let data = read(&spec).unwrap();
    assert_eq!(data.people.ids, ["12000", "13047", "17850"]);
    assert_eq!(data.people.offsets, [0, 0, 1, 2]);
    assert_eq!(attribute(&data, "state"), ["FR", "UK"]);
    assert_eq!(data.people.row(2, crate::time::Time(0)), Some(1));
    assert_eq!(data.people.row(0, crate::time::Time(0)), None);
}

#[test]
fn duplicates_are_rejected_and_a_log_of_people_is_refused() {
    let mut text = "person,state\n".to_owned();
    (0..200).for_each(|row| text.push_str(&format!("p{row:03},A\n")));
    let data = with_people(&format!("{text}p007,A\np008,B\n"), |_| ()).unwrap();
    assert_eq!(data.people.len(), 200);
    assert_eq!(attribute(&data, "state")[8], "A");
    let expected = [
        "people.csv:201 person: the same person again, with the same attributes",
        "people.csv:202 person: the same person again, with other attributes; the first row is used",
    ];
    assert_eq!(rejections(&data), expected);
    assert_eq!((data.inputs[0].rows, data.inputs[0].rejected), (202, 2));
    let error = with_people("person,state\na,A\na,B\nb,A\n", |_| ()).unwrap_err();
    assert_eq!(
        (error.exit_code(), error.message()),
        (4, "people.all: 1 of 3 rows name a person again, with other attributes")
    );
    assert!(error.hints()[0].contains("valid_from") && error.hints()[1].contains("GROUP BY"), "{error}");
}

#[test]
fn changing_attributes_are_taken_as_they_stood() {
    let text = "person,since,plan\nb,2024-01-01,x\na,2024-03-01,pro\na,2024-01-01,free\n";
    let folder = Folder::new().with("people.csv", text).with("more.csv", "person,country,plan\na,DE,trial\nc,FR,\n");
    let mut spec = folder.spec();
    spec.tables.insert("people".into(), table("people.csv"));
    spec.tables.insert("more".into(), table("more.csv"));
    spec.people.push(PeopleSource { valid_from: Some(time("since")), ..people("plans") });
    spec.people.push(PeopleSource { rows: Rows::Table("more".into()), ..people("more") });
    let data = read(&spec).unwrap();
    assert_eq!(data.people.offsets, [0, 3, 4, 5]);
    assert_eq!(attribute(&data, "plan"), ["trial", "free", "pro", "x", "-"]);
    assert_eq!(attribute(&data, "country"), ["DE", "DE", "DE", "-", "FR"]);
    let row = |cutoff: &str| data.people.row(0, cutoff.parse().unwrap());
    assert_eq!(
        [row("2023-12-31"), row("2024-01-01"), row("2024-01-02"), row("2025-01-01")],
        [Some(0), Some(0), Some(1), Some(2)]
    );
}

#[test]
fn rows_can_be_the_ids_and_the_order() {
    let text: String = "y,month\n"
        .chars()
        .chain((0..12).flat_map(|row| format!("no,{}\n", 12 - row).chars().collect::<Vec<_>>()))
        .collect();
    let by_row = with_people(&text, |people| (people.person, people.order) = (None, Some(Order::Row))).unwrap();
    assert_eq!(by_row.people.ids[..4], ["1", "10", "11", "12"]);
    let ids: Vec<&str> =
        by_row.people.order.as_ref().unwrap().iter().map(|&at| by_row.people.ids[at as usize].as_str()).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]);
    assert_eq!(by_row.people.find("7"), Some(9));
    let column = Some(Order::Column("month".into()));
    let by_column = with_people(&text, |people| (people.person, people.order) = (None, column)).unwrap();
    assert_eq!(by_column.people.ids[by_column.people.order.unwrap()[0] as usize], "12");
}

#[test]
fn contact_data_is_told_or_known_by_name() {
    let text = "person,E_Mail,city,zip_code,nick\na,a@x.example,Rome,00100,al\n";
    let guessed = with_people(text, |_| ()).unwrap();
    assert_eq!(guessed.people.contact, ["E_Mail", "zip_code"]);
    let told = with_people(text, |people| people.contact = vec!["nick".into()]).unwrap();
    assert_eq!(told.people.contact, ["nick"]);
    assert!(with_people(text, |people| people.contact = vec!["nik".into()]).is_err());
    let mut zones = "person,zip_code\n".to_owned();
    (0..1000).for_each(|row| zones.push_str(&format!("{row},{}\n", ["Urban", "Rural"][row % 2])));
    assert!(with_people(&zones, |_| ()).unwrap().people.contact.is_empty());
}

#[test]
fn nothing_personal_stands_in_a_profile() {
    let mut text = "person,email,state,age\n".to_owned();
    (0..40).for_each(|row| {
        text.push_str(&format!("p{row},p{row}@x.example,{},{}\n", ["A", "B", "B", ""][row % 4], row % 2));
    });
    let data = with_people(&text, |_| ()).unwrap();
    let [person, email, state, age] = data.profiles.as_slice() else { panic!("four columns") };
    assert_eq!((person.semantic_type, person.top_values.len(), person.distinct), (Semantic::Id, 0, 40));
    assert_eq!((email.semantic_type, email.top_values.len()), (Semantic::Email, 0));
    assert_eq!((state.nulls, state.top_values.clone()), (10, vec![("B".into(), 20), ("A".into(), 10)]));
    assert_eq!((age.min.as_deref(), age.max.as_deref(), age.mean), (Some("0"), Some("1"), Some(0.5)));
}

#[test]
fn without_a_profile_the_same_people_are_read() {
    let folder =
        Folder::new().with("people.csv", "person,email,state\na,a@x.example,A\nb,b@x.example,\n,c@x.example,C\n");
    let mut spec = folder.spec();
    spec.tables.insert("people".into(), table("people.csv"));
    spec.people.push(people("all"));
    let (data, plain) = (read(&spec).unwrap(), read_unprofiled(&spec, &State::default()).unwrap());
    assert_eq!((data.profiles.len(), plain.profiles.len(), plain.suspicions.len()), (3, 0, 0));
    assert_eq!(plain.people.ids, data.people.ids);
    assert!(plain.people.attributes.equals_missing(&data.people.attributes));
    assert_eq!((plain.inputs, plain.rejected), (data.inputs, data.rejected));
}

#[test]
fn linked_ids_become_one_person() {
    let folder = Folder::new()
        .with("leads.csv", "person,origin\nm1,ads\nm2,search\n")
        .with("deals.csv", "person,seller,time\nm1,s9,2024-01-05\nm2,,2024-01-06\n")
        .with("log.csv", "person,time\ns9,2024-02-01\ns8,2024-02-02\n");
    let mut spec = folder.spec();
    for name in ["leads", "deals", "log"] {
        spec.tables.insert(name.into(), table(&format!("{name}.csv")));
    }
    spec.people.push(PeopleSource { rows: Rows::Table("leads".into()), ..people("leads") });
    spec.events.push(EventSource { rows: Rows::Table("deals".into()), properties: Some(vec![]), ..events("won") });
    spec.events.push(events("sale"));
    spec.identity.links.push(link("deals", ["person", "seller"]));
    let data = read(&spec).unwrap();
    assert_eq!(data.people.ids, ["m1", "m2", "s8"]);
    assert_eq!(lines(&data), ["m1 2024-01-05 won", "m1 2024-02-01 sale", "m2 2024-01-06 won", "s8 2024-02-02 sale"]);
    assert_eq!(data.identities.len(), 1);
    assert_eq!((data.identities[0].id.as_str(), data.identities[0].person.as_str()), ("s9", "m1"));
    assert_eq!(data.inputs.iter().map(|input| input.table.as_str()).collect::<Vec<_>>(), ["deals", "leads", "log"]);
}

//! Who is who, told wrongly: links and likeness that name nothing, pairs that contradict each other.

use insta::assert_snapshot;

use super::{Shop, shop};

const STAGES: &str = "[[lifecycle.stages]]\nname = \"customer\"";

/// The shop with these lines of `[identity]`.
fn shop_with(identity: &str) -> Shop {
    shop().spec(STAGES, &format!("{identity}\n{STAGES}")).command(&["check"])
}

#[test]
fn a_link_over_what_is_not_there() {
    let link = |lines: &str| shop_with(&format!("[[identity.links]]\n{lines}")).said();
    assert_snapshot!(link("table = \"deals\"\ncolumns = [\"a\", \"b\"]"), @r#"
    exit 3
    error: [tables] has no `deals`
      ╭─[clo.toml:19:1]  table = "deals"
    help: the tables are `orders` and `people`
    "#);
    assert_snapshot!(link("table = \"orders\"\ncolumns = [\"customer\", \"device\"]"), @r#"
    exit 3
    error: data/orders.csv has no column `device`
      ╭─[clo.toml:20:1]  columns = ["customer", "device"]
    help: it has `customer`, `ordered_at`, `amount`
    "#);
    assert_snapshot!(link("contact = \"email\""), @r#"
    exit 3
    error: identity.links: no people table has a column `email`
      ╭─[clo.toml:19:1]  contact = "email"
    help: they have city, age, opt_in
    "#);
    assert_snapshot!(link("max_ids = 3"), @r#"
    exit 3
    error: a link is between two columns of a table, or by a contact column
      ╭─[clo.toml:18:1]  [[identity.links]]
    help: write table = "…" and columns = ["…", "…"], or contact = "email"
    "#);
}

#[test]
fn likeness_of_what_is_not_there() {
    let matching = |lines: &str| shop_with(&format!("[identity.match]\n{lines}")).said();
    assert_snapshot!(matching("compare = { surname = \"name\" }"), @r"
    exit 3
    error: identity.match.compare: no people table has a column `surname`
      ╭─[clo.toml:18:11]  [identity.match]
    help: they have city, age, opt_in
    ");
    assert_snapshot!(matching("compare = { city = \"town\" }"), @r#"
    exit 3
    error: `city` cannot be "town"
      ╭─[clo.toml:19:13]  compare = { city = "town" }
    help: this version takes "name", "text", "date", "code", "id", "email" or "phone"
    "#);
    assert_snapshot!(matching("threshold = 90"), @r"
    exit 3
    error: a threshold of 90 cannot be: it is a probability from 0.5 to just below 1
      ╭─[clo.toml:19:1]  threshold = 90
    help: 0.9 is usual; 0.99 merges fewer people by mistake
    ");
    assert_snapshot!(matching("people = [\"sellers\"]"), @r#"
    exit 3
    error: the spec has no [people.sellers]
      ╭─[clo.toml:19:11]  people = ["sellers"]
    help: there is only `buyers`
    "#);
}

#[test]
fn pairs_that_are_nobody_or_contradict_each_other() {
    assert_snapshot!(shop_with("[identity]\nalways = [[\"c001\", \"x999\"]]").said(), @r"
    exit 0
    warning: identity.always: 1 of its ids stand in no table: are they written as they stand there?
    ");
    let both = "[identity]\nalways = [[\"c001\", \"c002\"]]\nnever = [[\"c002\", \"c001\"]]";
    assert_snapshot!(shop_with(both).said(), @r#"
    exit 3
    error: `always` says that these two are one person, and `never` that they are two
      ╭─[clo.toml:20:10]  never = [["c002", "c001"]]
    help: keep one of the two
    "#);
}

#[test]
fn trust_in_a_feature_that_is_not_there() {
    let model = "model = { estimator = \"logistic\" }";
    let said = shop().spec(model, &format!("trust = [\"attr.agee\"]\n{model}")).command(&["discover"]).said();
    let told = "warning: `trust` names attr.agee, and there is no such feature: did you mean `attr.age`?";
    assert!(said.starts_with("exit 0") && said.contains(told), "{said}");
}

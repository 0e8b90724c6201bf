//! What clo says to the mistakes that people make.

use insta::assert_snapshot;

use super::{BANK, SHOP, read};

/// What is said about the shop's spec with some words replaced.
fn shop(replaced: &[(&str, &str)]) -> String {
    said(SHOP, replaced)
}

fn bank(replaced: &[(&str, &str)]) -> String {
    said(BANK, replaced)
}

fn said(text: &str, replaced: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    for (right, wrong) in replaced {
        assert!(text.contains(right), "the sample does not hold {right}");
        text = text.replacen(right, wrong, 1);
    }
    match read(&text) {
        Ok(_) => "nothing".to_owned(),
        Err(error) => {
            assert_eq!(error.exit_code(), 3);
            error.to_string()
        }
    }
}

#[test]
fn all_faults_at_once_in_the_order_of_the_file() {
    let said = shop(&[
        ("seed = 7", "sede = 7"),
        ("table = \"leads\"", "table = \"laeds\""),
        ("silence = \"180d\"", "silence = \"180 days\""),
        ("from = [\"customer\"]\nto", "from = \"customer\"\nto"),
        ("to = [\"repeat\"]", "to = [\"reapeat\"]"),
        ("count = 12", "count = \"12\""),
        ("holdout = \"10%\"", "holdout = \"110%\""),
    ]);
    assert_snapshot!(said, @r#"
    error: [project] has no key `sede`
      ╭─[shop/clo.toml:4:1]  sede = 7                                   # every random choice derives from it
    help: did you mean `seed`?

    error: [tables] has no `laeds`
      ╭─[shop/clo.toml:24:1]  table = "laeds"
    help: did you mean `leads`?

    error: `silence`: `180 days` is not a duration
      ╭─[shop/clo.toml:55:1]  silence = "180 days"
    help: write a number and a unit: 12h, 7d, 2w, 6mo or 1y

    error: `from` must be a list in [ ], not a text
      ╭─[shop/clo.toml:59:1]  from = "customer"
    help: write from = ["customer"]

    error: prediction `second-purchase`: there is no stage `reapeat`
      ╭─[shop/clo.toml:60:1]  to = ["reapeat"]
    help: did you mean `repeat`?

    error: `count` must be a whole number, not a text
      ╭─[shop/clo.toml:62:28]  cutoffs = { every = "30d", count = "12" }
    help: write it without quotes, such as count = 12

    error: `holdout` must be a share from 0 % to below 100 %
      ╭─[shop/clo.toml:71:1]  holdout = "110%"
    help: write "10%" or 0.1: the part of the audience that is left alone
    "#);
}

#[test]
fn toml_that_is_none() {
    assert_snapshot!(shop(&[("name = \"olist\"", "name = olist"), ("seed = 7", "seed = = 7")]), @r#"
    error: this is not TOML: string values must be quoted
      ╭─[shop/clo.toml:3:8]  name = olist

    error: this is not TOML: extra `=`
      ╭─[shop/clo.toml:4:8]  seed = = 7                                   # every random choice derives from it
    "#);
    assert_snapshot!(shop(&[("[events.contact]", "[events.purchase]")]), @r#"
    error: this is in the file twice
      ╭─[shop/clo.toml:23:9]  [events.purchase]
    help: keep one of them, or give one another name
    "#);
}

#[test]
fn keys_and_sections() {
    assert_snapshot!(shop(&[("[events.contact]", "[event.contact]")]), @r#"
    error: the spec has no section [event]
      ╭─[shop/clo.toml:23:2]  [event.contact]
    help: did you mean `events`?
    "#);
    assert_snapshot!(shop(&[("time = \"first_contact_date\"", "when = \"first_contact_date\"")]), @r#"
    error: [events.contact] does not say which column holds when things happened
      ╭─[shop/clo.toml:23:9]  [events.contact]
    help: add time = "…", a column of the table

    error: [events.contact] has no key `when`
      ╭─[shop/clo.toml:26:1]  when = "first_contact_date"
    help: it takes `table`, `sql`, `person`, `time`, `event`, `properties` and `known_at`
    "#);
    assert_snapshot!(shop(&[("from = [\"customer\"]\nto", "frm = [\"customer\"]\nto")]), @r#"
    error: [[predictions]] has no key `frm`
      ╭─[shop/clo.toml:59:1]  frm = ["customer"]
    help: did you mean `from`?
    "#);
    assert_snapshot!(shop(&[("[project]\nname = \"olist\"\nseed = 7", "")]), @r#"
    error: the spec has no section [project]
    help: add [project]: the project's name and its seed
    "#);
    assert_snapshot!(shop(&[("name = \"second-purchase-email\"\n", "")]), @r#"
    error: [[audiences]] does not say `name`
      ╭─[shop/clo.toml:66:1]  [[audiences]]
    help: add `name`: the audience's name; a folder is named after it
    "#);
}

#[test]
fn one_mistake_is_one_fault() {
    assert_snapshot!(bank(&[("[people.called]", "[pepole.called]")]), @r#"
    error: the spec has no section [pepole]
      ╭─[shop/clo.toml:6:2]  [pepole.called]
    help: did you mean `people`?
    "#);
}

#[test]
fn events_in_a_spec_of_a_snapshot() {
    let purchases = "[events.purchase]\ntable = \"calls\"\nperson = \"who\"\ntime = \"when\"\n[people.called]";
    assert_snapshot!(bank(&[("[people.called]", purchases)]), @r#"
    error: person = "row" numbers the rows of a snapshot; the events could not be matched with such numbers
      ╭─[shop/clo.toml:12:1]  person = "row"
    help: name the column that holds the same ids as the events

    error: `order` is for snapshots: here events say when things happened
      ╭─[shop/clo.toml:13:1]  order = "row"
    help: leave it out

    error: stage `subscriber` has `when`, which is for snapshots; this spec has [events.*]
      ╭─[shop/clo.toml:18:1]  when = "y = 'yes'"
    help: write enter = "…": the event that brings people here, with what must hold for it

    error: prediction `subscribe` does not say its `horizon`
      ╭─[shop/clo.toml:19:1]  [[predictions]]
    help: add horizon = "90d": the span after the cutoff in which the transition counts
    "#);
}

#[test]
fn brackets() {
    assert_snapshot!(bank(&[("[people.called]", "[people]")]), @r#"
    error: [people] has a key `table` of its own
      ╭─[shop/clo.toml:7:1]  table = "calls"
    help: each source stands under a name of yours: [people.NAME]

    error: [people] has a key `person` of its own
      ╭─[shop/clo.toml:8:1]  person = "row"
    help: each source stands under a name of yours: [people.NAME]

    error: [people] has a key `order` of its own
      ╭─[shop/clo.toml:9:1]  order = "row"
    help: each source stands under a name of yours: [people.NAME]
    "#);
    assert_snapshot!(bank(&[("[[predictions]]", "[predictions]")]), @r#"
    error: `predictions` must be a list in [ ], not a table
      ╭─[shop/clo.toml:15:2]  [predictions]
    help: write [[predictions]] with two brackets
    "#);
    assert_snapshot!(bank(&[("[[predictions]]", "[prediction]")]), @r#"
    error: the spec has no section [prediction]
      ╭─[shop/clo.toml:15:2]  [prediction]
    help: did you mean `predictions`?
    "#);
}

#[test]
fn types_and_words() {
    assert_snapshot!(shop(&[("time = \"first_contact_date\"", "time = 3")]), @r#"
    error: `time` must be a text in quotes or a table, not a number
      ╭─[shop/clo.toml:26:1]  time = 3
    help: put it in quotes: "3"
    "#);
    assert_snapshot!(shop(&[("estimator = \"auto\"", "estimator = \"boostng\"")]), @r#"
    error: `estimator` cannot be "boostng"
      ╭─[shop/clo.toml:63:11]  model = { estimator = "boostng" }
    help: did you mean "boosting"? This version takes "auto", "bayes", "logistic", "boosting", "forest" or "blend"
    "#);
    assert_snapshot!(shop(&[("\"google-customer-match\"", "\"tiktok\"")]), @r#"
    error: `export` cannot be "tiktok"
      ╭─[shop/clo.toml:74:26]  export = ["csv", "xlsx", "tiktok", "meta-custom-audience"]
    help: did you mean "tiktok-custom-audience"? This version takes "csv", "xlsx", "parquet", "sqlite", "postgres", "hashed-csv", "google-customer-match", "google-mobile-devices", "meta-custom-audience", "meta-value-based-seed", "linkedin-matched-audience", "tiktok-custom-audience", "microsoft-customer-match", "x-custom-audience", "salesforce-campaign-members", "hubspot", "mailchimp", "klaviyo" or "braze"
    "#);
    assert_snapshot!(shop(&[("seed = 7", "seed = -7")]), @r#"
    error: `seed` must be at least 0, not -7
      ╭─[shop/clo.toml:4:1]  seed = -7                                   # every random choice derives from it
    "#);
    assert_snapshot!(shop(&[("[\"mql_id\", \"seller_id\"]", "[\"mql_id\"]")]), @r#"
    error: `columns` takes exactly 2 values, not 1
      ╭─[shop/clo.toml:38:1]  columns = ["mql_id"]
    "#);
    assert_snapshot!(shop(&[("{ hours = \"i64\" }", "{ hours = \"int\" }")]), @r#"
    error: `hours` cannot be "int"
      ╭─[shop/clo.toml:12:114]  log      = { path = "data/log.txt", delimiter = "whitespace", columns = ["user_id", "event", "hours"], types = { hours = "int" } }
    help: this version takes "i64", "f64", "str", "bool", "date" or "datetime"
    "#);
    assert_snapshot!(shop(&[("{ hours = \"i64\" }", "{ hour = \"i64\" }")]), @r#"
    error: `columns` has no `hour`
      ╭─[shop/clo.toml:12:114]  log      = { path = "data/log.txt", delimiter = "whitespace", columns = ["user_id", "event", "hours"], types = { hour = "i64" } }
    help: did you mean `hours`?
    "#);
}

#[test]
fn tables_and_sources() {
    assert_snapshot!(shop(&[("${CLO_DEALS}", "${CLO_DEAL}")]), @r#"
    error: the environment variable CLO_DEAL is not set
      ╭─[shop/clo.toml:11:1]  deals    = "${CLO_DEAL}/deals.csv"
    help: set it (CLO_DEAL=… clo …), or say what holds without it: ${CLO_DEAL:-data}
    "#);
    assert_snapshot!(shop(&[("delimiter = \";\"", "delimiter = \"; \"")]), @r#"
    error: `delimiter` cannot be "; "
      ╭─[shop/clo.toml:9:42]  payments = { path = "data/payments.csv", delimiter = "; ", null_values = ["NA"] }
    help: write one character such as ";", or "tab", or "whitespace" for runs of blanks
    "#);
    assert_snapshot!(shop(&[("table = \"leads\"\n", "table = \"leads\"\nsql = \"SELECT * FROM leads\"\n")]), @r#"
    error: [events.contact] has both `table` and `sql`
      ╭─[shop/clo.toml:25:1]  sql = "SELECT * FROM leads"
    help: keep one: `table` takes all rows of a table, `sql` joins and derives
    "#);
    assert_snapshot!(shop(&[("table = \"leads\"\nperson = \"mql_id\"\n", "")]), @r#"
    error: [events.contact] does not say where its rows come from
      ╭─[shop/clo.toml:23:9]  [events.contact]
    help: add table = "…" (a name of [tables]) or sql = "SELECT … FROM …"

    error: [events.contact] does not say which column holds the person's id
      ╭─[shop/clo.toml:23:9]  [events.contact]
    help: add person = "…", a column of the table
    "#);
    assert_snapshot!(shop(&[("unit = \"hours\", ", "")]), @r#"
    error: `origin` is where numbers of time count from, and no `unit` says what they count
      ╭─[shop/clo.toml:33:28]  time = { column = "hours", origin = 2013-07-29, zone = "UTC" }
    help: add unit = "hours" (or seconds, days …)
    "#);
    assert_snapshot!(shop(&[("zone = \"UTC\"", "zone = \"Europe/Berln\"")]), @r#"
    error: "Europe/Berln" is not a time zone
      ╭─[shop/clo.toml:33:65]  time = { column = "hours", unit = "hours", origin = 2013-07-29, zone = "Europe/Berln" }
    help: did you mean "Europe/Berlin"?
    "#);
    assert_snapshot!(shop(&[("FROM orders o", "FROM order o")]), @r#"
    error: [tables] has no `order`
      ╭─[shop/clo.toml:20:6]  FROM order o JOIN payments p ON o.order_id = p.order_id
    help: did you mean `orders`?
    "#);
    assert_snapshot!(shop(&[("p ON o.order_id =", "p ON o.order_id = =")]), @r#"
    error: this SQL does not parse: expected an expression, found =
      ╭─[shop/clo.toml:20:47]  FROM orders o JOIN payments p ON o.order_id = = p.order_id
    help: texts stand in single quotes ('yes'), columns that are no plain word in double quotes ("Total Charges")
    "#);
}

#[test]
fn stages() {
    assert_snapshot!(shop(&[("enter = \"event = 'contact'\"", ""), ("enter = \"event = 'purchase'\"", "")]), @r#"
    error: stages `lead` and `customer` both have no rule, and everybody can start in one only
      ╭─[shop/clo.toml:46:1]  [[lifecycle.stages]]
    help: say what brings people into `customer`: enter (snapshots: when) or silence
    "#);
    assert_snapshot!(shop(&[("enter = \"event = 'contact'\"", "enter = \"event = 'contact' AND\"")]), @r#"
    error: this SQL does not parse: expected an expression, found its end
      ╭─[shop/clo.toml:45:1]  enter = "event = 'contact' AND"
    help: texts stand in single quotes ('yes'), columns that are no plain word in double quotes ("Total Charges")
    "#);
    assert_snapshot!(shop(&[("enter = \"event = 'contact'\"", "enter = 'event = \"contact\"'")]), @r#"
    error: `event = "contact"` compares two columns: double quotes are for column names
      ╭─[shop/clo.toml:45:19]  enter = 'event = "contact"'
    help: write event = 'contact'
    "#);
    assert_snapshot!(shop(&[("enter = \"event = 'contact'\"", "when = \"origin = 'paid'\"")]), @r#"
    error: stage `lead` has `when`, which is for snapshots; this spec has [events.*]
      ╭─[shop/clo.toml:45:1]  when = "origin = 'paid'"
    help: write enter = "…": the event that brings people here, with what must hold for it
    "#);
    assert_snapshot!(shop(&[("silence = \"180d\"", "silence = \"180d\"\nenter = \"event = 'churn'\"")]), @r#"
    error: stage `lapsed` has both `enter` and `silence`
      ╭─[shop/clo.toml:55:1]  silence = "180d"
    help: one rule brings people into a stage: keep one, or make two stages
    "#);
    assert_snapshot!(shop(&[("from = [\"customer\", \"repeat\"]\n", "")]), @r#"
    error: stage `lapsed` is entered by silence, and does not say from where
      ╭─[shop/clo.toml:54:1]  silence = "180d"
    help: add from = ["…"]: the stages that people fall silent in
    "#);
    assert_snapshot!(shop(&[("from = [\"customer\", \"repeat\"]", "from = [\"custmer\", \"lapsed\"]")]), @r#"
    error: stage `lapsed` cannot be entered from itself
      ╭─[shop/clo.toml:54:1]  from = ["custmer", "lapsed"]
    help: take it out of `from`

    error: stage `lapsed`: there is no stage `custmer`
      ╭─[shop/clo.toml:54:1]  from = ["custmer", "lapsed"]
    help: did you mean `customer`?
    "#);
    assert_snapshot!(shop(&[("name = \"repeat\"", "name = \"customer\"")]), @r#"
    error: there are two stages named `customer`
      ╭─[shop/clo.toml:50:1]  name = "customer"
    help: give each a name of its own

    error: stage `lapsed`: there is no stage `repeat`
      ╭─[shop/clo.toml:54:1]  from = ["customer", "repeat"]
    help: the stages are `lead`, `customer` and `lapsed`

    error: prediction `second-purchase`: there is no stage `repeat`
      ╭─[shop/clo.toml:60:1]  to = ["repeat"]
    help: the stages are `lead`, `customer` and `lapsed`
    "#);
    assert_snapshot!(bank(&[("when = \"y = 'yes'\"", "enter = \"event = 'yes'\"")]), @r#"
    error: stage `subscriber` is entered by events, and this spec has no [events.*]
      ╭─[shop/clo.toml:14:1]  enter = "event = 'yes'"
    help: in a snapshot, write when = "…" over the attributes; or declare the events
    "#);
}

#[test]
fn an_event_that_nobody_declared() {
    let said = shop(&[("event = \"event\"\n", ""), ("enter = \"event = 'contact'\"", "enter = \"event = 'contakt'\"")]);
    assert_snapshot!(said, @r#"
    error: stage `lead` is entered by the event `contakt`, and there is no [events.contakt]
      ╭─[shop/clo.toml:44:19]  enter = "event = 'contakt'"
    help: did you mean `contact`?
    "#);
    let said = shop(&[("event = \"event\"\n", ""), ("enter = \"event = 'contact'\"", "enter = \"contact\"")]);
    assert_snapshot!(said, @r#"
    error: stage `lead`: `contact` alone is the name of a column, not a rule
      ╭─[shop/clo.toml:44:1]  enter = "contact"
    help: write enter = "event = 'contact'"
    "#);
}

#[test]
fn templates() {
    let (before, _) = SHOP.split_once("[lifecycle]").unwrap();
    let before = before.replace("event = \"event\"\n", "");
    let with = |lifecycle: &str| said(&format!("{before}[lifecycle]\n{lifecycle}\n"), &[]);
    assert_snapshot!(with("template = \"prospect-lead-customer\""), @r#"
    error: `template` cannot be "prospect-lead-customer"
      ╭─[shop/clo.toml:40:1]  template = "prospect-lead-customer"
    help: did you mean "prospect-lead-customer-retained"? This version takes "reach-acquire-develop-retain-advocate", "awareness-consideration-purchase-retention-advocacy", "reach-acquire-convert-retain-loyal", "prospect-lead-customer-retained" or "visitor-trial-active-lapsed"
    "#);
    assert_snapshot!(with("template = \"prospect-lead-customer-retained\""), @r#"
    error: the template's stage `lead` is entered by the event `lead`, and there is no [events.lead]
      ╭─[shop/clo.toml:40:1]  template = "prospect-lead-customer-retained"
    help: say what it is called here: template = { name = …, events = { lead = "…" } }; or leave the stage out: without = ["lead"]; or give it a rule of your own in [[lifecycle.stages]]
    "#);
    assert_snapshot!(with("template = { name = \"visitor-trial-active-lapsed\", events = { trail = \"contact\" }, without = [\"trial\", \"lost\"] }"), @r#"
    error: the template does not speak of an event `trail`
      ╭─[shop/clo.toml:40:63]  template = { name = "visitor-trial-active-lapsed", events = { trail = "contact" }, without = ["trial", "lost"] }
    help: did you mean `trial`?

    error: the template has no stage `lost`
      ╭─[shop/clo.toml:40:104]  template = { name = "visitor-trial-active-lapsed", events = { trail = "contact" }, without = ["trial", "lost"] }
    help: the stages are `visitor`, `trial`, `active` and `lapsed`
    "#);
    let (before, rest) = BANK.split_once("[[lifecycle.stages]]").unwrap();
    let (_, predictions) = rest.split_once("[[predictions]]").unwrap();
    let template = "[lifecycle]\ntemplate = \"visitor-trial-active-lapsed\"";
    assert_snapshot!(said(&format!("{before}{template}\n[[predictions]]{predictions}"), &[]), @r#"
    error: the stages of a template are entered by events, and this spec has no [events.*]
      ╭─[shop/clo.toml:11:1]  template = "visitor-trial-active-lapsed"
    help: write [[lifecycle.stages]] with `when` rules over the attributes
    "#);
}

#[test]
fn predictions() {
    assert_snapshot!(shop(&[("horizon = \"90d\"\n", "")]), @r#"
    error: prediction `second-purchase` does not say its `horizon`
      ╭─[shop/clo.toml:57:1]  [[predictions]]
    help: add horizon = "90d": the span after the cutoff in which the transition counts
    "#);
    assert_snapshot!(shop(&[("horizon = \"90d\"", "horizon = \"90\"")]), @r#"
    error: `horizon`: `90` is not a duration
      ╭─[shop/clo.toml:61:1]  horizon = "90"
    help: write a number and a unit: 12h, 7d, 2w, 6mo or 1y
    "#);
    assert_snapshot!(shop(&[("to = [\"repeat\"]", "to = [\"repeat\", \"customer\"]")]), @r#"
    error: prediction `second-purchase`: `customer` is both in `from` and in `to`
      ╭─[shop/clo.toml:60:1]  to = ["repeat", "customer"]
    help: people cannot move to where they are: take it out of one
    "#);
    assert_snapshot!(shop(&[("enter = \"event = 'contact'\"", ""), ("to = [\"repeat\"]", "to = [\"lead\"]")]), @r#"
    error: prediction `second-purchase`: nobody can reach `lead`, it is where everybody starts
      ╭─[shop/clo.toml:60:1]  to = ["lead"]
    help: name a stage with a rule
    "#);
    assert_snapshot!(shop(&[("name = \"second-purchase\"", "name = \"second/purchase\"")]), @r#"
    error: `second/purchase` cannot be the name of a folder, and one is named after it
      ╭─[shop/clo.toml:58:1]  name = "second/purchase"
    help: use letters, digits, `-`, `_` and `.` only

    error: audience `second-purchase-email`: there is no prediction `second-purchase`
      ╭─[shop/clo.toml:68:1]  prediction = "second-purchase"
    help: did you mean `second/purchase`?
    "#);
    assert_snapshot!(shop(&[("exclude", "windows = [\"7d\", \"1w\", \"all\"]\nexclude")]), @r#"
    error: the window 7d is there twice
      ╭─[shop/clo.toml:64:18]  windows = ["7d", "1w", "all"]
    help: once is enough

    error: the whole past is always among the windows
      ╭─[shop/clo.toml:64:24]  windows = ["7d", "1w", "all"]
    help: leave "all" out
    "#);
    assert_snapshot!(bank(&[("exclude", "horizon = \"30d\"\nexclude")]), @r#"
    error: prediction `subscribe` has `horizon`, and a snapshot knows no times
      ╭─[shop/clo.toml:19:1]  horizon = "30d"
    help: leave it out, or declare the [events.*]
    "#);
}

#[test]
fn audiences() {
    assert_snapshot!(shop(&[("prediction = \"second-purchase\"", "prediction = \"second-purchse\"")]), @r#"
    error: audience `second-purchase-email`: there is no prediction `second-purchse`
      ╭─[shop/clo.toml:68:1]  prediction = "second-purchse"
    help: did you mean `second-purchase`?
    "#);
    assert_snapshot!(shop(&[("size = \"10%\"", "size = \"0%\"")]), @r#"
    error: audience `second-purchase-email`: "0%" is not a size
      ╭─[shop/clo.toml:70:1]  size = "0%"
    help: write a count of at least 1 (500), a share above 0 % and up to 100 % ("10%"), { tiers = ["1%", "5%"] }, "max-profit", or "similarity >= 0.6"
    "#);
    assert_snapshot!(shop(&[("size = \"10%\"", "size = \"max-profit\"\ncost = 0")]), @r#"
    error: audience `second-purchase-email`: size = "max-profit" needs `value`
      ╭─[shop/clo.toml:66:1]  [[audiences]]
    help: add value = …: what one transition is worth

    error: audience `second-purchase-email`: `cost` must be above 0, not 0
      ╭─[shop/clo.toml:71:1]  cost = 0
    help: `cost` is what reaching one person costs
    "#);
    assert_snapshot!(shop(&[("stage = 'customer'", "stage = 'custmer'")]), @r#"
    error: `candidates`: there is no stage `custmer`
      ╭─[shop/clo.toml:69:24]  candidates = "stage = 'custmer' AND state <> 'XX'"
    help: did you mean `customer`?
    "#);
    let (before, audience) = SHOP.split_once("[[audiences]]").unwrap();
    let (before, prediction) = before.split_once("[[predictions]]").unwrap();
    let second = prediction.replace("second-purchase", "third-purchase");
    let audience = audience.replace("prediction = \"second-purchase\"\n", "");
    let text = format!("{before}[[predictions]]{prediction}[[predictions]]{second}[[audiences]]{audience}");
    assert_snapshot!(said(&text, &[]), @r#"
    error: audience `second-purchase-email` says neither which prediction nor which seed ranks it
      ╭─[shop/clo.toml:75:1]  [[audiences]]
    help: add prediction = "second-purchase", or seed = "…" (whose likes are sought)
    "#);
}

#[test]
fn what_the_map_measures() {
    for (added, wanted) in [
        ("windows = [\"7 parsecs\"]", "`7 parsecs` is not a duration"),
        ("score = { property = \"stars\", promoters = 3, detractors = 4 }", "promoters score from 3 on"),
        ("orders = { margin = \"140%\" }", "`margin` must be a share"),
        ("targets = [{ stage = \"customer\", kpi = \"conversion\" }]", "this target has no number"),
        ("targets = [{ stage = \"custmer\", kpi = \"health\", at_least = 1 }]", "did you mean `customer`?"),
        ("targets = [{ stage = \"customer\", kpi = \"won_back\", at_least = 1 }]", "write kpi = \"conversion\""),
        (
            "targets = [{ stage = \"customer\", kpi = \"revenue\", at_least = 2, at_most = 1 }]",
            "no number is at least 2",
        ),
        ("by = [\"state\", \"state\"]", "there are two attributes named `state`"),
    ] {
        let text = SHOP.replacen("[lifecycle]\n", &format!("[lifecycle]\n{added}\n"), 1);
        let error = read(&text).expect_err(added);
        let told = format!("{error} {:?}", error.hints());
        assert!(told.contains(wanted), "{added}: {told}");
    }
    let spend = "[spend]\ntable = \"orders\"\ntime = \"day\"\namount = \"cost\"\nchannel = \"chanel\"\n";
    let text = SHOP.replacen("[lifecycle]\n", &format!("{spend}[lifecycle]\nby = [\"channel\"]\n"), 1);
    let error = read(&text).unwrap_err();
    assert!(error.to_string().contains("`chanel`: whose channel is it?"), "{error}");
}

#[test]
fn rules_of_contacting_that_cannot_be() {
    let said = shop(&[(
        "export = [\"csv\", \"xlsx\", \"google-customer-match\", \"meta-custom-audience\"]",
        "export = [\"salesforce-campaign-members\"]\npurposes = [\"emial\"]\nnot_in = [\"other\"]\n\
         cap = { event = \"mail\", times = 2, within = \"30 days\" }\n\
         [[consent]]\npurpose = \"email\"\nneeds = \"opt_in =\"",
    )]);
    assert_snapshot!(said, @r#"
    error: export "salesforce-campaign-members" needs `campaign`
      ╭─[shop/clo.toml:66:1]  [[audiences]]
    help: add campaign = "701…", the id in the campaign's address

    error: there is no [[consent]] of purpose `emial`
      ╭─[shop/clo.toml:75:13]  purposes = ["emial"]
    help: did you mean `email`?

    error: `not_in`: there is no audience `other` before this one
      ╭─[shop/clo.toml:76:11]  not_in = ["other"]
    help: this spec has no audiences before this one

    error: `within`: `30 days` is not a duration
      ╭─[shop/clo.toml:77:36]  cap = { event = "mail", times = 2, within = "30 days" }
    help: write a number and a unit: 12h, 7d, 2w, 6mo or 1y

    error: this SQL does not parse: expected an expression, found its end
      ╭─[shop/clo.toml:80:1]  needs = "opt_in ="
    help: texts stand in single quotes ('yes'), columns that are no plain word in double quotes ("Total Charges")
    "#);
}

#[test]
fn what_is_at_stake_is_said_whole() {
    assert_snapshot!(shop(&[("horizon = \"90d\"", "horizon = \"90d\"\ncost = 2")]), @r#"
    error: prediction `second-purchase` has `cost` and no `value`
      ╭─[shop/clo.toml:62:1]  cost = 2
    help: say both: a list is worth what its transitions bring less what reaching it costs
    "#);
    assert_snapshot!(shop(&[("horizon = \"90d\"", "horizon = \"90d\"\ncost = 0\nvalue = 5")]), @r#"
    error: prediction `second-purchase`: `cost` must be above 0
      ╭─[shop/clo.toml:62:1]  cost = 0
    help: mend it, or leave both `cost` and `value` out
    "#);
}

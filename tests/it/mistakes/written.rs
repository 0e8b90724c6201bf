//! Slips in clo.toml and on the command line. `src/spec/tests/mistakes.rs` shows many more of the first kind.

use insta::assert_snapshot;

use super::shop;

#[test]
fn an_unknown_key() {
    assert_snapshot!(shop().spec("seed = 7", "sede = 7").said(), @r"
    exit 3
    error: [project] has no key `sede`
      ╭─[clo.toml:3:1]  sede = 7
    help: did you mean `seed`?
    ");
}

#[test]
fn a_value_of_the_wrong_type() {
    assert_snapshot!(shop().spec("seed = 7", "seed = \"seven\"").said(), @r#"
    exit 3
    error: `seed` must be a whole number, not a text
      ╭─[clo.toml:3:1]  seed = "seven"
    help: write it without quotes, such as seed = 12
    "#);
}

#[test]
fn text_that_is_not_toml() {
    assert_snapshot!(shop().spec("name = \"shop\"", "name = shop").said(), @r"
    exit 3
    error: this is not TOML: string values must be quoted
      ╭─[clo.toml:2:8]  name = shop
    ");
}

#[test]
fn a_size_of_nobody() {
    assert_snapshot!(shop().spec("size = 5", "size = 0").said(), @r"
    exit 3
    error: `size` must be at least 1, not 0
      ╭─[clo.toml:36:1]  size = 0
    ");
    assert_snapshot!(shop().spec("size = 5", "size = -5").said(), @r"
    exit 3
    error: `size` must be at least 1, not -5
      ╭─[clo.toml:36:1]  size = -5
    ");
    assert_snapshot!(shop().spec("size = 5", "size = \"150%\"").said(), @r#"
    exit 3
    error: audience `best`: "150%" is not a size
      ╭─[clo.toml:36:1]  size = "150%"
    help: write a count of at least 1 (500), a share above 0 % and up to 100 % ("10%"), { tiers = ["1%", "5%"] }, "max-profit", or "similarity >= 0.6"
    "#);
}

#[test]
fn a_prediction_that_is_not_there() {
    assert_snapshot!(shop().spec("prediction = \"second\"", "prediction = \"secnd\"").said(), @r#"
    exit 3
    error: audience `best`: there is no prediction `secnd`
      ╭─[clo.toml:35:1]  prediction = "secnd"
    help: did you mean `second`?
    "#);
}

#[test]
fn an_unknown_command() {
    assert_snapshot!(shop().command(&["ruun"]).said(), @r"
    exit 2
    error: unrecognized subcommand 'ruun'

      tip: a similar subcommand exists: 'run'

    Usage: clo [OPTIONS] <COMMAND>

    For more information, try '--help'.
    ");
}

#[test]
fn an_unknown_option() {
    assert_snapshot!(shop().command(&["run", "--treads", "2"]).said(), @r"
    exit 2
    error: unexpected argument '--treads' found

      tip: a similar argument exists: '--threads'

    Usage: clo run --threads <N>

    For more information, try '--help'.
    ");
}

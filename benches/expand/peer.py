"""What a good polars user writes: rank, leave out, hold out, normalise, hash, write. Prints its seconds as JSON.

    peer.py FOLDER SCORES OUT        FOLDER: people.parquet, unsubscribed.csv; SCORES: clo's scores.parquet
"""
import json
import pathlib
import sys
import time

import polars as pl
import polars_hash  # noqa: F401 (registers `chash`)

EMAIL = pl.col("email").str.strip_chars().str.to_lowercase()
DIGITS = pl.col("phone").str.replace_all(r"[^0-9]", "")
CODES = {"US": "1", "GB": "44", "DE": "49", "FR": "33"}


def sha(expression):
    return pl.when(expression.str.len_bytes() > 0).then(expression.chash.sha2_256())


def e164():
    """By hand: the code where there is a plus, else the country's code in place of the leading zero. Nothing is validated."""
    code = pl.col("country").replace_strict(CODES)
    return pl.when(pl.col("phone").str.starts_with("+")).then(DIGITS).otherwise(pl.concat_str(code, DIGITS.str.strip_chars_start("0")))


def main():
    folder, scores, out = (pathlib.Path(argument) for argument in sys.argv[1:])
    out.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    people = pl.scan_parquet(folder / "people.parquet").select("id", "email", "phone", "country", "opt_in")
    ranked = pl.scan_parquet(scores).select(id="person", score="propensity")
    suppressed = pl.scan_csv(folder / "unsubscribed.csv").select(hashed="email")
    listed = (
        people.join(ranked, on="id")
        .filter("opt_in")
        .with_columns(email=EMAIL)
        .with_columns(hashed=sha(pl.col("email")))
        .join(suppressed, on="hashed", how="anti")
        .sort(["score", "id"], descending=[True, False])
        .unique("email", keep="first", maintain_order=True)
        .with_row_index("rank", offset=1)
        .with_columns(group=pl.when(pl.concat_str(pl.lit("salt"), "id").chash.sha2_256().str.slice(0, 4) < "1999").then(pl.lit("holdout")).otherwise(pl.lit("target")))
        .collect()
    )
    listed.select("id", "rank", "score", "group").write_parquet(out / "audience.parquet")
    target = listed.lazy().filter(pl.col("group") == "target").with_columns(phone=e164())
    user, host = pl.col("email").str.split_exact("@", 1).struct.field("field_0"), pl.col("email").str.split_exact("@", 1).struct.field("field_1")
    gmail = pl.when(host.is_in(["gmail.com", "googlemail.com"])).then(pl.concat_str(user.str.replace_all(".", "", literal=True), pl.lit("@"), host)).otherwise("email")
    google = target.select(Email=sha(gmail), Phone=sha(pl.concat_str(pl.lit("+"), "phone")), Country=pl.col("country"))
    google.unique().sort("Email").collect().write_csv(out / "google.csv")
    meta = target.select(email="hashed", phone=sha(pl.col("phone")), country=sha(pl.col("country").str.to_lowercase()))
    meta.unique().sort("email").collect().write_csv(out / "meta.csv")
    print(json.dumps({"seconds": round(time.perf_counter() - start, 2), "candidates": people.select(pl.len()).collect().item(), "target": target.select(pl.len()).collect().item()}))


if __name__ == "__main__":
    main()

"""People as a customer file has them, in Parquet, and a suppression list of hashed e-mails.

    make_people.py FOLDER N_PEOPLE

`people.parquet`: id, email, phone (as people write them), country, opt_in, and two numbers that say who converts (`converted`). `unsubscribed.csv`: the SHA-256 of the e-mails of two in a hundred.
"""
import hashlib
import pathlib
import sys

import numpy as np
import polars as pl

COUNTRIES = ["US", "GB", "DE", "FR"]
CHUNK = 1_000_000


def chunk(start, n, random):
    row = np.arange(start, start + n)
    country = random.integers(0, len(COUNTRIES), n)
    area, middle, end = random.integers(201, 990, n), random.integers(200, 1000, n), random.integers(0, 10000, n)
    frame = pl.DataFrame({
        "row": row, "at": country, "a": area, "b": middle, "c": end,
        "host": np.array(["gmail.com", "example.com", "Example.ORG", "mail.example.net"])[random.integers(0, 4, n)],
        "opt_in": random.random(n) < 0.8, "visits": random.poisson(3, n), "spend": random.gamma(2.0, 30.0, n).round(2),
    })
    c = pl.col("c").cast(pl.String).str.zfill(4)
    phones = [pl.format("({}) {}-{}", "a", "b", c), pl.format("020 7{} {}", "b", c), pl.format("+49 151 {}{}1", "b", c), pl.format("06 {}{}9", "b", c)]
    phone = pl.coalesce([pl.when(pl.col("at") == at).then(phone) for at, phone in enumerate(phones)])
    margin = 0.3 * frame["visits"].to_numpy() + 0.01 * frame["spend"].to_numpy() - 4.5
    return frame.select(
        pl.format("p{}", pl.col("row").cast(pl.String).str.zfill(8)).alias("id"),
        # One in fifty shares the address of the person before: a household's, or somebody who signed up twice.
        pl.format("User.{}@{}", pl.when(pl.col("row") % 50 == 49).then(pl.col("row") - 1).otherwise(pl.col("row")), "host").alias("email"),
        phone.alias("phone"), pl.col("at").replace_strict(dict(enumerate(COUNTRIES))).alias("country"), "opt_in", "visits", "spend",
        pl.Series("converted", random.random(n) < 1 / (1 + np.exp(-margin))).cast(pl.Int8),
    )


def main():
    folder, n_people = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(7)
    parts = []
    with open(folder / "unsubscribed.csv", "w") as suppressed:
        suppressed.write("email\n")
        for start in range(0, n_people, CHUNK):
            part = chunk(start, min(CHUNK, n_people - start), random)
            for email in part["email"].gather_every(50):
                suppressed.write(hashlib.sha256(email.lower().encode()).hexdigest() + "\n")
            parts.append(part)
    pl.concat(parts).write_parquet(folder / "people.parquet", row_group_size=1 << 18)


if __name__ == "__main__":
    main()

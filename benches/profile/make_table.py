"""A table of people as a company's warehouse would hold it: python make_table.py FILE ROWS COLUMNS (.parquet or .csv)."""

import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

path, n, width = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(7)
row = np.arange(n)


def words(values, share):
    levels = np.array(values, dtype=object)
    return pa.array(levels[rng.integers(0, len(levels), n)], mask=rng.random(n) < share)


def texts(make):
    return pa.array([make(i) for i in row])


def number(i):
    kind = i % 4
    if kind == 0:
        return pa.array(np.round(rng.lognormal(3, 1, n), 2), mask=rng.random(n) < 0.05)
    if kind == 1:
        return pa.array(rng.normal(100, 15, n))
    if kind == 2:
        return pa.array(rng.poisson(3, n))
    return pa.array(rng.integers(0, 100_000, n), mask=rng.random(n) < 0.2)


numbers = rng.integers(0, 2**62, n)
mobile = rng.integers(10_000_000, 99_999_999, n)
columns = {
    "customer_id": texts(lambda i: f"{numbers[i]:016x}{i:016x}"),
    "email": texts(lambda i: f"person{i}@{('gmail.com', 'gmx.de', 'web.de', 'shop.co.uk')[i % 4]}"),
    "phone": texts(lambda i: f"+49 151 {mobile[i]}"),
    "country": words(["Germany", "Austria", "Switzerland"], 0.02),
    "postcode": pa.array(rng.integers(10_000, 99_999, n)),
    "joined_at": pa.array(1_600_000_000 + rng.integers(0, 10**8, n), type=pa.timestamp("s")),
    "newsletter": pa.array(rng.random(n) < 0.4),
    "remark": texts(lambda i: f"called on day {i % 977} about order {numbers[i] % 10_000}"),
}
while len(columns) < width:
    i = len(columns)
    if i % 4 == 3:
        columns[f"segment_{i}"] = words([f"level {j}" for j in range(2 + i * 3)], 0.05)
    else:
        columns[f"measure_{i}"] = number(i)
table = pa.table(dict(list(columns.items())[:width]))
if path.endswith(".csv"):
    pa.csv.write_csv(table, path)
else:
    pa.parquet.write_table(table, path, row_group_size=1 << 17)

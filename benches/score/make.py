"""A table of people, 24 numbers (5 % missing) and 6 categories, with a signal that is not linear: `make.py OUT ROWS [yes|no] [FEATURES]`.

With `yes` the table has an outcome `y`. Of another number of features four in five are numbers, too. Values are single floats of
256 steps, as a warehouse would keep rates and scores: 100,000,000 rows are about 3 GB. Row groups of 1,000,000 rows, eight of them drawn and then repeated under new ids.
"""
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GROUP = 1_000_000
out, rows = sys.argv[1], int(sys.argv[2])
labelled = sys.argv[3:4] == ["yes"]
features = int(sys.argv[4]) if len(sys.argv) > 4 else 30
n_numbers = features * 4 // 5
levels = pa.array([f"level {i}" for i in range(8)])


def group(seed, n):
    rng = np.random.default_rng(seed)
    numbers = np.round(rng.normal(size=(n_numbers, n)).astype(np.float32) * 32).clip(-128, 127) / np.float32(32)
    codes = rng.integers(0, 8, size=(features - n_numbers, n)).astype(np.int8)
    odds = numbers[0] + np.abs(numbers[1]) * numbers[2] - (numbers[3] > 0.5) + (codes[0] > 4) * numbers[4] - 3.2
    y = rng.random(n) < 1 / (1 + np.exp(-odds))
    columns = {}
    for i, values in enumerate(numbers):
        columns[f"n{i:02}"] = pa.array(values, mask=rng.random(n) < 0.05)
    for i, code in enumerate(codes):
        columns[f"c{i}"] = pa.DictionaryArray.from_arrays(pa.array(code), levels).cast(pa.string())
    if labelled:
        columns["y"] = pa.array(np.where(y, "yes", "no"))
    return columns


made, writer = {}, None
for at, start in enumerate(range(0, rows, GROUP)):
    n = min(GROUP, rows - start)
    if n < GROUP or at % 8 not in made:
        columns = group(at % 8, n)
        if n == GROUP:
            made[at % 8] = columns
    else:
        columns = made[at % 8]
    table = pa.table({"id": pa.array(np.arange(start, start + n))} | columns)
    writer = writer or pq.ParquetWriter(out, table.schema, compression="snappy")
    writer.write_table(table, row_group_size=GROUP)
writer.close()

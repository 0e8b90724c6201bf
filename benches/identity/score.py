"""Pair quality of an identities.parquet whose ids say who they are: `score.py identities.parquet`."""
import sys

import polars as pl

ids = pl.read_parquet(sys.argv[1], columns=["person", "id"])
parts = pl.col("id").str.split("-")
ids = ids.with_columns(entity=pl.when(parts.list.len() > 2).then(parts.list.get(1)).otherwise(parts.list.get(0)))


def pairs(by):
    n = pl.col("len").cast(pl.Int64)
    return ids.group_by(by).len().select((n * (n - 1) // 2).sum()).item()


both, found, true = pairs(["person", "entity"]), pairs(["person"]), pairs(["entity"])
print(f"P {both / found:.4f} R {both / true:.4f} F1 {2 * both / (found + true):.4f} ({ids.height} ids, {true} true pairs)")

"""Writes about a million clicks of 50,000 people as Parquet: make_events.py FILE [EVENTS]."""
import sys

import numpy as np
import polars as pl

KINDS = ["home", "product_view", "search", "add_to_cart", "payment_details", "purchase", "support"]
SHARES = [0.25, 0.38, 0.15, 0.1, 0.06, 0.04, 0.02]

path, n = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
random = np.random.default_rng(7)
n_people = n // 20
first = random.integers(0, 300 * 86_400, n_people)
person = np.sort(random.integers(0, n_people, n))
gap = random.exponential(2 * 86_400, n) * (random.random(n) < 0.3) + random.exponential(90, n)
gap = np.cumsum(gap)
begins = np.concatenate([[True], person[1:] != person[:-1]])
seconds = first[person] + gap - np.maximum.accumulate(np.where(begins, gap, 0))
keep = seconds < 365 * 86_400
kind = random.choice(len(KINDS), n, p=SHARES)
frame = pl.DataFrame({
    "user_id": pl.Series(person).cast(pl.String),
    "event": pl.Series(np.array(KINDS)[kind]),
    "timestamp": (pl.Series((seconds * 1e6).astype(np.int64)) + 1_704_067_200_000_000).cast(pl.Datetime("us")),
}).filter(pl.Series(keep))
frame.sample(fraction=1.0, shuffle=True, seed=7).write_parquet(path)
print(f"{frame.height} events of {frame['user_id'].n_unique()} people")

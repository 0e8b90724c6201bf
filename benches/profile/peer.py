"""What a good Python user would do: python peer.py FILE OUT minimal|full. Prints seconds and the peak of memory as JSON."""

import json
import resource
import sys
import time

start = time.perf_counter()
import pandas
from ydata_profiling import ProfileReport

path, out, mode = sys.argv[1:]
table = pandas.read_parquet(path) if path.endswith(".parquet") else pandas.read_csv(path)
ProfileReport(table, minimal=mode == "minimal", progress_bar=False).to_file(out)
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"wall_s": round(time.perf_counter() - start, 2), "cpu_s": round(usage.ru_utime + usage.ru_stime, 2),
                  "peak_mb": usage.ru_maxrss // 1024}))

"""Twenty kills at random moments in one run, which must end with the bytes of the run that nothing interrupted."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from common import ROOT, table, write

sys.path.insert(0, str(ROOT / "tests" / "running"))

KILLS = 20


def main() -> None:
    from killing import bytes_of, kill_after, train, wait_until_quiet, write_job

    job = {
        "name": "kills",
        "data": {"uri": "synthetic://?rows=200000&columns=20&categorical=2&missing=0.05", "target": "y"},
        "evaluate": {"holdout": "20%", "early_stopping": {"rounds": 30, "validation": "10%"}},
        "model": {
            "estimator": "xgboost.XGBClassifier",
            "params": {"n_estimators": 400, "max_depth": 6, "subsample": 0.8, "colsample_bytree": 0.8},
        },
    }
    folder = Path(tempfile.mkdtemp(prefix="kills-"))
    rows = []
    try:
        path = write_job(folder, job)
        began = time.monotonic()
        code, said = train(path, folder / "whole", "--choose", "in-memory", timeout=600)
        whole_s = time.monotonic() - began
        assert code == 0, said
        moments = random.Random(1)
        kills = 0
        while kills < KILLS:
            seconds = moments.uniform(0.3, whole_s)
            ended = kill_after(path, folder / "killed", seconds, "--choose", "in-memory")
            rows.append({"after_s": round(seconds, 2), "killed": ended is None})
            kills += ended is None
            wait_until_quiet(folder / "killed")
            if ended == 0:
                shutil.rmtree(folder / "killed")  # it was done: begin again
        code, said = train(path, folder / "killed", "--choose", "in-memory", timeout=600)
        assert code == 0, said
        equal = bytes_of(folder / "whole") == bytes_of(folder / "killed")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    table("kills at random moments", rows)
    print(f"bytes equal: {equal}")
    write("kills", rows=rows, kills=kills, equal=equal)
    assert equal


if __name__ == "__main__":
    main()

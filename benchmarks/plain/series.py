"""ARIMA(2, 0, 1) of a sample of series by statsforecast: CPU seconds of all fits, and each log-likelihood.

python series.py SAMPLE.npy   (an interpreter that has statsforecast)
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from statsforecast.models import ARIMA


def main() -> None:
    sample = np.load(sys.argv[1])
    ARIMA(order=(2, 0, 1)).fit(sample[0])  # compiled before time is taken
    began = time.process_time()
    loglik = [float(ARIMA(order=(2, 0, 1)).fit(y).model_["loglik"]) for y in sample]
    print(json.dumps({"cpu_s": time.process_time() - began, "loglik": loglik}))


if __name__ == "__main__":
    main()

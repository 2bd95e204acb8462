"""The container file: the run's libraries and its workload; data and run folder are mounted when it is started."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from fitscale.deploying.job import FILE

RUN = "/out"


def dockerfile(wheel: str, code: Iterable[str]) -> str:
    """The text of the Dockerfile. ``code``: relative paths of the user's own modules."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    lines = [
        "# fitscale with the libraries that it planned with",
        f"FROM python:{python}-slim",
        "# LightGBM takes the system's OpenMP",
        "RUN apt-get update \\",
        "    && apt-get install --yes --no-install-recommends libgomp1 \\",
        "    && rm -rf /var/lib/apt/lists/*",
        "WORKDIR /job",
        f"COPY requirements.txt {wheel} ./",
        "RUN pip install --no-cache-dir --requirement requirements.txt",
        f"COPY {FILE} ./",
        *_copied(code),
        'ENTRYPOINT ["fitscale"]',
        f'CMD ["train", "{FILE}", "--run", "{RUN}"]',
    ]
    return "\n".join(lines) + "\n"


def _copied(code: Iterable[str]) -> list[str]:
    """Files beside the workload in one line, each package in its own."""
    tops = dict.fromkeys(path.partition("/")[::2] for path in code)
    files = [top for top, rest in tops if not rest]
    packages = dict.fromkeys(top for top, rest in tops if rest)
    return [*([f"COPY {' '.join(files)} ./"] if files else []), *(f"COPY {top}/ ./{top}/" for top in packages)]

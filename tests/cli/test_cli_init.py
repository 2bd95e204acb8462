"""`fitscale init`: a file that `plan` takes as it is, questions on a terminal, and nothing written over."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from postgres_server import Server

sys.path.insert(0, str(Path(__file__).parent))
from commands import fitscale

from fitscale.data.starter.drafting import SCHEMA_FILE, Draft
from fitscale.records.workload import Workload
from fitscale.workload import load, schema_text

N = 3_000
QUICK = ("--estimator", "baseline.Classifier", "--set", "model.params={passes: 2}")


def customers() -> pa.Table:
    rng = np.random.default_rng(0)
    age, plan = rng.integers(18, 90, N), rng.choice(["basic", "plus", "pro"], N)
    left = rng.random(N) < 1 / (1 + np.exp(0.04 * (age - 50)))
    return pa.table(
        {
            "customer_id": np.arange(N) * 7 + 1_000,
            "age": age,
            "plan": plan,
            "currency": ["EUR"] * N,
            "closed_reason": np.where(left, rng.choice(["moved", "price"], N), ""),
            "left": left,
        }
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a CSV of one's own."""
    customers().to_pandas().to_csv(tmp_path / "customers.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(path: Path) -> Workload:
    return load(path)


def test_a_csv_becomes_a_workload_that_is_planned_as_it_is(here: Path) -> None:
    """The target by its name; the key, the constant and the leak are left out, each with why."""
    said = fitscale("init", "customers.csv", *QUICK)
    assert said.code == 0, said.err
    made = written(here / "customers.yaml")
    assert (made.name, made.data.uri, made.data.target) == ("customers", "customers.csv", "left")
    assert made.data.features.drop == ("customer_id", "currency", "closed_reason")
    for words in ("Predict     left: guessed", "closed_reason nearly gives the target away: AUC 1.00 alone", "Next"):
        assert words in said.out
    assert max(map(len, said.out.splitlines())) <= 100
    planned = fitscale("plan", "customers.yaml")
    assert planned.code == 0, planned.err
    assert "Run here: A." in planned.out


@pytest.mark.parametrize("kind", ["parquet", "arrow", "folder", "glob", "synthetic"])
def test_every_kind_of_source_is_planned_as_it_is(here: Path, kind: str) -> None:
    """Files of all kinds, a folder of them, a glob, made-up rows."""
    table = customers()
    (here / "parts").mkdir()
    for k in range(2):
        pq.write_table(table.slice(k * N // 2, N // 2), here / f"parts/part-{k}.parquet")
    pq.write_table(table, here / "c.parquet")
    with pa.OSFile(str(here / "c.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    data = {
        "parquet": "c.parquet", "arrow": "c.arrow", "folder": "parts", "glob": "parts/part-*.parquet",
        "synthetic": "synthetic://?rows=3000&columns=3&dates=1&missing=0.1",
    }[kind]  # fmt: skip
    assert fitscale("init", data, "--out", "job.yaml", *QUICK).code == 0
    planned = fitscale("plan", "job.yaml")
    assert planned.code == 0, planned.err


def test_a_table_of_a_database_is_planned_as_it_is(here: Path, postgres: Server) -> None:
    """By --table or --query; a column of a type that has no place is left out; the password stands nowhere."""
    postgres.sql(
        "create table shop as select g as id, (g * 7919) % 101 as x, point(g, g) as at_home, g % 3 = 0 as bought "
        "from generate_series(1, 2000) g"
    )
    said = fitscale("init", postgres.uri(), "--table", "shop", *QUICK, "--set", "where=[{local: {cores: 1}}]")
    assert said.code == 0, said.err
    made = written(here / "shop.yaml")
    assert (made.data.target, made.data.table) == ("bought", "shop")
    assert "at_home" in made.data.features.drop
    assert postgres.password not in (here / "shop.yaml").read_text()
    assert fitscale("plan", "shop.yaml").code == 0
    query = "select x, bought from shop where id < 500"
    assert fitscale("init", postgres.uri(), "--query", query, "--out", "q.yaml").code == 0
    assert written(here / "q.yaml").data.query == query
    found = {one["what"]: one for one in fitscale("doctor", "shop.yaml", "--json").record["findings"]}
    assert found["reading"]["says"].startswith("1,000 rows read in ")
    assert "about 2,000 rows" in found["data"]["says"] or "rows" in found["data"]["says"]


def test_the_record_has_what_was_seen_and_written(here: Path) -> None:
    """With --json it asks nothing, and what a person reads goes to stderr."""
    said = fitscale("init", "customers.csv", "--json")
    made = Draft.from_json(said.out)
    assert made.text == (here / "customers.yaml").read_text()
    assert made.chosen["data.target"].value == "left"
    assert {notice.what for notice in made.notices if notice.dropped} == {"key", "constant", "leak"}
    assert "Predict" in said.err


def test_a_file_that_is_there_is_not_written_over(here: Path) -> None:
    """Exit code 2 before anything is read, unless --force."""
    (here / "customers.yaml").write_text("mine")
    said = fitscale("init", "customers.csv")
    assert (said.code, said.out) == (2, "")
    assert "customers.yaml: is there already; --force writes over it, --out names another file" in said.err
    assert (here / "customers.yaml").read_text() == "mine"
    assert not (here / SCHEMA_FILE).exists()
    assert fitscale("init", "customers.csv", "--force").code == 0
    assert written(here / "customers.yaml").data.target == "left"


def test_flags_win_over_guesses(here: Path) -> None:
    """And stand in the file as said."""
    argv = ("--target", "plan", "--groups", "currency", "--deadline", "2h", "--estimator", "a.b.C", "--set", "seed=7")
    assert fitscale("init", "customers.csv", *argv, "--set", "evaluate.cv=3").code == 0
    made = written(here / "customers.yaml")
    assert (made.data.target, made.data.groups, made.seed, made.evaluate.cv) == ("plan", ("currency",), 7, 3)
    assert made.needs.deadline is not None
    assert "# as you said" in (here / "customers.yaml").read_text()


def test_the_path_is_seen_from_the_file(here: Path) -> None:
    """A relative one starts there; the file is found from anywhere."""
    (here / "jobs").mkdir()
    assert fitscale("init", "customers.csv", "--out", "jobs/late.yaml").code == 0
    made = written(here / "jobs" / "late.yaml")
    assert (made.name, made.data.uri) == ("late", "../customers.csv")


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ((), "DATA is missing: name a file"),
        (("none.csv",), "data.uri: no file none.csv"),
        (("customers.csv", "--target", "lef"), "--target lef: no such column; did you mean 'left'?"),
        (("customers.csv", "--table", "t"), "data.table: 'customers.csv' is no database"),
        (("customers.csv", "--out", "no/job.yaml"), "there is no folder no: make it first"),
        (("customers.csv", "--out", "."), "is a folder; name a file in it"),
        (("customers.csv", "--set", "evaluate.folds=5"), "--set evaluate.folds=5: no key 'evaluate.folds'"),
        (("customers.csv", "--set", "data.target=left"), "that is what --target is for"),
        (("customers.csv", "--set", "evaluate.cv"), "write it like evaluate.cv=5"),
        (("customers.csv", "--set", "data.csv.delimiter=;"), "data.uri: no column can be predicted"),
        (("postgresql://me:secret@host/db", "--table", "t"), "write ${PGPASSWORD} there"),
        (("s3://bucket/x",), "reading from s3:// is not offered yet"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(here: Path, argv: tuple[str, ...], sentence: str) -> None:
    """Exit code 2, in one line."""
    said = fitscale("init", *argv)
    assert said.code == 2, said.out
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert sorted(path.name for path in here.iterdir()) == ["customers.csv"]


def test_the_schema_lies_beside_the_file_and_is_printed(here: Path) -> None:
    """An editor finds it without a network, by the file's first line."""
    fitscale("init", "customers.csv")
    first = (here / "customers.yaml").read_text().splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA_FILE}"
    assert (here / SCHEMA_FILE).read_text() == schema_text() == fitscale("init", "--schema").out
    assert json.loads(schema_text())["title"] == "fitscale workload"


class Terminal:
    """A command in a pseudo terminal: what it writes, and answers to what it asks."""

    def __init__(self, argv: list[str], folder: Path, columns: int = 80) -> None:
        env = {**os.environ, "COLUMNS": str(columns), "LINES": "40", "TERM": "xterm", "NO_COLOR": "1"}
        env["PYTHONPATH"] = os.pathsep.join(item for item in sys.path if item)
        self.master, slave = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fitscale", *argv], cwd=folder, env=env, stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)
        self.text = ""

    def until(self, words: str, seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < end, self.text
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.master, 65_536).decode()
                except OSError:  # its other end is closed
                    assert words in self.text, self.text

    def answer(self, text: str) -> None:
        os.write(self.master, text.encode() + b"\n")

    def close(self) -> int:
        try:
            return self.process.wait(30)
        finally:
            self.process.kill()
            self.process.wait()
            os.close(self.master)


def test_on_a_terminal_it_asks_with_the_guess_as_default(here: Path) -> None:
    """Enter takes the guess; a wrong answer is told and asked again."""
    terminal = Terminal(["init", "customers.csv"], here)
    for question, answer in (
        ("What is to be predicted? [left]:", "lef"),
        ("did you mean 'left'?", ""),
        ("One model for each value of which column? [none]:", "plan"),
        ("Which estimator? [", "baseline.Classifier"),
        ("How long may it take (30m, 4h, 06:00)? [none]:", "soon"),
        ("'soon' cannot be read", "4h"),
    ):
        terminal.until(question)
        if question.startswith("did you"):
            terminal.until("predicted? [left]:", 5)
        terminal.answer(answer)
    terminal.until("Next ")
    assert terminal.close() == 0
    made = written(here / "customers.yaml")
    assert (made.data.target, made.data.groups) == ("left", ("plan",))
    assert made.model.estimator == "baseline.Classifier"
    assert made.needs.deadline is not None
    said = [line for line in terminal.text.replace("\r", "").splitlines() if "]:" not in line]
    assert max(map(len, said)) <= 80


def test_yes_asks_nothing_and_ctrl_c_writes_nothing(here: Path) -> None:
    """On a terminal too; an interrupted question ends with 130."""
    terminal = Terminal(["init", "customers.csv", "--yes"], here)
    terminal.until("Next ")
    assert terminal.close() == 0
    (here / "customers.yaml").unlink()
    terminal = Terminal(["init", "customers.csv"], here)
    terminal.until("What is to be predicted?")
    for _ in range(20):  # the first may come just before it reads what is typed
        terminal.process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            terminal.process.wait(timeout=1)
            break
    assert terminal.close() == 130
    assert not (here / "customers.yaml").exists()


def test_it_says_what_it_assumed_of_a_text(here: Path) -> None:
    """The delimiter, and what --set says of it instead."""
    text = (here / "customers.csv").read_text().replace(",", ";")
    (here / "semi.csv").write_text(text)
    said: Any = fitscale("init", "semi.csv")
    assert "Read with semicolons between fields" in said.out
    assert "[assumed]" in said.out
    assert fitscale("init", "semi.csv", "--force", "--set", 'data.csv.delimiter=";"').code == 0
    assert written(here / "semi.yaml").data.csv.delimiter == ";"


def test_an_error_is_folded_between_words_on_a_terminal(here: Path) -> None:
    """Elsewhere it stays one line."""
    argv = ["init", "customers.csv", "--target", "lef", "--yes"]
    terminal = Terminal(argv, here, columns=60)
    terminal.until("closed_reason, left")
    assert terminal.close() == 2
    lines = terminal.text.replace("\r", "").splitlines()
    at = next(k for k, line in enumerate(lines) if line.startswith("error: --target lef"))
    assert lines[at + 1].startswith("       ")
    assert max(map(len, lines[at:])) <= 60
    assert " ".join(" ".join(lines[at:]).split()) == fitscale(*argv).err.strip()

"""The keys of the workload file, section by section: the one description that reading, writing and the schema share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fitscale.errors import UsageError
from fitscale.records.workload import (
    Budget,
    Csv,
    DataSpec,
    EarlyStopping,
    Evaluation,
    Features,
    ModelSpec,
    Needs,
    Search,
    SvmLightFiles,
    Workload,
)
from fitscale.workload.kinds import Key, Kind, character, either, flag, many, mapping, section, text, whole, word, words
from fitscale.workload.spaces import SPACE
from fitscale.workload.spot import Spot
from fitscale.workload.values import (
    COLUMN,
    COLUMNS,
    DEADLINE,
    DURATION,
    EXPORT,
    FREQUENCY,
    FUNCTION,
    FUNCTIONS,
    IMPORT,
    MAX_FAILED,
    NAME,
    SHARE,
    URI,
    USD,
    USE,
    WHERE,
)
from fitscale.workload.weights import WEIGHTS

FEATURES = section(
    Features,
    (
        Key("drop", COLUMNS, "columns that are no features"),
        Key("keep", COLUMNS, "only these columns are features"),
        Key("categorical", COLUMNS, "columns of numbers to be taken as categories"),
        Key("scale", flag(), "scale to mean 0 and deviation 1, learnt from training rows"),
        Key("max_categories", whole(2), "rarer categories become 'other'"),
        Key("text", COLUMNS, "columns of text, whose words are counted in columns by their hash"),
        Key("hash_columns", whole(2, 2**24), "how many columns each text becomes; default: 16,384 sparse, 256 dense"),
        Key("ngrams", whole(1, 4), "2: pairs of neighbouring words are counted too"),
    ),
)
HEADER = either(flag(), COLUMNS)
CSV = section(
    Csv,
    (
        Key("delimiter", character(), "what stands between fields"),
        Key("decimal", word(".", ","), "what stands before decimals"),
        Key("encoding", text("an encoding's name"), "such as cp1252"),
        Key("header", HEADER, "true: the first line has the names; or the names, where no line has them"),
        Key("missing", many(words()), "words for a missing value; default: nothing, NA, null, NaN and their like"),
    ),
)
SVMLIGHT = section(
    SvmLightFiles,
    (Key("zero_based", flag(), "false: indices begin at 1, and a 0 is an error; default: either"),),
)
DATA_KEYS = (
    Key("uri", URI, "where the data is: a file, folder or glob, or s3://…, postgresql://…", required=True),
    Key("table", text("a table's name"), "the table of a database"),
    Key("query", text("a query"), "the query of a database"),
    Key("key", COLUMN, "the column by which a table is read in parts"),
    Key("where", text("a condition"), "which rows, as SQL: \"day >= '2026-01-01'\""),
    Key("csv", CSV, "how text files are written, where that is not seen rightly"),
    Key("svmlight", SVMLIGHT, "how svmlight (libsvm) files are written"),
    Key("target", COLUMN, "the column to predict", required=True),
    Key("groups", COLUMNS, "one model for each value of these columns"),
    Key("time", COLUMN, "the order, for series and for splits by time"),
    Key("step", DURATION, "series: their spacing", "step_s"),
    Key("horizon", whole(1), "series: how many steps to forecast"),
    Key("weight", COLUMN, "the weight of each row"),
    Key("features", FEATURES, "which columns are features; default: every other one"),
    Key(
        "use",
        USE,
        "how much of the data: all, a share such as 20%, or enough: the smallest share that loses next to nothing",
    ),
)
EARLY_STOPPING = section(
    EarlyStopping,
    (
        Key("rounds", whole(1), "stop after so many rounds without a better score", required=True),
        Key("validation", SHARE, "the share of rows that is scored after each round"),
    ),
)
EVALUATE_KEYS = (
    Key("holdout", SHARE, "the share of rows that is kept for judging"),
    Key("by", text("random, time or a column's name"), "random, time, or a column (no value in both parts)"),
    Key(
        "cv",
        whole(2),
        "folds of a cross-validation, instead of a hold-out; by time: origins, each later than the one before",
    ),
    Key("metric", text("a metric's name"), "by scikit-learn's name, such as roc_auc"),
    Key("early_stopping", EARLY_STOPPING, "end boosting or passes early"),
    Key("refit", flag(), "fit again on all rows after judging"),
)
SEARCH_KEYS = (
    Key("budget", DURATION, "the time for tuning; it stands in the forecast", "budget_s"),
    Key("space", SPACE, "what each parameter may be; default: a published space of the estimator"),
    Key("trials", whole(1), "at most so many trials, if they are done before the time is over"),
)
SEARCH = section(Search, SEARCH_KEYS)


def evaluation(**fields: Any) -> Evaluation:
    """Hold-out is the default, unless there are folds."""
    if fields.get("cv") is not None:
        if "holdout" in fields:
            raise UsageError("has both 'holdout' and 'cv'; keep one of them")
        fields["holdout"] = None
    return Evaluation(**fields)


def model_spec(**fields: Any) -> ModelSpec:
    """Exactly one way to say what is fitted."""
    ways = ("estimator", "any_of", "function", "live")
    given = [way for way in ways if fields.get(way)]
    if len(given) != 1:
        has = " and ".join(f"'{way}'" for way in given) or "none of them"
        raise UsageError(f"takes exactly one of 'estimator', 'any_of' and 'function'; it has {has}")
    return ModelSpec(**fields)


_ONE_MODEL = (
    Key("estimator", IMPORT, "any estimator, by import path"),
    Key("params", mapping(), "its parameters"),
    Key("framework", text("a framework's name"), "by name; default: by the estimator's import path"),
)
_TUNED = Key("search", SEARCH, "tune the parameters, within a time that is in the forecast")
_ONE_MODEL_SECTION = section(ModelSpec, (*_ONE_MODEL, _TUNED), model_spec)


def _any_of(value: Any, spot: Spot) -> Any:
    named = value.get("estimator") if isinstance(value, Mapping) else value
    if hasattr(named, "fit"):
        raise spot.wrong(
            f"a {type(named).__name__} is a live estimator, which 'estimator' takes alone: give import paths"
        )
    return _ONE_MODEL_SECTION.read({"estimator": value} if isinstance(value, str) else value, spot)


ANY_OF = many(Kind(_any_of, _ONE_MODEL_SECTION.write, {"anyOf": [IMPORT.schema, _ONE_MODEL_SECTION.schema]}))
MODEL_KEYS = (
    *_ONE_MODEL,
    Key(
        "fallback",
        word("parent", "global"),
        "whose model a group takes that is too small for its own: parent (of the groups that are alike in the first columns) or "
        "global (of all)",
    ),
    Key("any_of", ANY_OF, "several estimators, of which the best is kept"),
    Key("function", FUNCTION, "a training function of your own: pkg.train:fit"),
    _TUNED,
    Key("live", text("an address"), "where a live estimator was staged", hidden=True),
)
BUDGET = section(
    Budget,
    (
        Key("hardware", USD, "for machines: 300 USD/month", "hardware_usd_month"),
        Key("software", USD, "for licences: 0", "software_usd_month"),
    ),
)
NEEDS_KEYS = (
    Key("deadline", DEADLINE, "when it must be done: a duration or a time of day, or {want: 1h, must: 4h}"),
    Key("frequency", FREQUENCY, "daily, weekly, biweekly, monthly, ad-hoc, or a cron line"),
    Key("budget", BUDGET, "what may be spent"),
    Key("export", many(EXPORT), "formats that the models are needed in"),
    Key("deploy", text("a place to deploy to"), "where the models go: edge/linux-arm64"),
    Key(
        "functions",
        many(word(*FUNCTIONS)),
        "what the tool is asked to be able to do; what is not there counts as unmatched in the scorecard",
    ),
    Key(
        "weights",
        WEIGHTS,
        "what functions, openness, integration, extension, time, storage, budget and people weigh in the scorecard; "
        "default: it breaks ties alone",
    ),
    Key("max_failed", MAX_FAILED, "many models: the share or number that may fail before the run counts as failed"),
)

DATA = section(DataSpec, DATA_KEYS)
EVALUATE = section(Evaluation, EVALUATE_KEYS, evaluation)
MODEL = section(ModelSpec, MODEL_KEYS, model_spec)
NEEDS = section(Needs, NEEDS_KEYS)

WORKLOAD_KEYS = (
    Key("name", NAME, "names the run's folder; default: the file's name", required=True),
    Key("seed", whole(0, 2**32 - 1), "the seed of folds, samples and estimators"),
    Key("data", DATA, "where the data is, and what its columns mean", required=True),
    Key("evaluate", EVALUATE, "how models are judged"),
    Key("model", MODEL, "what is fitted", required=True),
    Key("needs", NEEDS, "what is needed of the result; all optional"),
    Key("where", WHERE, "what may be used; default: this machine"),
    Key("allow_other", flag(), "may an arrangement be chosen whose result is another one?"),
)
WORKLOAD = section(Workload, WORKLOAD_KEYS)

"""What each benchmark asks, what is aimed at, and what limits it: for `run.py`, the results and docs/benchmarks.md."""

from __future__ import annotations

from typing import NamedTuple


class About(NamedTuple):
    title: str
    question: str
    aim: str
    limits: str


BENCHMARKS = {
    "forecast": About(
        "Forecast against actual",
        "How far off is what `plan` forecasts from what `train` then takes, for workloads that were fixed before the first "
        "measurement? `train` begins in a folder of its own; time is from its start to the committed version, without what "
        "it probed and did not go on from.",
        "Of the first twelve (three shapes × four estimators): time 15 % in the median and 50 % at the 90th percentile, "
        "memory 12 % in the median, not refunded at most 5 % or 5 s. Of all: 12, 40, 10, and 3 % or 5 s. Nine of ten "
        "within their 90 % intervals.",
        "Runs of 30 to 45 s on a shared host, whose pace changes by a few percent from run to run. What keeps "
        "no progress (a forest's trees, many models) is forecast from parts of the rows.",
    ),
    "choice": About(
        "Choosing",
        "Of a design of workloads, estimators and shapes of the machine that was written down before its first run, in the half "
        "that nothing was tuned on: how far off are forecasts, how often do intervals hold, how much memory is admitted and is "
        "what was refused too large, what does probing cost, and how much longer than the best candidate does the chosen one take, "
        "beside what simple rules choose?",
        "`plan`, from parts of the rows: time 12 % in the median and 35 % at the 90th percentile, memory 8 and 25; `train` after "
        "its beginning: 4 and 12, 2 and 8; storage 5. Of the 90 % intervals 85 to 95 % hold, upper over lower at most 1.9 and "
        "1.35. No command is ended for memory; at most 20 % more is admitted than held; of 30 refused and forced ones at most 3 "
        "fit. Probing that is not gone on from: 2 % in the median, 5 % at p95 or 5 s. At least 19 of 20 choices within 10 % of the "
        "best, 2 % in the mean and half of the best rule's, at most 15 % or twice what noise alone costs.",
        "One machine of two cores: clusters and catalogues are modelled, and are not here. Of the strategies that there are, only "
        "XGBoost has more than two for one model.",
    ),
    "overhead": About(
        "Against the plain script",
        "How much longer does `fitscale train` take, to its committed model, than the script that a good engineer writes for "
        "the same job to its saved one, and how much anonymous memory, by strategy? Is it the bare library's model?",
        "In memory 1.05 × the time; with 300,000 rows at most 1.5 s more. Memory 1.0 × in memory, 0.65 quantised, 0.25 out "
        "of core. The largest difference of a held-out probability 0.",
        "Both decode the same Parquet with the same library; the worker, the encoding, the hold-out's score and the commit "
        "come on top. Quantised and out-of-core read the rows several times: they are there for memory.",
    ),
    "many": About(
        "Many models",
        "How far from the sum of the bare fits, spread over the cores, are 1,141 models of the flights, partition and store "
        "included?",
        "1.10 × the sum + 3 s.",
        "A process of 1 to 2 s start before the first fit; groups of 287 rows, of which a fit takes 15 ms.",
    ),
    "series": About(
        "Series, a model for each",
        "How many models a second are fitted at once, or one by one, from rows that are cut by series to a committed version, and "
        "how large is each? Are the likelihoods those of statsforecast?",
        "AR(2) of 200 points 200,000 a second at once, 15,000 one by one; 250,000 ARIMA(2,0,1) of 720 points within 5 minutes, 99 "
        "% of the likelihoods no worse than by 0.001.",
        "Rows are decoded, keys and predictions written, for models that take microseconds; an ARIMA climbs by ten likelihoods "
        "a step.",
    ),
    "skew": About(
        "One large group among small ones",
        "3,000 groups of 40 to 400,000 rows: how long from the first worker's start to the last fit's end, against half of the "
        "bare fits' CPU seconds, or the longest of them?",
        "1.05 × that.",
        "A worker starts for about a second; the largest groups are fitted first.",
    ),
    "poison": About(
        "Bad groups",
        "Of 3,167 flight routes one in a hundred each raises, ends its process, crashes, never ends, takes 30 GB, has no target, "
        "an infinite value, or one row. What is delivered, what is named, and what do they cost?",
        "Every good model, every bad route by name; 1.05 × the clean run and 50 ms for each that ends its process, beside the "
        "seconds after which one that never ends is ended.",
        "A child that dies is forked anew, and what it died of is tried once more, alone.",
    ),
    "drift": About(
        "Drift and anomalies of many series",
        "How long does `fitscale drift` take for 250,000 series of 200 new points each, how often does it alarm without cause, and "
        "which share of shifts of one deviation does it find? Are anomalies found better than by a rule of three deviations of "
        "the last day? How soon is a model there, by its key? Of 20,000 models of rows: which share of shifts of half a deviation "
        "in one of eight columns does it find, where the target follows its rule?",
        "60 s a pass; an alarm in at most 5 % of passes without drift; 80 % of the shifts; a higher average precision; a "
        "model within 1 ms at the 99th percentile.",
        "The new rows are cut by series first; keys and models are read as Python values once.",
    ),
    "aiops": About(
        "From a database to packages",
        "250,000 series of 100 points in a PostgreSQL table: how long from there to models that are packed by database, and in how "
        "much memory?",
        "It ends, under 2 GB.",
        "Server and fitscale share two cores.",
    ),
    "larger": About(
        "Larger than memory",
        "Does boosting out of core stay under 60 B a row + 4 MB a column + 400 MB, and how fast is a round? How fast is a "
        "linear model streamed from a table of twenty times its cap? What becomes of scripts under the same cap?",
        "At least 0.7 of the best: for boosting the time of a round in memory (of a quarter of the rows, times four) or that "
        "of reading the disk cache cold once for each level of a tree, whichever is longer; for a stream the rate of "
        "decoding the same batches or of the estimator on batches that are held, whichever is slower.",
        "The page cache holds the disk cache of boosting where it fits, so that rounds seldom wait for the disk on this machine; "
        "the stream's files it cannot hold.",
    ),
    "billion": About(
        "A billion rows",
        "One pass of a linear model over 10⁹ rows × 25 columns under 2 GB, killed by SIGKILL at half of the batches and gone "
        "on: how far off was the forecast, and what was the peak?",
        "It ends, under its limit, within its interval; the time of both commands is compared, what was done again included.",
        "The rows are made as they are read, which takes longer than the estimator; a stream goes on from its last checkpoint.",
    ),
    "wide": About(
        "Many columns",
        "Is memory forecast rightly for 10,000 and 20,000 dense columns and 100,000 sparse ones?",
        "Each is trained to its end; peak memory within 15 % of its forecast.",
        "Histograms of all columns for each node; the sparse rows are parsed from a text file.",
    ),
    "first_answer": About(
        "The first answer",
        "How soon does `plan` answer for a Parquet folder of 10 GB that is in no page cache, and how wide is its interval?",
        "Within 60 s, with an upper bound of at most three times the lower one, between which the run then lies.",
        "The pace of one pass over a cold disk, of which a part is read; candidates that begin with all rows are measured on "
        "parts of them.",
    ),
    "staging": About(
        "Staging a CSV",
        "How long does it take to read a CSV of 200 MB over all rows and stage it, against `pyarrow.csv.read_csv` and "
        "`write_table`?",
        "No longer than the script, in less memory.",
        "Types are seen over all rows: where a late row changes one, its part is read again.",
    ),
    "postgres": About(
        "Staging a table of PostgreSQL",
        "How long does it take to stage 2,000,000 rows × 10 columns, against one bare ADBC connection?",
        "At least 0.7 of its rate.",
        "Server, connections and Parquet writer share two cores.",
    ),
    "kills": About(
        "Kills",
        "Does a run that is killed 20 times at random moments end with the same bytes?",
        "Yes.",
        "Moments are drawn by seed over the length of the run.",
    ),
    "many_kills": About(
        "Kills of many models",
        "A run of 1,500 models is killed 200 times at random moments: its command, a worker, or both. Is a model lost, or fitted "
        "twice; are the bytes those of the run that nothing interrupted; how many seconds of work were done again, and how soon "
        "after a restart does the first fit begin, beside what imports take?",
        "None lost, none twice, equal bytes; at most 2 s of a worker's done again; the first fit within 1 s.",
        "A chunk of a run of seconds is a part of a second long, and of a run of minutes two seconds by what is thought of its "
        "fits: what a kill loses is the chunk at work, and the one before it if it is being written.",
    ),
    "many_forecast": About(
        "Many models: forecast against actual",
        "How far off is what `plan` forecasts of six workloads of 10,000 models and more, of which it fits a few and knows the "
        "sizes of all? The CPU seconds of all groups, the time to the committed version, the memory. And of one of 20 GB, of whose "
        "groups it has a part of the rows?",
        "From at most 0.5 % of the models: CPU seconds 5 % in the median and 15 % at worst. The large one's time within 10 %, from "
        "at most 1 GB that is read.",
        "Forty groups or so are timed: where fits of one size differ by a third, that alone leaves 5 %.",
    ),
    "retrain": About(
        "A hundredth of the models again",
        "Newer rows have come, and of 20,000 groups one in a hundred has drifted. How long from the first fit of those to the "
        "version in which they are new and the others as before, against the same of all groups?",
        "2 % of it, with fits of 10 ms.",
        "A worker starts for about a second, and the index of all models is written anew. Finding out which have drifted, and "
        "cutting the rows by group, reads all rows: that stands apart.",
    ),
    "routes": About(
        "A model for each route",
        "3,167 real flight routes of 100 flights and more, LightGBM of depth 6 with 100 trees: how long from the first worker's "
        "start to the committed version, against half of the bare fits' CPU seconds?",
        "1.05 × that.",
        "A worker starts and imports LightGBM for about two seconds; held-out rows are predicted and scored; predictions and the "
        "version are written.",
    ),
    "scales": About(
        "Both scales at once",
        "1,000 models of 10,000 columns each, from a table of 4 GB in 2 GB of memory by one worker; and 1,000 of which one has "
        "nine tenths of 4,000,000 rows. Are they trained, in how much memory, and how far from the bare fits, of which the "
        "longest bounds the second?",
        "All of them, under the limit; 1.05 × the longest fit.",
        "Of 10,000 columns one worker holds 0.7 GB, most of it while rows are decoded, so that two are refused in 2 GB. A group is "
        "fitted by one thread: the largest one alone is what the second takes.",
    ),
    "search": About(
        "Tuning against a plain default of the same budget",
        "Five minutes: what do they bring to the held-out score, spent on tuning, on as many more rounds of the library's "
        "defaults as they pay for, or not at all? Is what the search thinks to have won what it has won on "
        "rows that nobody looked at?",
        "Not worse than the defaults, nor than more of them, beyond what the rows can tell.",
        "One seed of each; a budget in wall time has fewer trials where others use the machine.",
    ),
}

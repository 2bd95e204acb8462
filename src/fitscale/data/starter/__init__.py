"""A workload file from the data alone: what `fitscale init` sees, guesses, warns of and writes.

`looking` takes a bounded part of the rows, `seeing` says what each column holds, `guessing` which of them is the target,
`leaks` what gives it away, `noticing` what to drop and to look at, `drafting` puts it together, `writing` makes the text.
"""

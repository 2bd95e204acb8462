"""A workload file from the data alone: what `fitscale init` sees, guesses, warns of and writes.

`looking` takes a bounded part of the rows, `seeing` says what each column holds, `guessing` which of them is the target,
`choices` adds what was said, `leaks` finds what gives the target away, `noticing` what to drop and to look at, `lines` and
`writing` make the text, `drafting` puts it together.
"""

"""One file for each command; `screen` draws what a person reads of a plan, `shown` writes figures."""

"""Where data is: one file for each kind of source. `synthetic` is the smallest and the reference."""

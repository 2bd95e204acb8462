"""The eight measurements of a candidate: pure functions over records. What is looked up stands in `records.scorecard.Facts`."""

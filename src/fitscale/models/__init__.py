"""What a finished version can do: predict, list, compare, package, roll back, prune."""

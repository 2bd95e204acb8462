"""What trials tell: which of several estimators, with which parameters, on how much of the data. Pure functions over records."""

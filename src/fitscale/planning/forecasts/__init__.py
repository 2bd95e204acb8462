"""What a candidate would take at full size, by laws and measurements. Pure functions; `forecasting` is the way in."""

"""From forecasts to a decision, and how sure it is. Pure functions over records; `deciding` is the way in."""

"""What a place costs, a run and a month: machine, disk, the way of the data, licences. `monthly` is the way in."""

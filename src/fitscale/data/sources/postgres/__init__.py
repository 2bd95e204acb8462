"""Tables and queries of PostgreSQL: read once, of one snapshot, through several connections, and staged to Parquet.

`statement` writes SQL, `connect` has sessions and what their errors mean, `columns` says which types are read as what,
`ranges` cuts a table into parts, `fetching` reads the parts at once and gives them in order.
"""

from fitscale.data.sources.postgres.source import Postgres

__all__ = ["Postgres"]

"""The ledger: everything that happened, as Parquet in S3, sharded by customer. The system of record."""

-- Each member makes the accounts for itself and logs nothing: only what the application writes is a transaction, so
-- that members that start empty have empty histories, whatever a package's installation did before.
SET GLOBAL super_read_only = OFF;
RESET BINARY LOGS AND GTIDS;
SET SESSION sql_log_bin = 0;

-- Calls by loss, failed logins and loss over time, in DuckDB, over the Parquet files of a capture.
--
--   pptpcap convert -o tables vpn-*.pcap
--   cd tables && duckdb -f ../examples/calls.sql

SET TimeZone = 'UTC';

-- The calls that lost most, of both directions.
SELECT "call", "pns_address", "pac_address", "pns_lost" + "pac_lost" AS "lost",
    round(100 * "lost" / ("lost" + "pns_packets" + "pac_packets"), 1) AS "percent"
FROM 'calls.parquet'
WHERE "lost" > 0
ORDER BY "lost" DESC, "call"
LIMIT 10;

-- Who could not log in, and with what.
SELECT "pns_address", "authentication", count(*) AS "times", min("end_time") AS "first"
FROM 'calls.parquet'
WHERE "reason" = 'AUTHENTICATION_FAILED'
GROUP BY ALL
ORDER BY "first";

-- Loss in each minute: numbers that were passed over, less those of packets that came late (REORDERED, 4096).
SELECT time_bucket(INTERVAL 1 MINUTE, "time") AS "minute", count(*) AS "packets",
    sum("skipped")::BIGINT - count(*) FILTER (WHERE "status" & 4096 <> 0) AS "lost"
FROM 'gre.parquet'
WHERE "sequence_number" IS NOT NULL
GROUP BY ALL
ORDER BY "minute";

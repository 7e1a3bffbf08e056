"""The easy part of the job in DuckDB: read, key, drop what comes twice, sum by partner and cycle, look up the slab.

No rejects, credit notes at their own date, no cancellations, no ledger, no journal, no files published.
"""
import sys

import duckdb

export, database = sys.argv[1:]
connection = duckdb.connect(database)
connection.execute("SET TimeZone = 'Asia/Kolkata'")
connection.execute(
    """CREATE TABLE line (
        distributor_code VARCHAR, doc_type VARCHAR, invoice_no VARCHAR, line_no INTEGER, partner_code VARCHAR,
        business_date DATE, sku VARCHAR, category VARCHAR, quantity INTEGER, amount DECIMAL(18, 2),
        PRIMARY KEY (distributor_code, doc_type, invoice_no, line_no))"""
)
connection.execute(
    """INSERT OR IGNORE INTO line
       SELECT distributor_code, doc_type, invoice_no, line_no, partner_code, CAST(invoice_date AS DATE), sku, category,
              quantity, CASE doc_type WHEN 'credit_note' THEN -amount ELSE amount END
       FROM read_csv(?, header = true, columns = {
           'invoice_no': 'VARCHAR', 'line_no': 'INTEGER', 'doc_type': 'VARCHAR', 'invoice_date': 'TIMESTAMPTZ',
           'partner_code': 'VARCHAR', 'partner_name': 'VARCHAR', 'distributor_code': 'VARCHAR', 'channel': 'VARCHAR',
           'sku': 'VARCHAR', 'category': 'VARCHAR', 'quantity': 'INTEGER', 'amount': 'DECIMAL(18, 2)',
           'status': 'VARCHAR', 'ref_invoice_no': 'VARCHAR'})
       WHERE doc_type <> 'cancellation'""",
    [export],
)
connection.execute("CREATE TABLE slab (floor DECIMAL(18, 2), rate DECIMAL(9, 6), tier VARCHAR, cap INTEGER)")
connection.execute(
    "INSERT INTO slab VALUES (0, 0, '', NULL), (500000, 0.002, 'Silver', NULL), (800000, 0.003, 'Gold', NULL), "
    "(2000000, 0.005, 'Platinum', 15000)"
)
connection.execute(
    """CREATE TABLE position AS
       SELECT partner_code, cycle, measure, tier, least(floor(measure * rate), coalesce(cap, 1e18)) AS points
       FROM (SELECT partner_code, date_trunc('quarter', business_date) AS cycle, sum(amount) AS measure
             FROM line GROUP BY ALL) sums
       ASOF JOIN slab ON sums.measure >= slab.floor"""
)
print(*connection.execute("SELECT count(*), sum(points) FROM position").fetchone())
connection.close()

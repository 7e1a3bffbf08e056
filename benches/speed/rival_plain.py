"""The same part of the job in plain Python: csv, decimal and sqlite3, as one would write it without thinking of speed."""
import csv
import sqlite3
import sys
from bisect import bisect_right
from collections import defaultdict
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from zoneinfo import ZoneInfo

export, database = sys.argv[1:]
zone = ZoneInfo("Asia/Kolkata")
connection = sqlite3.connect(database)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA synchronous = FULL")
connection.execute(
    """CREATE TABLE line (
        distributor_code TEXT, doc_type TEXT, invoice_no TEXT, line_no INTEGER, partner_code TEXT, business_date TEXT,
        sku TEXT, category TEXT, quantity INTEGER, amount TEXT,
        PRIMARY KEY (distributor_code, doc_type, invoice_no, line_no)) WITHOUT ROWID"""
)


def business_date(text):
    instant = datetime.fromisoformat(text)
    return (instant.astimezone(zone) if instant.tzinfo else instant).date()


def lines():
    with open(export, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["doc_type"] == "cancellation":
                continue
            amount = Decimal(row["amount"])
            if row["doc_type"] == "credit_note":
                amount = -amount
            yield (
                row["distributor_code"], row["doc_type"], row["invoice_no"], int(row["line_no"]), row["partner_code"],
                business_date(row["invoice_date"]).isoformat(), row["sku"], row["category"], int(row["quantity"]),
                str(amount),
            )


with connection:
    connection.executemany("INSERT OR IGNORE INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", lines())

measures = defaultdict(Decimal)
for partner, day, amount in connection.execute("SELECT partner_code, business_date, amount FROM line"):
    quarter = f"{day[:4]}-Q{(int(day[5:7]) + 2) // 3}"
    measures[partner, quarter] += Decimal(amount)

floors = [Decimal(0), Decimal(500_000), Decimal(800_000), Decimal(2_000_000)]
slabs = [("", Decimal(0), None), ("Silver", Decimal("0.002"), None), ("Gold", Decimal("0.003"), None),
         ("Platinum", Decimal("0.005"), 15_000)]
connection.execute("CREATE TABLE position (partner_code TEXT, cycle TEXT, measure TEXT, tier TEXT, points INTEGER)")
total = 0
with connection:
    for (partner, quarter), measure in measures.items():
        tier, rate, cap = slabs[max(bisect_right(floors, measure) - 1, 0)]
        points = int((measure * rate).to_integral_value(ROUND_FLOOR))
        points = min(points, cap) if cap else points
        total += points
        connection.execute("INSERT INTO position VALUES (?, ?, ?, ?, ?)", (partner, quarter, str(measure), tier, points))
print(len(measures), total)
connection.close()

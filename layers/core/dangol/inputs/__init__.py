"""The other files a shop drops: customers, products, interests. One row says one thing; a later row replaces it."""

from dangol.inputs.customers import CUSTOMERS
from dangol.inputs.interests import INTERESTS
from dangol.inputs.products import PRODUCTS

TABLES = {table.name: table for table in (CUSTOMERS, PRODUCTS, INTERESTS)}
"""By the folder under incoming/."""

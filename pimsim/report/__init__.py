"""Results as documents, and documents as terminal tables, pages, figures and tables of data."""

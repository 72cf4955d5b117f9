"""Results as documents, and documents as terminal tables, pages, figures and tables of data."""

from pimsim.private import guard_matplotlib

# before matplotlib is imported
guard_matplotlib()

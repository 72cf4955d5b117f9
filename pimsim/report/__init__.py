"""Results for readers: tables on the terminal, figures, CSV files and pages."""

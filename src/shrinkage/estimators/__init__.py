"""scikit-learn's interface to all of it; no mathematics here."""

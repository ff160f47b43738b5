"""The composition root of the cloud: settings → stores → rooms → one HTTP application. No police work here."""

"""Where things are kept: records (SQL), photos (objects), events (a bus), secrets. The engine is chosen by URL."""

"""Values of a list as they are stored: addresses, dates, languages, time zones."""

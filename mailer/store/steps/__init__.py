"""Contains the migrations, by version. A released migration is never changed."""

"""The steps that made the tables, by version. A step that was released is never changed."""

"""YAML as people type it: what its rules would cut, change or drop is told, with the form that works."""

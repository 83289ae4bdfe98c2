"""Plans as documents, parameters as data, roles as words."""

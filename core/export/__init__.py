"""Files for other people: formats, tags, verified copies on drives."""

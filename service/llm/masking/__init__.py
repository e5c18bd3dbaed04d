"""Personal data: found in what goes to a model that is not local, replaced by placeholders, restored in its reply."""

"""`polyphonie export`, `prompts`, `settings`: what needs no run."""

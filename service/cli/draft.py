"""`polyphonie draft`: the main job. `polyphonie estimate`: what it would use."""

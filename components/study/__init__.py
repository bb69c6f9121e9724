"""Studies: a set of experiments, each with several seeds, run by DVC and drawn as one table and one picture."""

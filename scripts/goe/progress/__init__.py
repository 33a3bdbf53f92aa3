"""What a run has done, does and still has to do, and what its jobs take."""

"""Two finished releases held against each other: `goe diff`, and the comparison of an auditor's second run."""

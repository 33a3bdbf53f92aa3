"""What every stage uses: errors, ledgers, logs, processes, small tables, manifests, seals."""

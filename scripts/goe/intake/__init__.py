"""What a run begins with: settings, sheets and inputs read and looked at, and the stamps of its stages."""

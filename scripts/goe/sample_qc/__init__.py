"""Quality, sex, kinship and ancestry of people, and who is kept."""

"""Datasets of several countries, looked at one by one and added up."""

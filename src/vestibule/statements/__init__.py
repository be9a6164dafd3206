"""Statements: published by the operator's systems, fetched by their owners."""

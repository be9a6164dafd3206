"""The knowledge base: articles, their search and feeds, and what readers say of them."""

"""The kit for faces: rendering, forms, cookies, problems, middleware."""

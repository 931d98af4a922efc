"""The product, one module a flow: each tells one story from request to answer and knows no HTTP and no SQL."""

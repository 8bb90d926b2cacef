"""The questions that the pages ask, one module a page: filters in, a small frame out."""

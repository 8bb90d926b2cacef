"""One module a route type: pure functions from request facts to a decision."""

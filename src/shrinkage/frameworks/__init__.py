"""A network of the user's own, whatever framework it is from: its parameters, audit and path."""

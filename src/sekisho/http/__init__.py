"""The HTTP edge: an endpoint parses, calls one flow, renders; it catches nothing and decides nothing."""
